"""A drain is measured from its first event to its last, and the job runs again behind it."""

from __future__ import annotations

import pytest

from loadtest.benchmark.drain import Backlog, drained
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.lab import LabError
from loadtest.benchmark.watch import WitnessError
from tests.unit.benched import FakeLab

WANTED = Backlog(events=1_500_000, rate=150_000)


def test_a_drain_is_told_from_its_first_event_to_its_last() -> None:
    lab = FakeLab(counts=100_000)
    drain = drained(lab, WANTED, lab.time.clock())
    assert drain.events == pytest.approx(1_500_000, rel=0.06)
    # What the start of the job takes is told, and not counted.
    assert drain.first_row_s == pytest.approx(20, abs=1)
    assert drain.events_per_s == pytest.approx(100_000, rel=0.06)
    assert drain.seconds == pytest.approx(drain.events / 100_000, abs=1.1)
    assert drain.cost.us_taskmanager == pytest.approx(4.0, rel=0.02)
    assert drain.curve[0][1] == 0
    assert drain.curve[-1][1] == drain.events
    assert lab.disposed == ["s3://flink/savepoints/one"]
    assert (lab.deployed, drain.problems) == (0, [])


def test_a_load_that_was_not_all_still_makes_a_backlog() -> None:
    lab = FakeLab(unmade="load.yml: workers were lost.")
    drain = drained(lab, WANTED, lab.time.clock())
    assert drain.problems == ["load.yml: workers were lost."]


def test_a_savepoint_that_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: FakeLab, savepoint: str) -> None:
        raise LabError(f"The savepoint {savepoint} is still there.")

    monkeypatch.setattr(FakeLab, "dispose", refuse)
    lab = FakeLab()
    assert drained(lab, WANTED, lab.time.clock()).problems == [
        "The savepoint s3://flink/savepoints/one is still there."
    ]


def test_the_job_runs_again_when_the_load_fails() -> None:
    lab = FakeLab(refuses_load=True)
    with pytest.raises(PlaybookError, match="no worker"):
        drained(lab, WANTED, lab.time.clock())
    assert (lab.counting, lab.deployed) == (True, 1)


def test_the_job_runs_again_when_what_happens_cannot_be_seen() -> None:
    lab = FakeLab(blind=True)
    with pytest.raises(WitnessError):
        drained(lab, WANTED, lab.time.clock())
    assert lab.counting


def test_the_job_runs_again_when_somebody_interrupts(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: FakeLab, __: int) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeLab, "load_ended", interrupted)
    lab = FakeLab()
    with pytest.raises(KeyboardInterrupt):
        drained(lab, WANTED, lab.time.clock())
    assert lab.counting


def test_a_job_that_does_not_start_is_not_waited_for_and_what_to_do_is_told() -> None:
    lab = FakeLab(broken_job=True)
    with pytest.raises(LabError, match=r"does not run again: .* Run ansible/job.yml"):
        drained(lab, WANTED, lab.time.clock())
    assert lab.time.at < 120


def test_a_job_that_counts_nothing_is_waited_for_so_long_and_no_longer() -> None:
    lab = FakeLab(counts=0)
    with pytest.raises(WitnessError, match="Not within 360 s: the job counts a backlog"):
        drained(lab, WANTED, lab.time.clock())
    assert lab.deployed == 1
