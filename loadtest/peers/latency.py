"""From an event to the first row that counts it, both by the broker's clock. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flink_job.domain import WindowKey
from loadtest.peers.results import Row


@dataclass(frozen=True, slots=True)
class Latency:
    """How long events took to be in a row.

    Attributes:
        p50: Milliseconds; None where more than half have not come.
        p99: Milliseconds; None where more than one in a hundred has not come.
        events: How many were waited for.
        unseen: How many of them have not come.
    """

    p50: int | None
    p99: int | None
    events: int
    unseen: int


def latency(arrivals: Mapping[WindowKey, Sequence[int]], rows: Iterable[Row]) -> Latency:
    """How long impressions took from their append to that of the first row that counts them.

    Impressions of a product stand in one partition, so that the first row with `n` of them is the
    first that counts the n-th.

    Args:
        arrivals: When the impressions of each window were appended, ms, in their order.
        rows: Rows in the order of their append.
    """
    seen: dict[WindowKey, int] = {}
    took: list[int] = []
    for row in rows:
        times = arrivals.get(row.window, ())
        first, last = seen.get(row.window, 0), min(row.counts.impressions, len(times))
        if last > first:
            took += [row.appended - time for time in times[first:last]]
            seen[row.window] = last
    events = sum(map(len, arrivals.values()))
    took.sort()
    return Latency(
        _share(took, events, 0.5), _share(took, events, 0.99), events, events - len(took)
    )


def _share(took: Sequence[int], events: int, share: float) -> int | None:
    """The time within which this share of all events had come; those unseen come last."""
    place = max(0, int(events * share + 0.999_999) - 1)
    return took[place] if place < len(took) else None
