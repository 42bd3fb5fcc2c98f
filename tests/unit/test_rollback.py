"""A version that does not serve is taken back, and how things stand is known at each step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flink_job import ending, rollout
from flink_job.cluster import Cluster, ClusterError
from flink_job.deploy import Status, status_of
from flink_job.deployed import (
    STOPPED,
    UNKNOWN,
    Deployed,
    DeployedError,
    keep_deployed,
    read_deployed,
)
from flink_job.rollout import DownError, RolledBackError, UnclearError
from tests.unit.played import SOON_S, Flink, Host, version

FIRST = "s3://flink/sp-1"
# The steps of a deployment by what comes of the new version; most of a bad one's ask once more.
STEPS = {"good": range(16), "refused": range(20), "bad": range(0, 36, 3)}


@pytest.fixture
def running(flink: Flink, host: Host) -> Host:
    """A host on which release `one` runs, as job a, and was preceded by none."""
    host.deploy("one", parallelism="2")
    flink.saves("a", {"location": FIRST})
    return host


@pytest.mark.parametrize("how", ["bad", "refused"])
def test_a_new_version_that_does_not_serve_is_taken_back_with_settings_and_savepoint(
    flink: Flink, running: Host, how: str
) -> None:
    setattr(running, how, {"two-4"})
    before = running.known
    with pytest.raises(
        RolledBackError,
        match=rf"^release two with parallelism=4 does not serve \(.+\), so release one with "
        rf"parallelism=2 runs again as job c, from {FIRST}; ",
    ):
        running.deploy("two", parallelism="4", within_s=SOON_S)
    assert running.started == [("one", None), ("two", FIRST), ("one", FIRST)]
    assert running.settings[2] == {"parallelism": "2"}
    assert flink.was_cancelled("b") == (how == "bad")
    left_ms = running.known.left_ms
    assert left_ms is not None
    assert running.known == replace(
        before, job="c", started_from=FIRST, left_ms=left_ms, savepoints=(FIRST,)
    )
    assert running.deploy("one", parallelism="2") == "unchanged: job c runs"


def test_a_version_that_cannot_be_planned_stops_nothing(flink: Flink, running: Host) -> None:
    running.unplannable = {"two-4"}
    before = running.known
    with pytest.raises(ClusterError, match="no plan for two") as refused:
        running.deploy("two", parallelism="4")
    assert status_of(refused.value) == Status.FAILED
    assert not flink.orders
    assert running.known == before


def test_settings_alone_are_taken_back_too(running: Host) -> None:
    running.bad = {"one-64"}
    with pytest.raises(RolledBackError, match=r"^release one with parallelism=64 does not serve"):
        running.deploy("one", parallelism="64", within_s=SOON_S)
    assert running.settings[2] == {"parallelism": "2"}


def test_what_failed_is_tried_again_by_the_next_deployment(flink: Flink, running: Host) -> None:
    running.bad = {"two-2"}
    with pytest.raises(RolledBackError):
        running.deploy("two", parallelism="2", within_s=SOON_S)
    flink.saves("c", {"location": "s3://flink/sp-2"})
    running.bad = set()
    done = running.deploy("two", parallelism="2")
    assert done == "deployed: job d runs, started from s3://flink/sp-2"
    assert running.known.former == version("one", parallelism="2")


def test_a_first_version_has_none_to_go_back_to(host: Host) -> None:
    host.bad = {"one"}
    with pytest.raises(
        DownError,
        match=r"^release one does not serve \(.+\), and none runs now, since what ran before it is "
        r"not known: deploy .+, which goes on from the beginning of the topics",
    ):
        host.deploy("one", within_s=SOON_S)
    host.deploy("two")
    assert host.origins == [None, None]


def test_what_an_older_release_has_deployed_is_not_guessed_at(flink: Flink, host: Host) -> None:
    flink.runs("old")
    flink.saves("old", {"location": FIRST})
    host.state.write_text('{"digest": "0a1b", "job": "old", "started_from": null, "trigger": null}')
    host.bad = {"two"}
    with pytest.raises(
        DownError, match=f"what ran before it is not known: .+ goes on from {FIRST}"
    ):
        host.deploy("two", within_s=SOON_S)
    left_ms = host.known.left_ms
    assert host.known == Deployed(STOPPED, "old", FIRST, left_ms, savepoints=(FIRST,))


def test_what_a_newer_release_has_kept_besides_does_not_hinder(running: Host) -> None:
    known = running.known
    running.state.write_text(running.state.read_text().replace("{", '{"more": [], ', 1))
    assert running.known == known


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"digest": 1}'])
def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "job.json").write_text(content)
    with pytest.raises(DeployedError, match=r"job\.json cannot be read"):
        read_deployed(tmp_path / "job.json")


def test_the_version_that_ran_is_not_gone_back_to_from_itself(running: Host) -> None:
    running.bad = {"one-2"}
    with pytest.raises(DownError, match=f"it is what ran before, too: .+ goes on from {FIRST}"):
        running.deploy("one", "s3://flink/elsewhere", parallelism="2", within_s=SOON_S)
    assert running.origins == [None, "s3://flink/elsewhere"]


def test_a_release_that_is_gone_from_the_host_is_told(running: Host) -> None:
    running.bad, running.removed = {"two"}, {"one"}
    with pytest.raises(DownError, match="/opt/ctr-job/one, which ran before, is not on this host"):
        running.deploy("two", within_s=SOON_S)
    assert running.known == replace(
        running.known, digest=STOPPED, job="a", started_from=FIRST, trigger=None
    )


def test_a_former_version_that_needs_time_is_left_to_go_on(flink: Flink, running: Host) -> None:
    running.bad = {"two", "one-2"}
    with pytest.raises(DownError, match=r"nor does release one .* job c is left to go on trying"):
        running.deploy("two", within_s=SOON_S)
    assert not flink.was_cancelled("c")
    assert (running.known.digest, running.known.job) == (UNKNOWN, "c")
    running.bad = set()
    running.deploy("one", parallelism="2", within_s=SOON_S)
    assert flink.was_cancelled("c")
    assert running.started[3] == ("one", FIRST)


@pytest.mark.parametrize("refused", [True, False])
def test_a_former_version_that_does_not_start_either_leaves_the_savepoint(
    flink: Flink, running: Host, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    running.bad = {"two"}
    if refused:
        running.refused = {"one-2"}
    else:
        start = running.start

        def ends(*arguments: Any) -> str:  # noqa: ANN401 - those of start
            job = start(*arguments)
            if len(running.started) == 3:
                flink.runs(job, state="FAILED", checkpoints=0)
            return job

        monkeypatch.setattr(running, "start", ends)
    with pytest.raises(DownError, match=f"and none runs now.*goes on from {FIRST}"):
        running.deploy("two", within_s=SOON_S)
    assert running.known.digest == STOPPED
    assert running.known.started_from == FIRST
    assert running.known.version == version("one", parallelism="2")


def test_a_bad_job_that_cannot_be_cancelled_is_not_joined_by_another(
    flink: Flink, running: Host
) -> None:
    running.bad = {"two"}
    flink.failures["PATCH /jobs/b?mode=cancel"] = [400]
    with pytest.raises(UnclearError, match=r"could not be cancelled .* says 400.* deploy again"):
        running.deploy("two", within_s=SOON_S)
    assert len(running.started) == 2
    flink.remembers("b", restored=FIRST)
    running.deploy("one", parallelism="2", within_s=0.2)
    assert flink.was_cancelled("b")
    assert running.origins == [None, FIRST, FIRST]


def test_a_job_that_came_to_be_although_its_start_failed_is_cancelled(
    flink: Flink, running: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = running.start

    def loses_the_answer(*arguments: Any) -> str:  # noqa: ANN401 - those of start
        job = start(*arguments)
        if job == "b":
            raise ClusterError("it was not submitted within 1 s")
        return job

    monkeypatch.setattr(running, "start", loses_the_answer)
    with pytest.raises(RolledBackError, match="not submitted within 1 s"):
        running.deploy("two")
    assert flink.was_cancelled("b")
    assert running.known.job == "c"


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_job_that_comes_to_be_long_after_its_start_was_given_up_does_not_stay(
    flink: Flink, running: Host, monkeypatch: pytest.MonkeyPatch, *, cancelled: bool
) -> None:
    """Flink lists a job only when it has stored it, which may take longer than a start may."""
    start = running.start

    def is_late(*arguments: Any) -> str:  # noqa: ANN401 - those of start
        job = start(*arguments)
        if job == "b":
            flink.answers["GET /jobs/overview"] = {"jobs": []}
            raise ClusterError("it was not submitted within 1 s")
        flink.answers["GET /jobs/overview"] = {
            "jobs": [{"jid": one, "name": rollout.NAME, "state": "RUNNING"} for one in (job, "b")]
        }
        return job

    monkeypatch.setattr(running, "start", is_late)
    if not cancelled:
        flink.failures["PATCH /jobs/b?mode=cancel"] = [400]
    told = RolledBackError if cancelled else UnclearError
    with pytest.raises(told, match=r"so release one .* runs again as job c"):
        running.deploy("two")
    assert flink.was_cancelled("b")
    assert not flink.was_cancelled("c")
    assert (running.known.job, running.known.version) == ("c", version("one", parallelism="2"))


def test_where_flink_does_not_tell_whether_a_start_came_through_none_follows(
    flink: Flink, running: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = running.start

    def loses_flink(*arguments: Any) -> str:  # noqa: ANN401 - those of start
        start(*arguments)
        flink.failures["GET /jobs/overview"] = [503]
        raise ClusterError("no answer")

    monkeypatch.setattr(running, "start", loses_flink)
    with pytest.raises(UnclearError, match=r"not known whether Flink runs it all the same.*503"):
        running.deploy("two")
    assert len(running.started) == 2
    assert running.known.digest == STOPPED


SECOND = "s3://flink/sp-2"


@pytest.fixture
def newer(flink: Flink, running: Host) -> Host:
    """The same host, on which release `two` runs now, as job b."""
    running.deploy("two", parallelism="4")
    flink.saves("b", {"location": SECOND})
    return running


def test_the_way_back_is_one_version_with_its_settings_from_a_savepoint_taken_now(
    newer: Host,
) -> None:
    said = newer.roll_back()
    assert said.startswith(
        f"rolled back: job c runs release one with parallelism=2, started from {SECOND}; "
    )
    assert newer.started[2] == ("one", SECOND)
    assert newer.settings[2] == {"parallelism": "2"}
    assert newer.known.version == version("one", parallelism="2")
    assert newer.deploy("one", parallelism="2") == "unchanged: job c runs"


def test_gone_back_twice_stays_where_it_is(newer: Host) -> None:
    newer.roll_back()
    known = newer.known
    with pytest.raises(ClusterError, match="no version to go back to: none is known from before "):
        newer.roll_back()
    assert newer.known == known
    assert len(newer.started) == 3


def test_after_a_way_back_a_deployment_brings_the_newer_version_again(
    flink: Flink, newer: Host
) -> None:
    newer.roll_back()
    flink.saves("c", {"location": "s3://flink/sp-3"})
    newer.deploy("two", parallelism="4")
    assert newer.started[3] == ("two", "s3://flink/sp-3")
    flink.saves("d", {"location": "s3://flink/sp-4"})
    assert newer.roll_back().startswith("rolled back: job e runs release one")


def test_without_a_version_to_go_back_to_nothing_is_touched(flink: Flink, host: Host) -> None:
    with pytest.raises(ClusterError, match="is not there, so no version is known"):
        host.roll_back()
    host.deploy("one")
    with pytest.raises(ClusterError, match="none is known from before release one, and nothing"):
        host.roll_back()
    assert flink.triggers == []


def test_a_release_that_is_gone_is_not_gone_back_to(flink: Flink, newer: Host) -> None:
    newer.removed = {"one"}
    asked = len(flink.triggers)
    with pytest.raises(ClusterError, match="/opt/ctr-job/one is not on this host any more"):
        newer.roll_back()
    assert len(flink.triggers) == asked
    assert newer.known.job == "b"


@pytest.mark.parametrize("how", ["bad", "refused"])
def test_a_way_back_that_does_not_serve_is_taken_back(newer: Host, how: str) -> None:
    setattr(newer, how, {"one-2"})
    with pytest.raises(
        RolledBackError, match=r"^release one .* does not serve .*so release two .* runs again"
    ):
        newer.roll_back(within_s=SOON_S)
    assert newer.started[2:] == [("one", SECOND), ("two", SECOND)]
    assert newer.deploy("two", parallelism="4") == "unchanged: job d runs"
    assert newer.known.former == version("one", parallelism="2")


def test_the_state_to_go_back_with_can_be_named(newer: Host) -> None:
    newer.roll_back(FIRST)
    assert newer.started[2] == ("one", FIRST)


def test_a_savepoint_that_fails_on_the_way_back_leaves_all_as_it_was(
    flink: Flink, newer: Host
) -> None:
    flink.saves("b", {"failure-cause": {"stack-trace": "No space left"}})
    known = newer.known
    with pytest.raises(ClusterError, match="No space left"):
        newer.roll_back()
    assert newer.known == known


def test_a_version_that_was_taken_back_by_itself_is_not_what_is_gone_back_from(
    flink: Flink, newer: Host
) -> None:
    newer.bad = {"three"}
    with pytest.raises(RolledBackError):
        newer.deploy("three", within_s=SOON_S)
    flink.saves("d", {"location": "s3://flink/sp-3"})
    assert newer.roll_back().startswith("rolled back: job e runs release one with parallelism=2")


def test_from_a_job_of_someone_else_it_goes_back_to_what_served_last(
    flink: Flink, newer: Host
) -> None:
    flink.runs("strange")
    flink.saves("strange", {"location": "s3://flink/strange"})
    newer.roll_back()
    assert newer.started[2] == ("two", "s3://flink/strange")
    assert newer.known.former == version("one", parallelism="2")


class CrashError(BaseException):
    """The host has lost its power."""


@pytest.fixture
def crash_at(flink: Flink, running: Host, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Crash before a step: a request, a note in the file, a start; and after a start."""
    left = [-1]

    def step() -> None:
        left[0] -= 1
        if left[0] == -1:
            raise CrashError

    ask, start = Cluster._ask, running.start  # noqa: SLF001 - each request is a step

    def asks(*arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - those of _ask
        step()
        return ask(*arguments, **more)

    def keeps(file: Path, deployed: Deployed) -> None:
        step()
        keep_deployed(file, deployed)

    def starts(*arguments: Any) -> str:  # noqa: ANN401 - those of start
        step()
        job = start(*arguments)
        flink.saves(job, {"location": f"s3://flink/of-{job}"})
        step()
        return job

    monkeypatch.setattr(Cluster, "_ask", asks)
    monkeypatch.setattr(ending, "keep_deployed", keeps)
    monkeypatch.setattr(rollout, "keep_deployed", keeps)
    monkeypatch.setattr(running, "start", starts)

    def at(number: int) -> None:
        left[0] = number

    return at


@pytest.mark.parametrize(
    ("comes_to", "number"),
    [(how, number) for how, steps in STEPS.items() for number in steps],
)
def test_wherever_a_deployment_is_cut_off_the_next_one_loses_nothing(
    flink: Flink, running: Host, crash_at: Callable[[int], None], *, number: int, comes_to: str
) -> None:
    one = version("one", parallelism="2")
    setattr(running, comes_to, {"two"})
    crash_at(number)
    with suppress(CrashError, ClusterError):
        running.deploy("two", within_s=SOON_S)
    crash_at(-1)
    setattr(running, comes_to, set())
    known = running.known
    assert known.version == (version("two") if known.digest == "two" else one)
    running.deploy("three", within_s=SOON_S)
    assert running.known.former == known.version
    assert running.known.version == version("three")
    assert all(
        origin in {FIRST, "s3://flink/of-b", "s3://flink/of-c"} for origin in running.origins[1:]
    )
    alive = [job.id for job in Cluster(flink.address).live_jobs(rollout.NAME)]
    assert alive == [running.known.job]


@pytest.mark.parametrize(
    ("comes_to", "number"),
    [(how, number) for how, steps in STEPS.items() for number in steps],
)
def test_wherever_a_way_back_is_cut_off_the_next_one_comes_to_the_same(
    flink: Flink, newer: Host, crash_at: Callable[[int], None], *, number: int, comes_to: str
) -> None:
    one, two = version("one", parallelism="2"), version("two", parallelism="4")
    flink.remembers("b", restored=SECOND)
    setattr(newer, comes_to, {"one-2"})
    crash_at(number)
    finished = False
    with suppress(CrashError, ClusterError):
        newer.roll_back(within_s=SOON_S)
        finished = True
    crash_at(-1)
    setattr(newer, comes_to, set())
    alone = {job.id for job in Cluster(flink.address).live_jobs(rollout.NAME)}
    assert len(alone) <= 1
    # What was given up is not what is gone back from.
    given_up = comes_to != "good" and not newer.known.back and newer.known.digest != "two-4"
    if not finished and newer.known.version == two:
        newer.roll_back(within_s=SOON_S)
    assert newer.known.version == (two if given_up else one)
    assert None not in newer.origins[1:]
