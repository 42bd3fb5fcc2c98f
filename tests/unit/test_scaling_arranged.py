"""A configuration is arranged while the job is stopped, and all is as before afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.drain import Backlog, drained
from loadtest.benchmark.lab import LabError
from loadtest.scaling.arranged import Arranged, PutBack
from loadtest.scaling.configuration import Configuration
from loadtest.scaling.fleet import THIRD
from tests.unit.scaled import Scaled, boot

BACKLOG = Backlog(3_000_000, 150_000, 0.5)


def arranged(lab: Scaled, taskmanagers: int, parallelism: int) -> Arranged:
    configuration = Configuration(taskmanagers, parallelism)
    fleet = lab.fleet()
    return Arranged(lab.lab, fleet, lab.pins, configuration, 0.4, fleet.own)


def put_back(lab: Scaled) -> tuple[PutBack, list[str]]:
    told: list[str] = []
    running = lambda host: not lab.groups.missing([host])  # noqa: E731
    return PutBack(lab.lab, lab.fleet(), lab.pins, running, told.append), told


def test_a_drain_is_of_the_taskmanagers_and_the_parallelism_that_are_wanted(
    tmp_path: Path,
) -> None:
    lab = Scaled(root=tmp_path)
    one = arranged(lab, 1, 1)
    drain = drained(one, BACKLOG, lab.time.clock())
    assert lab.done == [
        "stop job",
        "stop flink-tm1",
        "stop flink-tm2",
        "start flink-tm1",
        "parallelism 1",
    ]
    assert lab.held() == {"flink-tm1": 0.4, "flink-tm2": None}
    assert lab.otherwise == {"load_skew": 0}, "no partition is left to one slot in the end"
    assert drain.events_per_s == pytest.approx(100_000, rel=0.06)
    assert drain.cost.us_taskmanager == pytest.approx(4.0, rel=0.02)
    # The cold half is told in the curve, and not in the figures.
    assert drain.seconds == pytest.approx(15, abs=1.1)
    assert drain.curve[-1][1] == drain.events
    assert one.ran_on() == ["flink-tm1"]
    assert drain.law is not None
    assert lab.disposed == ["s3://flink/savepoints/one"]


def test_a_job_that_cannot_be_asked_where_it_runs_is_no_end(tmp_path: Path) -> None:
    lab = Scaled(root=tmp_path, counting=False)
    assert arranged(lab, 1, 1).ran_on() == []
    lab.silent = True
    with pytest.raises(NoAnswerError):
        arranged(lab, 1, 1).ran_on()


def test_a_drain_that_fails_has_the_job_run_again(tmp_path: Path) -> None:
    lab = Scaled(root=tmp_path, refuses_load=True)
    with pytest.raises(Exception, match="no worker"):
        drained(arranged(lab, 2, 4), BACKLOG, lab.time.clock())
    assert lab.done[-1] == "parallelism 4"


def test_everything_is_put_back_whatever_was_changed(tmp_path: Path) -> None:
    lab = Scaled(root=tmp_path)
    boot(tmp_path, THIRD)
    for host in ("flink-tm1", THIRD):
        lab.pins.hold(host, 0.4)
    lab.known, lab.parallelism = {"flink-tm1", THIRD}, 6
    act, told = put_back(lab)
    assert act.all_of_it() == []
    assert lab.as_before
    assert lab.stopped == 1
    assert lab.done.index("stop flink-tm3") < lab.done.index("deploy")
    assert lab.done[-1] == "third absent"
    assert any("flink-tm3 is removed" in line for line in told)
    assert lab.disposed == ["s3://flink/savepoints/one"]


def test_a_job_that_does_not_run_is_started_all_the_same(tmp_path: Path) -> None:
    lab = Scaled(root=tmp_path, counting=False)
    act, _ = put_back(lab)
    assert act.all_of_it() == []
    assert lab.as_before
    assert (lab.disposed, lab.deployed) == ([], 1)


def test_what_cannot_be_put_back_is_told_and_does_not_keep_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Scaled, savepoint: str) -> None:
        raise LabError(f"The savepoint {savepoint} is still there.")

    monkeypatch.setattr(Scaled, "dispose", refuse)
    lab = Scaled(root=tmp_path, stuck=True, broken=True)
    boot(tmp_path, THIRD)
    lab.pins.hold("flink-tm2", 0.4)
    act, _ = put_back(lab)
    first, second, third = act.all_of_it()
    assert first.startswith("the TaskManagers of flink-tm1, flink-tm2 run: Flink should know")
    assert second == (
        "its savepoint is removed: The savepoint s3://flink/savepoints/one is still there."
    )
    assert third == "flink-tm3 is removed: third.yml: there is no room."
    assert lab.held() == {"flink-tm1": None, "flink-tm2": None}
    assert lab.done[-2:] == ["deploy", "third absent"]
