"""What was counted of the canaries, and the file that keeps it over restarts."""

from __future__ import annotations

import json
import logging
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path

log = logging.getLogger(__name__)

SECONDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
# As Prometheus writes them.
BOUNDS = (*(str(float(bound)) for bound in SECONDS), "+Inf")
KAFKA, LATE = "kafka", "late"


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers that only grow.

    Attributes:
        sent: Events that were given to Kafka's client.
        failed: Events by the reason for which they have failed.
        buckets: Events by their time, those up to each of SECONDS and above the one before it;
            the last took longer than all of these.
        sum: Of all those times, in seconds.
    """

    sent: int = 0
    failed: Mapping[str, int] = field(default_factory=lambda: {KAFKA: 0, LATE: 0})
    buckets: tuple[int, ...] = (0,) * (len(SECONDS) + 1)
    sum: float = 0.0

    def with_failed(self, reason: str) -> Tally:
        """After one has failed."""
        return replace(self, failed={**self.failed, reason: self.failed[reason] + 1})

    def with_observed(self, seconds: float) -> Tally:
        """After one has taken so long."""
        place = bisect_left(SECONDS, seconds)
        buckets = (*self.buckets[:place], self.buckets[place] + 1, *self.buckets[place + 1 :])
        return replace(self, buckets=buckets, sum=self.sum + seconds)

    @property
    def up_to(self) -> list[int]:
        """Events that took each of SECONDS or less, and at last all of them."""
        return list(accumulate(self.buckets))


def keep(file: Path, tally: Tally) -> None:
    """Let the file hold this, in whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    content = {
        "sent": tally.sent,
        "failed": dict(tally.failed),
        "buckets": dict(zip(BOUNDS, tally.buckets, strict=True)),
        "sum": tally.sum,
    }
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(content), encoding="utf-8")
    beside.replace(file)


def kept(file: Path) -> Tally:
    """What the file holds; nothing without one that can be read, and that has these buckets."""
    try:
        content = json.loads(file.read_bytes())
        return Tally(
            int(content["sent"]),
            {reason: int(content["failed"][reason]) for reason in (KAFKA, LATE)},
            _buckets(content["buckets"]),
            float(content["sum"]),
        )
    except FileNotFoundError:
        return Tally()
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as problem:
        log.warning("%s cannot be read, so counting begins anew: %r", file, problem)
        return Tally()


def _buckets(numbers: Mapping[str, int]) -> tuple[int, ...]:
    if list(numbers) != list(BOUNDS):
        raise ValueError(f"buckets up to {', '.join(numbers)}")
    return tuple(int(number) for number in numbers.values())
