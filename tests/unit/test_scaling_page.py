"""What was found is told as it was found, and what is missing is told as missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.benchmark import step
from loadtest.benchmark.result import Cost, Drain, Run
from loadtest.scaling.charts import draw
from loadtest.scaling.configuration import USUAL, Configuration
from loadtest.scaling.costs import UnknownError, costs_of
from loadtest.scaling.found import (
    LARGE,
    MANY_PRODUCTS,
    Found,
    FoundError,
    Measured,
    Simulated,
)
from loadtest.scaling.found import (
    USUAL as AS_ON_THE_LAB,
)
from loadtest.scaling.page import HELD, MISSED, UNMEASURED, page, verdicts
from tests.unit.benched import LAW, FakeLab
from tests.unit.test_benchmark_page import ABOUT, row

WHEN = "2026-11-27 21:00:00"


def measured(configuration: Configuration, us: float = 4.0) -> Measured:
    """As TaskManagers at 0.4 cores each would count, the rest of the lab as much again."""
    cores = 0.38 * configuration.taskmanagers
    rate = cores / us * 1e6
    components = {"flink-taskmanager": cores, "kafka": cores / 2, "flink-jobmanager": 0.02}
    hosts = {"flink-tm1": cores, "kafka1": cores / 2, "flink-jm": 0.02}
    total = sum(hosts.values()) / rate * 1e6
    drain = Drain(
        events=1_500_000 * configuration.taskmanagers,
        first_row_s=20.0,
        seconds=10.0,
        events_per_s=rate,
        cost=Cost(total, us, hosts, components, 1.2, 0.0),
        curve=[(0.0, 0.0), (10.0, 1e6)],
        law=LAW,
    )
    ran_on = [f"flink-tm{number + 1}" for number in range(configuration.taskmanagers)]
    return Measured(
        configuration.taskmanagers,
        configuration.parallelism,
        0.4,
        ran_on,
        drain,
        WHEN,
        "abc1234",
    )


def simulated(name: str, us: float) -> Simulated:
    return Simulated(name, 1_000_000, 102.0, 20.0, us, 2_000, 0, WHEN, "abc1234")


@pytest.fixture
def found() -> Found:
    return Found(
        about=ABOUT,
        load="1,000 products, 2.0% of the events bad",
        measured={str(one): measured(one) for one in reversed(USUAL)},
        simulated={
            name: simulated(name, us)
            for name, us in ((AS_ON_THE_LAB, 19.0), (MANY_PRODUCTS, 23.0), (LARGE, 90.0))
        },
    )


@pytest.fixture
def benchmark() -> Run:
    """One whose brokers, ClickHouse and loader cost so much for each event and row."""
    run = Run("2026-11-27 18:00:00", "make benchmark", "def5678", ABOUT, {}, "1,000 products")
    for rate, rows in ((1_000, 300.0), (50_000, 5_000.0), (100_000, 5_000.0)):
        lab = FakeLab()
        one = step.measured(lab, step.Wanted(rate, 10, 5), lab.time.clock())
        components = {
            **one.cost.components,
            "kafka": 0.1 + one.counted_per_s * 2e-6,
            "clickhouse-server": 0.05 + rows * 10e-6,
            "ctr-loader": rows * 25e-6,
        }
        cost = replace(one.cost, components=components)
        run.steps.append(replace(one, rows_per_s=rows, cost=cost))
    return run


def test_what_was_found_goes_to_a_file_and_back(found: Found, tmp_path: Path) -> None:
    found.failures["3 TaskManagers, parallelism 6"] = "there was no room."
    file = tmp_path / "new" / "scaling.json"
    assert Found.read(file) == Found()
    found.write(file)
    assert Found.read(file) == found
    assert [str(one.configuration) for one in found.in_order] == [str(one) for one in USUAL]
    assert [path.name for path in file.parent.iterdir()] == ["scaling.json"]
    for text in ("{", "[]", "{}", json.dumps({"about": None, "load": "", "measured": {"1x1": {}}})):
        file.write_text(text)
        with pytest.raises(FoundError, match="put it away"):
            Found.read(file)


def test_configurations_stand_side_by_side(found: Found, benchmark: Run) -> None:
    text = page(found, [benchmark], "images/scaling.svg")
    assert row(text, "ran on")[-1] == "flink-tm1, flink-tm2, flink-tm3"
    assert row(text, "events counted a second") == ["95,000", "95,000", "190,000", "285,000"]
    assert row(text, "CPU of TaskManagers, us an event") == ["4.00"] * 4
    assert row(text, "of Kafka") == ["2.00"] * 4
    assert row(text, "of the JobManager") == ["0.21", "0.21", "0.11", "0.07"]
    assert row(text, "of ClickHouse") == ["0.00"] * 4
    assert row(text, "TaskManagers used, of what they may have") == ["95%"] * 4
    assert row(text, "unexplained events afterwards") == ["0"] * 4
    assert "With 3.0 times the processor time for TaskManagers the job counted 3.0 times" in text
    assert "![Events a second" in text
    assert "(images/scaling.svg)" in text
    assert "1,000 products, 2.0% of the events bad" in text
    assert "What went wrong" not in text
    assert "$" not in text
    assert not re.search(r"\n\n\n", text)


def test_what_an_event_costs_more_with_more_of_them_is_told_as_missed(found: Found) -> None:
    found.measured["3x6"] = measured(Configuration(3, 6), 4.5)
    told = verdicts(found.in_order)
    assert [one[1:] for one in told] == [("+0%", HELD), ("+0%", HELD), ("+12%", MISSED)]
    assert told[-1][0] == "3 TaskManagers, parallelism 6, against 1 TaskManager, parallelism 1"
    assert MISSED in page(found, [], None)


def test_nothing_is_said_of_growth_where_the_first_cost_is_nothing(found: Found) -> None:
    first = found.in_order[0]
    nothing = replace(first.drain.cost, us_taskmanager=0.0)
    idle = replace(first, drain=replace(first.drain, cost=nothing))
    found.measured[str(first.configuration)] = idle
    assert {one[1:] for one in verdicts(found.in_order)} == {("-", UNMEASURED)}


def test_a_part_alone_makes_a_page(found: Found, benchmark: Run) -> None:
    text = page(Found(), [], None)
    assert "Nothing was measured on a lab yet." in text
    assert "Not told, as no configuration was measured: run `make scaling`" in text
    found.measured = {"1x2": found.measured["1x2"]}
    text = page(found, [], None)
    assert row(text, "ran on") == ["flink-tm1"]
    assert "must not grow" not in text
    assert "what brokers and ClickHouse cost is not known: run `make benchmark`" in text
    found.simulated = {}
    text = page(found, [benchmark], None)
    assert "## Simulated" not in text
    assert "## What breaks first" in text
    found.measured["1x1"] = measured(Configuration(1, 1))
    assert "times the processor time" not in page(found, [], None)
    found.about = None
    assert "on one machine" not in page(found, [], None)


def test_what_went_wrong_is_told(found: Found) -> None:
    found.failures["3 TaskManagers, parallelism 6"] = "third.yml: there is no room."
    one = found.measured["1x1"]
    found.measured["1x1"] = replace(
        one, ran_on=[], drain=replace(one.drain, problems=["a"], law=None)
    )
    text = page(found, [], None)
    assert "- 3 TaskManagers, parallelism 6: third.yml: there is no room.\n" in text
    assert "- 1 TaskManager, parallelism 1: a\n" in text
    assert row(text, "ran on")[0] == "-"
    assert row(text, "unexplained events afterwards")[0] == "-"


def test_costs_are_what_more_events_and_rows_took_more(found: Found, benchmark: Run) -> None:
    costs, of = costs_of(found, [replace(benchmark, steps=benchmark.steps[:1]), benchmark])
    assert of is benchmark
    assert costs.slot_us == 4.0
    assert costs.broker_us == pytest.approx(2.0)
    assert costs.row_us == pytest.approx(10.0)
    assert costs.loader_us == pytest.approx(25.0)
    # Ten inserts a second are in what ClickHouse takes beside its rows.
    assert costs.insert_us == pytest.approx(5_000)
    assert costs.jobmanager_cores == pytest.approx(0.02)
    assert costs.rows_seen == pytest.approx(5_000 / (1_000 / 0.3), rel=0.02)
    assert (costs.many_products_us, costs.large_event_us) == (4.0, 71.0)


def test_where_noise_hides_the_difference_all_counts_for_the_rows(
    found: Found, benchmark: Run
) -> None:
    low, *_, high = benchmark.steps
    dear = replace(low.cost, components={**low.cost.components, "clickhouse-server": 0.2})
    found.simulated = {AS_ON_THE_LAB: simulated(AS_ON_THE_LAB, 19.0)}
    benchmark.steps = [replace(low, cost=dear), high]
    costs, _ = costs_of(found, [benchmark])
    assert costs.row_us == pytest.approx(0.1 / 5_000 * 1e6)
    assert (costs.insert_us, costs.many_products_us) == (0.0, 0.0)
    known = {"kafka": 0.3, "clickhouse-server": 0.2}
    benchmark.steps = [low, replace(high, cost=replace(high.cost, components=known))]
    with pytest.raises(UnknownError, match="has no CPU of ctr-loader: run it again"):
        costs_of(found, [benchmark])
    benchmark.steps = [low, replace(high, rows_per_s=None)]
    with pytest.raises(UnknownError, match="make benchmark"):
        costs_of(found, [benchmark])


def test_a_demand_that_breaks_nothing_else_breaks_the_slots_first(
    found: Found, benchmark: Run
) -> None:
    text = page(found, [benchmark], None)
    assert "So first of all it is **slots of the job, at 1,000,000 events/s**" in text
    few, many = text.split("With 1,000,000 products:")
    assert row(few, "the loader")[0].startswith("never")
    assert not row(many, "the loader")[0].startswith("never")
    # Disks for a day of large events.
    assert row(text, "brokers, hosts") == ["13", "13", "1,296", "130", "130"]
    assert "remembers 824 million windows" in text
    assert "against 1.08 million with a thousand" in re.sub(r"\s+", " ", text)


def test_the_picture_is_the_same_each_time(found: Found, tmp_path: Path) -> None:
    one, other = (draw(found.in_order, tmp_path / name) for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
    text = one.read_text()
    assert "<text" in text
    assert "285,000" in text
    assert "dc:date" not in text
