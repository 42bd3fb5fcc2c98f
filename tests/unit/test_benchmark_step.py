"""A step tells what was measured once it was warm, and says what could not be."""

from __future__ import annotations

import pytest

from loadtest.benchmark.goals import sustained
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.step import Wanted, measured
from loadtest.benchmark.watch import WitnessError
from tests.unit.benched import BROKEN, FakeLab

WANTED = Wanted(rate=10_000, seconds=60, warm_up=20)


def test_a_step_tells_rates_latency_cost_and_lag() -> None:
    lab = FakeLab()
    step = measured(lab, WANTED, lab.time.clock())
    assert step.events_per_s == pytest.approx(10_000, rel=0.01)
    assert step.counted_per_s == pytest.approx(10_000, rel=0.01)
    assert step.latency is not None
    # Two a second of the fake witness, and none of the warm-up.
    assert step.latency.samples == pytest.approx(120, abs=2)
    assert step.latency.p50_s == step.latency.max_s == 0.25
    assert step.cost.us_taskmanager == pytest.approx(4.0, rel=0.02)
    assert step.cost.us == pytest.approx(8.0, rel=0.02)
    assert step.cost.stolen == pytest.approx(0.01)
    assert step.probe_us == pytest.approx(0.01 / 10_000 * 1e6, rel=0.02)
    assert step.memory_mb == {"kafka": 2.0}
    assert (step.rows_per_s, step.backpressure, step.busy) == (20.0, 0.3, 0.3)
    assert step.checkpoints.completed >= 2
    assert step.checkpoints.median_s == 0.2
    assert (step.lag.end, step.lag.flat) == (0, True)
    assert sustained(step)
    assert step.problems == []


def test_what_prometheus_is_asked_for_is_the_time_that_was_measured() -> None:
    lab = FakeLab()
    measured(lab, WANTED, lab.time.clock())
    assert len(lab.asked) == 3
    assert all(query.endswith(("[60s]", "[61s]")) for query in lab.asked)


def test_a_job_that_does_not_keep_up_has_a_lag_that_grows() -> None:
    lab = FakeLab(counts=8_000)
    step = measured(lab, WANTED, lab.time.clock())
    assert not step.lag.flat
    assert step.lag.last > step.lag.first
    assert step.counted_per_s == pytest.approx(8_000, rel=0.01)
    assert not sustained(step)


def test_figures_stay_where_the_load_was_not_all_or_the_law_cannot_be_checked() -> None:
    lab = FakeLab(unmade="load.yml: workers were lost.", said=None)
    step = measured(lab, WANTED, lab.time.clock())
    assert step.law is None
    assert step.latency is not None
    assert step.problems == [
        "load.yml: workers were lost.",
        "reconcile.yml: ClickHouse does not answer.",
    ]


def test_a_broken_law_is_told() -> None:
    lab = FakeLab(said=BROKEN)
    step = measured(lab, WANTED, lab.time.clock())
    assert step.law is not None
    assert step.law.unexplained == 1


def test_a_load_that_does_not_start_fails_the_step() -> None:
    lab = FakeLab(refuses_load=True)
    with pytest.raises(PlaybookError, match="no worker"):
        measured(lab, WANTED, lab.time.clock())


def test_without_a_witness_there_is_no_step() -> None:
    lab = FakeLab(blind=True)
    with pytest.raises(WitnessError, match="has ended"):
        measured(lab, WANTED, lab.time.clock())


def test_a_witness_that_ends_in_the_middle_fails_the_step() -> None:
    lab = FakeLab()

    def blinded() -> None:
        lab.blind = lab.time.at > 40

    lab.time.heard.append(blinded)
    with pytest.raises(WitnessError, match="in the middle"):
        measured(lab, WANTED, lab.time.clock())
