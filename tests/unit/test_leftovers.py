"""What cancelled jobs leave in the store goes once another serves, but for what may be needed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flink_job.cluster import Cluster, ClusterError
from flink_job.leftovers import AT_ONCE
from flink_job.rollout import NAME, RolledBackError
from tests.unit.played import SOON_S, Flink, Host

STORE = "s3://flink/checkpoints"
GONE = (
    "x.Outer: o\nCaused by: java.io.FileNotFoundException: Cannot find checkpoint or savepoint "
    "file/directory on file system."
)


def paths(job: str, *numbers: int) -> tuple[str, ...]:
    return tuple(f"{STORE}/{job}/chk-{number}" for number in numbers)


def checkpoint(path: str, **more: object) -> dict[str, Any]:
    number = int(path.rsplit("-", 1)[1])
    return {"id": number, "status": "COMPLETED", "external_path": path, **more}


def cannot_run(flink: Flink, job: str) -> None:
    """A job that has completed five checkpoints, of which Flink keeps three, restarts for ever."""
    flink.runs(job, state="RESTARTING")
    kept = [checkpoint(one) for one in reversed(paths(job, 3, 4, 5))]
    deleted = [checkpoint(one, discarded=True) for one in paths(job, 1, 2)]
    saved = checkpoint("s3://flink/savepoint-9", is_savepoint=True)
    failed = {"id": 6, "status": "FAILED"}
    flink.answers[f"GET /jobs/{job}/checkpoints"] = {
        "history": [saved, failed, *kept, *deleted],
        "latest": {"completed": kept[0]},
    }


@pytest.fixture
def left(flink: Flink, host: Host) -> Host:
    """Job b has taken the place of job a, which was cancelled."""
    host.deploy("one")
    cannot_run(flink, "a")
    host.deploy("two", within_s=SOON_S)
    assert host.origins[-1] == paths("a", 5)[0]
    return host


def test_those_of_the_job_before_stay_all_of_them_as_they_share_files(
    flink: Flink, left: Host
) -> None:
    assert flink.disposed == []
    assert left.known.checkpoints == paths("a", 3, 4, 5)


def test_they_go_once_nothing_that_serves_was_started_from_them(flink: Flink, left: Host) -> None:
    flink.saves("b", {"location": "s3://flink/sp-1"})
    assert left.deploy("three").splitlines() == [
        "deployed: job c runs, started from s3://flink/sp-1",
        "disposed of 3 checkpoints that cancelled jobs had left",
    ]
    assert tuple(flink.disposed) == paths("a", 3, 4, 5)
    assert left.known.checkpoints == ()


def test_of_a_row_of_jobs_that_could_not_run_only_the_last_keeps_them(
    flink: Flink, left: Host
) -> None:
    cannot_run(flink, "b")
    assert "disposed of 3" in left.deploy("three", within_s=SOON_S)
    assert tuple(flink.disposed) == paths("a", 3, 4, 5)
    assert left.known.checkpoints == paths("b", 3, 4, 5)


@pytest.mark.parametrize("origin", ["scratch", "s3://flink/named"])
def test_a_job_that_is_not_gone_on_from_keeps_them_until_the_next_deployment(
    flink: Flink, host: Host, origin: str
) -> None:
    host.deploy("one")
    cannot_run(flink, "a")
    host.deploy("two", origin, within_s=SOON_S)
    assert flink.disposed == []
    flink.saves("b", {"location": "s3://flink/sp-1"})
    host.deploy("three")
    assert tuple(flink.disposed) == paths("a", 3, 4, 5)


def test_what_a_version_left_that_did_not_serve_goes_with_the_next_that_does(
    flink: Flink, left: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.saves("b", {"location": "s3://flink/sp-1"})
    left.bad = {"three"}
    start = left.start

    def fails(*arguments: object) -> str:
        job = start(*arguments)  # type: ignore[arg-type]
        if job == "c":
            cannot_run(flink, "c")
        return job

    monkeypatch.setattr(left, "start", fails)
    with pytest.raises(RolledBackError):
        left.deploy("three", within_s=SOON_S)
    assert flink.disposed == []
    assert left.known.checkpoints == paths("a", 3, 4, 5) + paths("c", 3, 4, 5)
    flink.saves("d", {"location": "s3://flink/sp-2"})
    assert "disposed of 6" in left.deploy("four")


def test_what_a_new_jobmanager_took_a_job_up_from_is_known_and_what_was_before_it_is_not(
    flink: Flink,
) -> None:
    flink.runs("a", state="CANCELED")
    (mine,), (others,) = paths("a", 7), paths("z", 6)
    for restored, left in ((mine, [mine]), (others, [])):
        flink.answers["GET /jobs/a/checkpoints"] = {
            "history": [],
            "latest": {"restored": {"id": 7, "external_path": restored}},
        }
        assert Cluster(flink.address).outliving("a") == left


def test_jobs_that_live_that_were_stopped_or_that_are_others_leave_nothing(flink: Flink) -> None:
    jobs = [
        {"jid": "a", "name": NAME, "state": "CANCELED", "end-time": 2},
        {"jid": "b", "name": NAME, "state": "FAILED", "end-time": 1},
        {"jid": "c", "name": NAME, "state": "FINISHED", "end-time": 3},
        {"jid": "d", "name": NAME, "state": "RUNNING", "end-time": -1},
        {"jid": "e", "name": NAME, "state": "SUSPENDED", "end-time": 4},
        {"jid": "f", "name": "ctr-backfill", "state": "CANCELED", "end-time": 5},
    ]
    flink.answers["GET /jobs/overview"] = {"jobs": jobs}
    assert Cluster(flink.address).ended_jobs(NAME) == ["b", "a"]


def test_what_any_living_job_was_started_from_stays(
    flink: Flink, left: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    flink.saves("b", {"location": "s3://flink/sp-1"})
    monkeypatch.setattr(Cluster, "origins", lambda _: {paths("a", 4)[0]})
    left.deploy("three")
    assert flink.disposed == []
    assert left.known.checkpoints == paths("a", 3, 4, 5)


def test_a_disposal_that_fails_ends_the_work_is_told_and_tried_again(
    flink: Flink, left: Host
) -> None:
    flink.undisposable = {paths("a", 4)[0]: "x.Outer: o\nCaused by: x.Denied: no right"}
    flink.saves("b", {"location": "s3://flink/sp-1"})
    done, disposed, told = left.deploy("three").splitlines()
    assert done.startswith("deployed: job c")
    assert disposed == "disposed of 1 checkpoints that cancelled jobs had left"
    assert told.startswith("2 checkpoints of cancelled jobs are still there (Flink could not")
    assert left.known.checkpoints == paths("a", 4, 5)
    # Flink remembers the job, not what has become of its checkpoints.
    flink.undisposable = {paths("a", 3)[0]: GONE}
    flink.saves("c", {"location": "s3://flink/sp-2"})
    assert left.deploy("four").splitlines()[1].startswith("disposed of 2")


def test_what_is_gone_already_is_not_told_as_deleted(flink: Flink, left: Host) -> None:
    flink.undisposable = dict.fromkeys(paths("a", 3, 4, 5), GONE)
    flink.saves("b", {"location": "s3://flink/sp-1"})
    assert len(left.deploy("three").splitlines()) == 1
    assert left.known.checkpoints == ()


def test_a_long_list_is_worked_off_in_parts(flink: Flink, left: Host) -> None:
    many = paths("z", *range(AT_ONCE + 5))
    left.knows(replace(left.known, checkpoints=many))
    flink.saves("b", {"location": "s3://flink/sp-1"})
    left.deploy("three")
    assert tuple(flink.disposed) == many[:AT_ONCE]
    assert left.known.checkpoints[:5] == many[AT_ONCE:]


def test_where_flink_does_not_tell_what_was_left_the_deployment_goes_on_and_says_so(
    flink: Flink, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    monkeypatch.setattr(
        Cluster, "ended_jobs", lambda *_: (_ for _ in ()).throw(ClusterError("503"))
    )
    done, told = host.deploy("two").splitlines()
    assert done.startswith("deployed: job b")
    assert told.startswith("Flink does not tell which checkpoints cancelled jobs have left (503)")
