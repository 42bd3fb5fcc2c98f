"""Figures out of samples: percentiles, counters that may begin anew, values between. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import fmean
from typing import TypeVar

# Seconds and what was read then, in the order of time.
Samples = Sequence[tuple[float, float]]
Key = TypeVar("Key")


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least such a share of them does not exceed.

    It is one that was measured, never something between two.

    Args:
        values: At least one, in any order.
        share: Above 0, at most 1.
    """
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


def increase(samples: Samples) -> float:
    """By how much a counter rose from first to last; after a restart it begins at 0."""
    return sum(
        after - before if after >= before else after
        for (_, before), (_, after) in pairwise(samples)
    )


def rate(samples: Samples) -> float | None:
    """By how much a counter rose in a second; None where the samples span no time."""
    if len(samples) < 2 or samples[-1][0] <= samples[0][0]:  # noqa: PLR2004 - a span has two ends
        return None
    return increase(samples) / (samples[-1][0] - samples[0][0])


def at(samples: Samples, when: float) -> float:
    """What would have been read at a moment, on the line between the samples around it.

    Raises:
        ValueError: The moment is before the first or behind the last.
    """
    for (before, value), (after, then) in pairwise(samples):
        if before <= when <= after:
            part = (when - before) / (after - before) if after > before else 0.0
            return value + (then - value) * part
    raise ValueError(f"Nothing was read around {when:.1f}.")


def within(samples: Samples, begin: float, end: float) -> list[tuple[float, float]]:
    """The samples from one moment to another."""
    return [(when, value) for when, value in samples if begin <= when <= end]


def thirds(samples: Samples) -> tuple[float, float]:
    """The means of the first and of the last third, each of one sample at least.

    Raises:
        ValueError: There is no sample.
    """
    if not samples:
        raise ValueError("There is no sample.")
    values = [value for _, value in samples]
    part = max(1, len(values) // 3)
    return fmean(values[:part]), fmean(values[-part:])


def risen(before: Mapping[Key, float], after: Mapping[Key, float]) -> dict[Key, float]:
    """By how much each counter rose; what is new, or has begun anew, did so from 0."""
    return {
        key: value - before.get(key, 0.0) if value >= before.get(key, 0.0) else value
        for key, value in after.items()
    }
