"""Numbers and times as people read them. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from monitoring.page.visible import visible

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
UNITS = ((DAY_S, "d"), (HOUR_S, "h"), (MINUTE_S, "min"))


def percent(share: float | None) -> str:
    """A share of one; a dash where there is none."""
    return "\N{EN DASH}" if share is None else f"{100 * share:.2f} %"


def axis(share: float) -> str:
    """A share on an axis: no more digits than it needs."""
    return f"{100 * share:.4g} %"


def count(number: int) -> str:
    """A whole number, by thousands."""
    return f"{number:,}"


def share_of(part: int, whole: int) -> float | None:
    """A part of a whole; None where there is no whole."""
    return part / whole if whole else None


def ago(seconds: float) -> str:
    """A span of time in its largest unit."""
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def clock(seconds: int) -> str:
    """The time of day in UTC, of seconds since the epoch."""
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"


def day_and_clock(seconds: int) -> str:
    """The same with its day, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def iso(seconds: float) -> str:
    """A time as machines read it."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


FILTERS: dict[str, Callable[..., Any]] = {
    "percent": percent,
    "axis": axis,
    "count": count,
    "share_of": share_of,
    "ago": ago,
    "clock": clock,
    "day_and_clock": day_and_clock,
    "iso": iso,
    "visible": visible,
}
