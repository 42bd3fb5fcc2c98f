"""Pictures of a run: SVG to be read on white and on black, the same for the same run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.benchmark.goals import GOALS
from loadtest.benchmark.result import Drain, Run, Step

# Of middling lightness, so that each stands out on a page of either kind.
INK = "#767676"
COLOURS = ("#1f83d1", "#d95f02", "#0d9a6c", "#b0609f", "#b8860b", "#c74343", "#5f7fb8")
OTHERS = "#8a8a8a"
SIZE, WIDE = (7.0, 3.2), 0.62
SETTINGS: dict[Any, Any] = {
    # Ids of elements come of what is drawn, and texts stay texts.
    "svg.hashsalt": "ctr",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Helvetica", "Arial"],
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": INK,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def draw(run: Run, folder: Path) -> list[tuple[Path, str]]:
    """Draw what there is to be drawn.

    Args:
        run: What is drawn.
        folder: Of the pictures, which is made.

    Returns:
        Of each picture its file, and what it shows.
    """
    drawn: list[tuple[Path, str]] = []
    folder.mkdir(parents=True, exist_ok=True)

    def add(name: str, shows: str, paint: Callable[[Axes], None]) -> None:
        file = folder / f"benchmark-{name}.svg"
        with rc_context(SETTINGS):
            figure = Figure(figsize=SIZE, layout="constrained")
            axes = figure.add_subplot()
            paint(axes)
            figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
        drawn.append((file, shows))

    felt = [step for step in run.steps if step.latency is not None]
    if felt:
        add("latency", "Event to row by load", lambda axes: _latency(axes, felt))
    if run.steps:
        add("cpu", "Cores by component and load", lambda axes: _cpu(axes, run.steps))
        add(
            "cost",
            "CPU an event by load, of all and of the TaskManagers",
            lambda axes: _cost(axes, run.steps),
        )
    if run.drain is not None and run.drain.curve:
        curve = run.drain
        add("drain", "A backlog counted", lambda axes: _drain(axes, curve))
    return drawn


def _latency(axes: Axes, steps: Sequence[Step]) -> None:
    places = range(len(steps))
    for which, colour in zip(("p50_s", "p95_s", "p99_s", "max_s"), COLOURS, strict=False):
        values = [getattr(step.latency, which) for step in steps]
        axes.plot(places, values, marker="o", color=colour, label=which.removesuffix("_s"))
    label = "goal for p99"
    for place, step in enumerate(steps):
        for goal in GOALS:
            if goal.rate == step.rate and goal.unit == "s":
                ends = (place - 0.2, place + 0.2)
                axes.plot(ends, (goal.most, goal.most), color=INK, linewidth=2.5, label=label)
                label = "_"
    axes.set_ylim(bottom=0)
    axes.set_ylabel("event to row, s")
    _by_load(axes, steps)


def _cpu(axes: Axes, steps: Sequence[Step]) -> None:
    names = sorted(
        {name for step in steps for name in step.cost.components},
        key=lambda name: (-max(step.cost.components.get(name, 0.0) for step in steps), name),
    )
    shown, rest = names[: len(COLOURS)], names[len(COLOURS) :]
    bars = [(name, (name,), colour) for name, colour in zip(shown, COLOURS, strict=False)]
    below = [0.0] * len(steps)
    for label, members, colour in [*bars, ("others", tuple(rest), OTHERS)]:
        values = [sum(step.cost.components.get(name, 0.0) for name in members) for step in steps]
        axes.bar(range(len(steps)), values, WIDE, bottom=below, color=colour, label=label)
        below = [low + value for low, value in zip(below, values, strict=True)]
    axes.set_ylabel("cores")
    _by_load(axes, steps)


def _cost(axes: Axes, steps: Sequence[Step]) -> None:
    places = range(len(steps))
    lines = {
        "the whole lab, the load among it": [step.cost.us for step in steps],
        "TaskManagers": [step.cost.us_taskmanager for step in steps],
    }
    for (label, values), colour in zip(lines.items(), COLOURS, strict=False):
        axes.plot(places, values, marker="o", color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                f"{value:,.1f}", (place, value), (0, 6), textcoords="offset points", ha="center"
            )
    # At a low load an event bears all that would be done without it.
    axes.set_yscale("log")
    axes.set_ylabel("CPU an event, us")
    axes.margins(y=0.2)
    _by_load(axes, steps)


def _drain(axes: Axes, drain: Drain) -> None:
    axes.plot(
        [when for when, _ in drain.curve],
        [events / 1e6 for _, events in drain.curve],
        color=COLOURS[0],
    )
    axes.set_xlabel("s since the start of the deployment")
    axes.set_ylabel("million events in the ledger")
    axes.set_ylim(bottom=0)


def _by_load(axes: Axes, steps: Sequence[Step]) -> None:
    axes.set_xticks(range(len(steps)), [f"{step.rate:,}" for step in steps])
    axes.set_xlim(-0.6, len(steps) - 0.4)
    axes.set_xlabel("events/s")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
