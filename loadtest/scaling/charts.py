"""The picture of docs/scaling.md, the same for the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtest.benchmark.charts import COLOURS, INK, SETTINGS, SIZE, WIDE
from loadtest.scaling.found import Measured

NAME = "scaling.svg"
SHOWS = "Events a second and CPU an event by TaskManagers and parallelism"


def draw(measured: Sequence[Measured], folder: Path) -> Path:
    """Draw configurations side by side.

    Args:
        measured: At least one.
        folder: Of the picture, which is made.

    Returns:
        Its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / NAME
    with rc_context(SETTINGS):
        figure = Figure(figsize=SIZE, layout="constrained")
        speed, cost = figure.subplots(1, 2)
        _bars(speed, measured, [one.drain.events_per_s for one in measured], ",.0f", COLOURS[0])
        speed.set_ylabel("events/s")
        _bars(
            cost, measured, [one.drain.cost.us_taskmanager for one in measured], ".2f", COLOURS[1]
        )
        cost.set_ylabel("CPU of TaskManagers, us an event")
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return file


def _bars(
    axes: Axes, measured: Sequence[Measured], values: Sequence[float], form: str, colour: str
) -> None:
    places = range(len(measured))
    axes.bar(places, values, WIDE, color=colour)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            format(value, form),
            (place, value),
            (0, 3),
            textcoords="offset points",
            ha="center",
            color=INK,
        )
    axes.margins(y=0.15)
    axes.set_xticks(places, [str(one.configuration) for one in measured])
    axes.set_xlabel("TaskManagers x parallelism")
