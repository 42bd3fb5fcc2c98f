"""A run is told as it was measured, held against those before it, and drawn the same each time."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from loadtest.benchmark.about import About
from loadtest.benchmark.charts import COLOURS, INK, OTHERS, draw
from loadtest.benchmark.drain import Backlog, drained
from loadtest.benchmark.goals import HELD, MISSED, UNMEASURED, goals
from loadtest.benchmark.history import KEPT, HistoryError, compared, read, write
from loadtest.benchmark.page import page
from loadtest.benchmark.result import Drain, Failure, Latency, Run, Step
from loadtest.benchmark.step import Wanted, measured
from tests.unit.benched import BROKEN, LAW, FakeLab

ABOUT = About("AMD EPYC", 2, 24, "6.1.0", "Debian GNU/Linux 12 (bookworm)")
WHITE, BLACK = "#ffffff", "#0d1117"


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    found = []
    for rate in (1_000, 50_000, 100_000):
        lab = FakeLab()
        found.append(measured(lab, Wanted(rate, 60, 10), lab.time.clock()))
    return found


@pytest.fixture(scope="module")
def drain() -> Drain:
    lab = FakeLab(counts=100_000)
    return drained(lab, Backlog(events=1_500_000, rate=150_000), lab.time.clock())


@pytest.fixture
def run(steps: list[Step], drain: Drain) -> Run:
    versions = {"Kafka": "4.3.1", "Flink": "2.3.0"}
    return Run(
        began="2026-11-27 18:00:00",
        command="make benchmark",
        commit="abc1234",
        about=ABOUT,
        versions=versions,
        load="1,000 products",
        steps=list(steps),
        drain=drain,
        took_s=900.0,
    )


def with_p99(step: Step, p99: float) -> Step:
    return replace(step, latency=Latency(600, 0.2, 0.3, p99, 1.0))


def row(text: str, name: str) -> list[str]:
    found, *_ = re.findall(rf"^\| {re.escape(name)} \| (.*) \|$", text, re.MULTILINE)
    return [cell.strip() for cell in str(found).split("|")]


def told(run: Run) -> str:
    return page(run, compared(run, []), [("images/benchmark-cpu.svg", "Cores")])


def test_a_run_goes_to_json_and_back(run: Run) -> None:
    run.failures.append(Failure("10,000 events/s", "why"))
    assert Run.of(json.loads(json.dumps(run.told()))) == run


def test_a_page_tells_steps_side_by_side(run: Run) -> None:
    text = told(run)
    assert "`make benchmark` has made this page" in text
    assert "commit abc1234, in 15 minutes" in text
    counted = [float(cell.replace(",", "")) for cell in row(text, "events counted a second")]
    assert counted == pytest.approx([1_000, 50_000, 100_000], rel=0.01)
    assert row(text, "p99, s") == ["0.25", "0.25", "0.25"]
    assert row(text, "backpressure") == ["30%"] * 3
    assert row(text, "the largest, MB") == ["7.0"] * 3
    assert row(text, "unexplained events afterwards") == ["0"] * 3
    assert "| flink-taskmanager | 0.00 (4.00) | 0.20 (4.00) | 0.40 (4.00) |" in text
    assert "## A backlog" in text
    assert "![Cores](images/benchmark-cpu.svg)" in text
    assert "## What went wrong" not in text
    assert "fewer than 3 earlier runs" in text
    assert max(len(line) for line in text.splitlines()) < 400


def test_goals_are_told_as_held_as_missed_or_as_not_measured(run: Run) -> None:
    by_goal = {goal: (measured, held) for goal, _, measured, held in goals(run)}
    assert by_goal["event to row, p99, at 100,000 events/s"] == ("0.25 s", HELD)
    assert by_goal["CPU of the TaskManagers, at 100,000 events/s"][1] == HELD
    assert by_goal["conservation, after each part"] == ("unexplained 0 after 4 of 4", HELD)
    run.steps = [with_p99(run.steps[1], 0.41)]
    run.drain = None
    by_goal = {goal: (measured, held) for goal, _, measured, held in goals(run)}
    assert by_goal["event to row, p99, at 50,000 events/s"] == ("0.41 s", MISSED)
    assert by_goal["event to row, p99, at 100,000 events/s"] == ("-", UNMEASURED)
    run.steps = [replace(run.steps[0], law=BROKEN, latency=None, counted_per_s=40_000.0)]
    by_goal = {goal: (measured, held) for goal, _, measured, held in goals(run)}
    assert by_goal["conservation, after each part"] == ("unexplained 1 after 1 of 1", MISSED)
    assert by_goal["event to row, p99, at 50,000 events/s"] == ("-", UNMEASURED)
    assert by_goal["50,000 events/s for 60 s"] == ("40,000 a second, lag flat", MISSED)
    assert run.unlawful == ["50,000 events/s"]
    run.steps = [*run.steps, replace(run.steps[0], law=None)]
    run.steps[0] = replace(run.steps[0], law=LAW)
    assert goals(run)[-1][2:] == ("unexplained 0 after 1 of 2", UNMEASURED)
    run.steps = []
    assert goals(run)[-1][2:] == ("-", UNMEASURED)


def test_what_went_wrong_is_told_and_what_is_missing_has_a_dash(run: Run) -> None:
    run.failures.append(Failure("10,000 events/s", "load.yml: there is no worker."))
    run.steps[0] = replace(
        run.steps[0],
        latency=None,
        rows_per_s=None,
        backpressure=None,
        law=None,
        problems=["Prometheus does not answer."],
        checkpoints=replace(run.steps[0].checkpoints, median_s=None, longest_s=None, largest=None),
    )
    text = told(run)
    assert "- 10,000 events/s: load.yml: there is no worker." in text
    assert "- 1,000 events/s: Prometheus does not answer." in text
    for name in ("p50, s", "rows into ClickHouse a second", "backpressure", "the largest, MB"):
        cells = row(text, name.replace("p50, s", "event to row, p50, s"))
        assert cells[0] == "-"
        assert cells[1] != "-"
    assert row(text, "their duration, median and longest, s")[0] == "-, -"


def test_a_run_of_nothing_is_a_page_all_the_same(run: Run) -> None:
    run.steps, run.drain, run.took_s = [], None, None
    assert "## Steps" not in told(run)


def earlier(run: Run, *p99s: float) -> list[Run]:
    return [
        replace(run, began=f"2026-11-0{day} 00:00:00", steps=[with_p99(run.steps[2], p99)])
        for day, p99 in enumerate(p99s, 1)
    ]


def worse(run: Run, p99: float, past: list[Run]) -> list[str]:
    now = replace(run, steps=[with_p99(run.steps[2], p99)])
    return [one.name for one in compared(now, past).worse]


def test_a_figure_is_worse_if_it_differs_by_more_than_three_runs_do(run: Run) -> None:
    past = earlier(run, 0.30, 0.40, 0.35)
    assert worse(run, 0.44, past) == []
    assert worse(run, 0.46, past) == ["100,000 events/s for 60 s, event to row p99"]
    assert worse(run, 0.10, past) == []
    # Of more runs only the last three are noise.
    assert worse(run, 0.44, earlier(run, 0.9, 0.35, 0.36, 0.35)) != []


def test_what_is_below_the_resolution_is_no_difference(run: Run) -> None:
    assert worse(run, 0.35, earlier(run, 0.30, 0.30, 0.30)) == []
    assert worse(run, 0.36, earlier(run, 0.30, 0.30, 0.30)) != []


def test_fewer_than_three_runs_and_other_machines_are_no_measure(run: Run) -> None:
    assert worse(run, 9.0, earlier(run, 0.3, 0.3)) == []
    other = replace(ABOUT, cores=64)
    past = [replace(one, about=other) for one in earlier(run, 0.3, 0.3, 0.3)]
    assert worse(run, 9.0, past) == []
    longer = [
        replace(one, steps=[replace(one.steps[0], seconds=180)])
        for one in earlier(run, 0.3, 0.3, 0.3)
    ]
    assert worse(run, 9.0, longer) == []


def test_of_some_figures_more_is_better(run: Run) -> None:
    past = [replace(run, began=f"2026-11-0{day}") for day in (1, 2, 3)]
    assert run.drain is not None
    slow = replace(run, drain=replace(run.drain, events_per_s=run.drain.events_per_s * 0.9))
    assert [one.name for one in compared(slow, past).worse] == [
        "backlog of 2 million, events counted"
    ]
    fast = replace(run, drain=replace(run.drain, events_per_s=run.drain.events_per_s * 1.1))
    comparison = compared(fast, past)
    assert comparison.worse == []
    assert "is worse than before by more than the noise" in page(fast, comparison, [])
    text = page(slow, compared(slow, past), [])
    assert "- **worse**: backlog of 2 million, events counted:" in text


def test_of_each_kind_of_machine_the_newest_runs_are_kept(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "docs" / "benchmarks.json"
    assert read(file) == []
    runs = [replace(run, began=f"2026-11-{day:02d}") for day in range(1, 9)]
    other = replace(run, about=replace(ABOUT, cores=64), began="2026-10-01")
    write(file, [other, *runs])
    kept = read(file)
    assert [one.began for one in kept] == ["2026-10-01", *(one.began for one in runs[-KEPT:])]
    write(file, kept)
    assert read(file) == kept
    assert [one.name for one in file.parent.iterdir()] == ["benchmarks.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"runs": [{}]}', '{"runs": [{"began": 1}]}'])
def test_a_file_that_is_no_history_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "benchmarks.json"
    file.write_text(text)
    with pytest.raises(HistoryError, match="cannot be read as runs"):
        read(file)


def test_pictures_are_the_same_for_the_same_run(run: Run, tmp_path: Path) -> None:
    first = draw(run, tmp_path / "one")
    second = draw(run, tmp_path / "two")
    names = ["latency", "cpu", "cost", "drain"]
    assert [file.name for file, _ in first] == [f"benchmark-{name}.svg" for name in names]
    for (one, _), (other, _) in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
        ET.parse(one)  # noqa: S314 - drawn here
        assert "100,000" in one.read_text() or "drain" in one.name


def test_pictures_have_no_ground_of_their_own_and_no_date(run: Run, tmp_path: Path) -> None:
    for file, _ in draw(run, tmp_path):
        text = file.read_text()
        assert "dc:date" not in text
        assert "#ffffff" not in text.split("</metadata>")[1].split("<text")[0]
        assert "<text" in text


def test_what_was_not_measured_is_not_drawn(run: Run, tmp_path: Path) -> None:
    run.steps, run.drain = [replace(run.steps[0], latency=None)], None
    assert [file.name for file, _ in draw(run, tmp_path)] == [
        "benchmark-cpu.svg",
        "benchmark-cost.svg",
    ]


@pytest.mark.parametrize("colour", [INK, OTHERS, *COLOURS])
@pytest.mark.parametrize("ground", [WHITE, BLACK])
def test_colours_stand_out_on_white_and_on_black(colour: str, ground: str) -> None:
    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3


def luminance(colour: str) -> float:
    """Relative, as the guidelines for readable pages have it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear: Callable[[float], float] = lambda one: (  # noqa: E731
        one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4
    )
    red, green, blue = (linear(one) for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
