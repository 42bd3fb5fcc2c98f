"""The newest savepoints stay, and whatever anything was started from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flink_job.cluster import Cluster, ClusterError
from flink_job.rollout import NAME, RolledBackError
from tests.unit.played import SOON_S, Flink, Host

LIST = tuple(f"s3://flink/sp-{number}" for number in range(5))


@pytest.fixture
def full(flink: Flink, host: Host) -> Host:
    """A host that has deployed often, and keeps five savepoints; the sixth is taken next."""
    host.deploy("one")
    host.knows(replace(host.known, savepoints=LIST))
    flink.saves("a", {"location": "s3://flink/sp-5"})
    return host


def test_the_last_five_are_kept_and_the_oldest_is_disposed_of(flink: Flink, full: Host) -> None:
    assert full.deploy("two") == "deployed: job b runs, started from s3://flink/sp-5"
    assert flink.disposed == ["s3://flink/sp-0"]
    assert full.known.savepoints == (*LIST[1:], "s3://flink/sp-5")


@pytest.mark.parametrize(
    ("kept", "disposed"),
    [(6, ()), (3, LIST[:3]), (1, LIST), (0, LIST), (-1, LIST)],
)
def test_how_many_are_kept_is_a_choice_but_the_one_that_was_started_from_stays(
    flink: Flink, full: Host, kept: int, disposed: tuple[str, ...]
) -> None:
    full.savepoints_kept = kept
    full.deploy("two")
    assert tuple(flink.disposed) == disposed
    assert full.known.savepoints == (*LIST[len(disposed) :], "s3://flink/sp-5")


def test_a_deployment_that_changes_nothing_disposes_of_nothing(flink: Flink, full: Host) -> None:
    full.savepoints_kept = 1
    assert full.deploy("one") == "unchanged: job a runs"
    assert flink.disposed == []


def test_nothing_is_disposed_of_before_the_new_job_serves(flink: Flink, full: Host) -> None:
    full.bad = {"two"}
    with pytest.raises(RolledBackError):
        full.deploy("two", within_s=SOON_S)
    assert flink.disposed == []
    assert full.known.savepoints == (*LIST, "s3://flink/sp-5")


def test_a_rollback_disposes_of_older_ones_too(flink: Flink, full: Host) -> None:
    full.deploy("two")
    flink.saves("b", {"location": "s3://flink/sp-6"})
    full.roll_back()
    assert flink.disposed == ["s3://flink/sp-0", "s3://flink/sp-1"]


def test_what_any_living_job_was_started_from_is_kept(
    flink: Flink, full: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = full.start

    def beside_another(*arguments: object) -> str:
        job = start(*arguments)  # type: ignore[arg-type]
        jobs = [{"jid": job, "name": NAME, "state": "RUNNING"}]
        other = {"jid": "recount", "name": "recount", "state": "RESTARTING"}
        flink.answers["GET /jobs/overview"] = {"jobs": [*jobs, other]}
        flink.answers["GET /jobs/recount/checkpoints"] = {
            "latest": {"restored": {"external_path": "s3://flink/sp-0"}}
        }
        return job

    monkeypatch.setattr(full, "start", beside_another)
    full.savepoints_kept = 4
    full.deploy("two")
    assert flink.disposed == ["s3://flink/sp-1"]
    assert "s3://flink/sp-0" in full.known.savepoints


def test_one_that_was_named_by_hand_is_nobody_elses_to_delete(flink: Flink, full: Host) -> None:
    full.deploy("two", "s3://flink/by-hand")
    assert "s3://flink/by-hand" not in full.known.savepoints
    full.savepoints_kept = 0
    flink.saves("b", {"location": "s3://flink/sp-6"})
    full.deploy("three")
    assert "s3://flink/by-hand" not in flink.disposed


def test_a_disposal_that_fails_is_told_and_tried_again(flink: Flink, full: Host) -> None:
    flink.undisposable = {"s3://flink/sp-0": "x.Outer: o\nCaused by: x.Denied: no right"}
    full.savepoints_kept = 4
    first, told = full.deploy("two").splitlines()
    assert first == "deployed: job b runs, started from s3://flink/sp-5"
    assert told.startswith("The savepoint s3://flink/sp-0 is not needed any more, but is still")
    assert "x.Denied: no right" in told
    assert full.known.savepoints == ("s3://flink/sp-0", *LIST[2:], "s3://flink/sp-5")
    flink.undisposable = {}
    flink.saves("b", {"location": "s3://flink/sp-6"})
    assert len(full.deploy("three").splitlines()) == 1
    assert flink.disposed == [LIST[0], LIST[1], LIST[0], LIST[2]]


def test_one_that_is_gone_already_is_as_good_as_disposed_of(flink: Flink, full: Host) -> None:
    flink.undisposable = {
        "s3://flink/sp-0": "x.Outer: o\nCaused by: java.io.FileNotFoundException: Cannot find "
        "checkpoint or savepoint file/directory 's3://flink/sp-0' on file system 's3'."
    }
    assert len(full.deploy("two").splitlines()) == 1
    assert full.known.savepoints == (*LIST[1:], "s3://flink/sp-5")


def test_where_it_is_not_known_what_is_needed_all_are_kept(
    flink: Flink, full: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Cluster, "origins", lambda _: (_ for _ in ()).throw(ClusterError("503")))
    assert "No older savepoint was disposed of (503)" in full.deploy("two")
    assert flink.disposed == []


def test_a_job_that_is_only_initialized_may_be_about_to_read_a_savepoint(flink: Flink) -> None:
    flink.runs("a", state="INITIALIZING")
    with pytest.raises(ClusterError, match="only initializing"):
        Cluster(flink.address).origins()


def test_a_disposal_that_does_not_end_is_not_waited_for_forever(
    flink: Flink, monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.answers["POST /savepoint-disposal"] = {"request-id": "e"}
    flink.answers["GET /savepoint-disposal/e"] = {"status": {"id": "IN_PROGRESS"}}
    monkeypatch.setattr(flink, "disposes", lambda _: None)
    with pytest.raises(ClusterError, match="not deleted it within 0 s"):
        Cluster(flink.address).dispose("s3://flink/sp-0", 0.05)
