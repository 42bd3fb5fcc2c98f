"""docs/benchmarks.md, out of one run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from loadtest.benchmark.goals import goals
from loadtest.benchmark.history import RUNS_FOR_NOISE, Comparison
from loadtest.benchmark.result import Drain, Run, Step

NONE = "-"
# Components that cost less of a core in every step are told together.
SMALL_CORES, SMALL_MB = 0.01, 20.0
OTHERS = "others"
MB = 2**20

# The same for every run.
HOW = Path(__file__).with_name("how.md").read_text(encoding="utf-8")


def page(run: Run, comparison: Comparison, pictures: Sequence[tuple[str, str]]) -> str:
    """The page.

    Args:
        run: What is told.
        comparison: With earlier runs.
        pictures: Of each its path from the page, and what it shows.
    """
    made = (
        f"`{run.command}` has made this page, its pictures and benchmarks.json, on {run.began} "
        f"(UTC), commit {run.commit}{_took(run)}. The figures are of one run on one machine, which "
        "made the load, too; machines differ and are noisy, so read the ratios.\n"
    )
    parts = [
        "# Benchmarks\n",
        made,
        _failures(run),
        _worse(comparison),
        "## Goals\n",
        table(("goal", "wanted", "measured", ""), goals(run), numbers=False),
        "## The machine\n",
        table(("", ""), _machine(run), numbers=False),
        *(_steps(run.steps) if run.steps else ()),
        *(_drain(run.drain) if run.drain else ()),
        *(f"![{shows}]({path})\n" for path, shows in pictures),
        HOW,
    ]
    return "\n".join(part for part in parts if part)


def _took(run: Run) -> str:
    return "" if run.took_s is None else f", in {run.took_s / 60:.0f} minutes"


def _failures(run: Run) -> str:
    problems = [(one.part, one.why) for one in run.failures]
    problems += [(one.name, why) for one in run.parts for why in one.problems]
    if not problems:
        return ""
    return "## What went wrong\n\n" + "".join(f"- {part}: {why}\n" for part, why in problems)


def _worse(comparison: Comparison) -> str:
    if comparison.worse:
        listed = "".join(f"- **worse**: {one}\n" for one in comparison.worse)
        return f"## Worse than before\n\n{listed}"
    if not comparison.held:
        return (
            "Nothing is told to be worse than before, as fewer than "
            f"{RUNS_FOR_NOISE} earlier runs on such a machine are known.\n"
        )
    return f"None of {comparison.held} figures is worse than before by more than the noise.\n"


def _machine(run: Run) -> list[tuple[str, str]]:
    about = run.about
    return [
        ("processor", f"{about.processor}, {about.cores} cores"),
        ("memory", f"{about.memory_gb} GB"),
        ("system", f"{about.system}, Linux {about.kernel}"),
        *run.versions.items(),
        ("load", run.load),
    ]


def _steps(steps: Sequence[Step]) -> list[str]:
    heads = ("", *(f"{one.name}, {one.seconds} s" for one in steps))
    rows: tuple[tuple[str, Callable[[Step], str]], ...] = (
        ("events into Kafka a second", lambda one: f"{one.events_per_s:,.0f}"),
        ("events counted a second", lambda one: f"{one.counted_per_s:,.0f}"),
        ("rows into ClickHouse a second", lambda one: _number(one.rows_per_s, ",.0f")),
        ("event to row, p50, s", lambda one: _latency(one, "p50_s")),
        ("p95, s", lambda one: _latency(one, "p95_s")),
        ("p99, s", lambda one: _latency(one, "p99_s")),
        ("max, s", lambda one: _latency(one, "max_s")),
        ("of so many events", lambda one: str(one.latency.samples) if one.latency else NONE),
        ("CPU of TaskManagers, us an event", lambda one: f"{one.cost.us_taskmanager:,.2f}"),
        ("CPU of the whole lab, us an event", lambda one: f"{one.cost.us:,.2f}"),
        ("of which the probe's process", lambda one: f"{one.probe_us:,.2f}"),
        ("CPU of the whole lab, cores", lambda one: f"{sum(one.cost.hosts.values()):.2f}"),
        ("CPU of the whole machine, cores", lambda one: f"{one.cost.machine:.2f}"),
        ("taken by the machine's own host, cores", lambda one: f"{one.cost.stolen:.2f}"),
        ("backpressure", lambda one: _number(one.backpressure, ".0%")),
        ("busy", lambda one: _number(one.busy, ".0%")),
        ("checkpoints, of which failed", _checkpoints),
        ("their duration, median and longest, s", _durations),
        ("the largest, MB", _largest),
        ("lag, first third, events", lambda one: f"{one.lag.first:,.0f}"),
        ("last third", lambda one: f"{one.lag.last:,.0f}"),
        ("at the end", lambda one: f"{one.lag.end:,.0f}"),
        (
            "unexplained events afterwards",
            lambda one: str(one.law.unexplained) if one.law else NONE,
        ),
    )
    return [
        "## Steps\n",
        table(heads, [(name, *(cell(one) for one in steps)) for name, cell in rows]),
        "### CPU by component, cores (us an event)\n",
        table(heads, _components(steps)),
        "### CPU by host, cores\n",
        table(heads, _by_name([one.cost.hosts for one in steps], ".2f", 0.0)),
        "### Memory by component, MB\n",
        table(heads, _by_name([one.memory_mb for one in steps], ",.0f", SMALL_MB)),
    ]


def _components(steps: Sequence[Step]) -> list[tuple[str, ...]]:
    def cell(step: Step, cores: float) -> str:
        return f"{cores:.2f} ({cores / max(step.counted_per_s, 1.0) * 1e6:,.2f})"

    return [
        (name, *(cell(step, value) for step, value in zip(steps, values, strict=True)))
        for name, values in _aligned([one.cost.components for one in steps], SMALL_CORES)
    ]


def _by_name(
    values: Sequence[Mapping[str, float]], form: str, small: float
) -> list[tuple[str, ...]]:
    return [(name, *(format(one, form) for one in row)) for name, row in _aligned(values, small)]


def _aligned(values: Sequence[Mapping[str, float]], small: float) -> list[tuple[str, list[float]]]:
    """The values by name, the largest of the last first; those that are always small together."""
    names = dict.fromkeys(name for one in reversed(values) for name in one)
    rows = {name: [one.get(name, 0.0) for one in values] for name in names}
    large = [(name, row) for name, row in rows.items() if max(row) >= small]
    little = [row for row in rows.values() if max(row) < small]
    if little:
        large.append((OTHERS, [sum(one) for one in zip(*little, strict=True)]))
    return large


def _drain(drain: Drain) -> list[str]:
    rows = [
        ("events", f"{drain.events:,}"),
        (
            "from the start of the deployment to the first in the ledger",
            f"{drain.first_row_s:.1f} s",
        ),
        ("from then until all were", f"{drain.seconds:.1f} s"),
        ("events counted a second", f"{drain.events_per_s:,.0f}"),
        ("CPU of TaskManagers", f"{drain.cost.us_taskmanager:.2f} us an event"),
        ("CPU of the whole lab", f"{drain.cost.us:.2f} us an event"),
        ("unexplained events afterwards", str(drain.law.unexplained) if drain.law else NONE),
    ]
    told = (
        "The job was stopped with a savepoint, the load made the backlog, and the job was started "
        "from the savepoint.\n"
    )
    return ["## A backlog\n", told, table(("", ""), rows, numbers=False)]


def _latency(step: Step, which: str) -> str:
    return NONE if step.latency is None else f"{getattr(step.latency, which):.2f}"


def _checkpoints(step: Step) -> str:
    return f"{step.checkpoints.completed + step.checkpoints.failed}, {step.checkpoints.failed}"


def _durations(step: Step) -> str:
    found = (step.checkpoints.median_s, step.checkpoints.longest_s)
    return ", ".join(_number(one, ".2f") for one in found)


def _largest(step: Step) -> str:
    size = step.checkpoints.largest
    return NONE if size is None else f"{size / MB:.1f}"


def _number(value: float | None, form: str) -> str:
    return NONE if value is None else format(value, form)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: bool = True) -> str:
    """A table; columns behind the first are of numbers or of words."""
    below = "---:" if numbers else "---"
    lines = [_line(heads), "|".join(["", "---", *([below] * (len(heads) - 1)), ""])]
    return "\n".join([*lines, *(_line(row) for row in rows)]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
