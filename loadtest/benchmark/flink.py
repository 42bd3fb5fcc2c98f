"""What Flink tells of its checkpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

COMPLETED, FAILED = "COMPLETED", "FAILED"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint that has ended.

    Attributes:
        id: Its number, which rises.
        began: Seconds since the epoch.
        took_s: Until the last part of it was stored.
        size: Bytes of all state that it holds.
        completed: Whether it succeeded.
    """

    id: int
    began: float
    took_s: float
    size: int
    completed: bool


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """Checkpoints of a span of time.

    Attributes:
        completed: How many succeeded.
        failed: How many did not.
        median_s: How long those that succeeded took.
        longest_s: The longest of them.
        largest: Bytes of the largest.
    """

    completed: int
    failed: int
    median_s: float | None
    longest_s: float | None
    largest: int | None


def checkpoints_of(answer: Mapping[str, Any]) -> dict[int, Checkpoint]:
    """Those that have ended, of `/jobs/ID/checkpoints`, which remembers only the last ones."""
    return {
        one["id"]: Checkpoint(
            one["id"],
            one["trigger_timestamp"] / 1_000,
            one["end_to_end_duration"] / 1_000,
            one.get("state_size", 0),
            one["status"] == COMPLETED,
        )
        for one in answer.get("history", ())
        if one["status"] in {COMPLETED, FAILED} and not one.get("is_savepoint", False)
    }


def summed(checkpoints: Iterable[Checkpoint], begin: float, end: float) -> Checkpoints:
    """Those that were begun in a span of time, together."""
    meant = [one for one in checkpoints if begin <= one.began <= end]
    good = [one for one in meant if one.completed]
    took = [one.took_s for one in good]
    return Checkpoints(
        completed=len(good),
        failed=len(meant) - len(good),
        median_s=median(took) if took else None,
        longest_s=max(took, default=None),
        largest=max((one.size for one in good), default=None),
    )
