"""Earlier runs, and what has become worse since by more than runs differ by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtest.benchmark.result import Drain, Run, Step

KEPT = 5
RUNS_FOR_NOISE = 3
# What is looked for every 50 ms differs by that much without a reason, others by a hundredth.
LATENCY_RESOLUTION_S, RESOLUTION = 0.05, 0.01


class HistoryError(Exception):
    """The file of earlier runs cannot be used; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that runs are compared by.

    Attributes:
        name: For people, the same in all runs.
        value: It.
        unit: Of it.
        resolution: What it differs by without a reason.
        more_is_better: Otherwise less is.
    """

    name: str
    value: float
    unit: str
    resolution: float
    more_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Worse:
    """A figure that has become worse.

    Attributes:
        name: Of the figure.
        unit: Of it.
        was: In the run before.
        now: In this one.
        noise: By how much the three runs before differ.
    """

    name: str
    unit: str
    was: float
    now: float
    noise: float

    def __str__(self) -> str:
        """For the reader."""
        return (
            f"{self.name}: {self.now:,.4g} {self.unit}, and {self.was:,.4g} in the run before; the "
            f"three runs before differ by {self.noise:,.2g}"
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run held against those before it.

    Attributes:
        worse: What has become worse.
        held: How many figures were held against three runs.
        unheld: How many could not be, as there are too few runs with them.
    """

    worse: list[Worse]
    held: int
    unheld: int


def figures(run: Run) -> list[Figure]:
    """The figures that a run is compared by; names say all that must be the same for that."""
    found = [one for step in run.steps for one in _of_step(step)]
    return found + (_of_drain(run.drain) if run.drain else [])


def compared(run: Run, earlier: Sequence[Run]) -> Comparison:
    """Hold a run against earlier ones on machines of its kind, the newest of them last."""
    before = [
        {one.name: one for one in figures(other)}
        for other in earlier
        if other.about.kind == run.about.kind and other.began < run.began
    ]
    worse, held, unheld = [], 0, 0
    for figure in figures(run):
        past = [one[figure.name].value for one in before if figure.name in one][-RUNS_FOR_NOISE:]
        if len(past) < RUNS_FOR_NOISE:
            unheld += 1
            continue
        held += 1
        noise = max(max(past) - min(past), figure.resolution)
        change = figure.value - past[-1]
        if (-change if figure.more_is_better else change) > noise:
            worse.append(Worse(figure.name, figure.unit, past[-1], figure.value, noise))
    return Comparison(worse, held, unheld)


def read(file: Path) -> list[Run]:
    """The runs of a file, the newest last; none where there is no such file.

    Raises:
        HistoryError: It is not one of this program's.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return sorted((Run.of(one) for one in told["runs"]), key=lambda run: run.began)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, LookupError) as problem:
        raise HistoryError(
            f"{file} cannot be read as runs of this program ({problem}): put it away."
        ) from problem


def write(file: Path, runs: Iterable[Run]) -> None:
    """Keep runs, of each kind of machine the newest ones, in one step."""
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: run.began, reverse=True):
        if sum(other.about.kind == run.about.kind for other in kept) < KEPT:
            kept.insert(0, run)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    text = json.dumps({"runs": [run.told() for run in kept]}, indent=1)
    new.write_text(f"{text}\n", encoding="utf-8")
    new.replace(file)


def _of_step(step: Step) -> list[Figure]:
    name = f"{step.name} for {step.seconds} s"
    found = [
        _relative(f"{name}, events counted", step.counted_per_s, "a second", more_is_better=True),
        _relative(f"{name}, CPU of TaskManagers", step.cost.us_taskmanager, "us an event"),
        _relative(f"{name}, CPU of all", step.cost.us, "us an event"),
    ]
    if step.latency is not None:
        latencies = {
            "p50": step.latency.p50_s,
            "p95": step.latency.p95_s,
            "p99": step.latency.p99_s,
        }
        found += [
            Figure(f"{name}, event to row {which}", value, "s", LATENCY_RESOLUTION_S)
            for which, value in latencies.items()
        ]
    return found


def _of_drain(drain: Drain) -> list[Figure]:
    # A backlog is rarely the same to the event.
    name = f"backlog of {round(drain.events, -6) // 10**6} million"
    return [
        _relative(f"{name}, events counted", drain.events_per_s, "a second", more_is_better=True),
        _relative(f"{name}, CPU of TaskManagers", drain.cost.us_taskmanager, "us an event"),
    ]


def _relative(name: str, value: float, unit: str, *, more_is_better: bool = False) -> Figure:
    return Figure(name, value, unit, abs(value) * RESOLUTION, more_is_better)
