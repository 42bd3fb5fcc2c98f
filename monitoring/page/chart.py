"""A chart as shapes of an SVG: the rate as a line, impressions as bars below it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flink_job.domain import Counts
from monitoring.page.tables import Series

WIDTH, HEIGHT = 10, 100  # of a step, and of the whole
BARS = 32  # of the height
STEPS = (1, 1.5, 2, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True)
class Bar:
    """Impressions of one step.

    Attributes:
        x: Its left side.
        y: Its upper side.
        height: Down to the ground.
        start: Start of the step, in seconds since the epoch.
        counts: What was counted in it.
    """

    x: int
    y: float
    height: float
    start: int
    counts: Counts


@dataclass(frozen=True, slots=True)
class Chart:
    """Shapes in a box of `width` times `HEIGHT`.

    Attributes:
        width: Of the box.
        line: The rate as the data of a path, with gaps where there were no impressions.
        bars: Steps in which something was counted.
        top: The rate at the upper side.
        first: The first second.
        end: The second behind the last.
    """

    width: int
    line: str
    bars: tuple[Bar, ...]
    top: float
    first: int
    end: int

    @property
    def middle(self) -> int:
        """The second half way."""
        return (self.first + self.end) // 2


def chart(series: Series, first: int, end: int, step: int) -> Chart:
    """Draw what was counted.

    Args:
        series: By the start of each step.
        first: The first second, the start of a step.
        end: The second behind the last step.
        step: Length of a step, in seconds.
    """
    shown = [(start, series.get(start, Counts())) for start in range(first, end, step)]
    top = _round_above(max((counts.ctr or 0.0 for _, counts in shown), default=0.0))
    most = max((counts.impressions for _, counts in shown), default=0) or 1
    return Chart(
        width=WIDTH * len(shown),
        line=_line([counts.ctr for _, counts in shown], top),
        bars=tuple(
            _bar(number * WIDTH, start, counts, BARS * counts.impressions / most)
            for number, (start, counts) in enumerate(shown)
            if counts != Counts()
        ),
        top=top,
        first=first,
        end=end,
    )


def _bar(x: int, start: int, counts: Counts, height: float) -> Bar:
    return Bar(x, round(HEIGHT - height, 1), round(height, 1), start, counts)


def _line(rates: list[float | None], top: float) -> str:
    path, drawing = "", False
    for number, rate in enumerate(rates):
        if rate is None:
            drawing = False
            continue
        x, y = number * WIDTH + WIDTH // 2, round(HEIGHT - HEIGHT * rate / top, 1)
        # A point alone is a line to itself, which round ends make visible.
        path += f"L{x} {y:g}" if drawing else f"M{x} {y:g}h0"
        drawing = True
    return path


def _round_above(rate: float) -> float:
    """The next round number, so that an axis reads well and rarely jumps."""
    if rate <= 0:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(rate))
    return next(step * magnitude for step in STEPS if rate <= step * magnitude * (1 + 1e-9))
