"""What the workers of a run have counted: what they made, and what became of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flink_job.domain import Outcome
from loadtest.supply import DISORDERED, GOOD, TOPICS

# Times to an acknowledgement are kept to the millisecond, and from a second on to ten.
FINE_MS, COARSE_MS = 1_000, 10
HELD_FOR_S = 10


@dataclass(slots=True)
class Figures:
    """Counts that grow while a run goes on.

    Attributes:
        made: Events by topic and kind, as a supply has them.
        acknowledged: Events that Kafka has, by topic.
        failed: Events that are not in Kafka, by topic.
        seconds: Acknowledged events by the second of their acknowledgement, since the epoch.
        took_ms: Acknowledged events by how long the last of their batch took to be so.
    """

    made: Counter[tuple[str, str]] = field(default_factory=Counter)
    acknowledged: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    seconds: Counter[int] = field(default_factory=Counter)
    took_ms: Counter[int] = field(default_factory=Counter)

    def arrived(self, topic: str, count: int, took_s: float, now: float) -> None:
        """Book events that Kafka has acknowledged.

        Args:
            topic: Where they are.
            count: How many.
            took_s: How long the last of them took.
            now: Seconds since the epoch.
        """
        took = round(took_s * 1_000)
        self.acknowledged[topic] += count
        self.seconds[int(now)] += count
        self.took_ms[took if took < FINE_MS else took // COARSE_MS * COARSE_MS] += count

    def add(self, other: Figures) -> None:
        """Take over what somebody else has counted."""
        self.made.update(other.made)
        self.acknowledged.update(other.acknowledged)
        self.failed.update(other.failed)
        self.seconds.update(other.seconds)
        self.took_ms.update(other.took_ms)

    def clear(self) -> None:
        """Begin anew."""
        for counts in (self.made, self.acknowledged, self.failed, self.seconds, self.took_ms):
            counts.clear()

    def told(self) -> dict[str, Any]:
        """As a message to the master has it."""
        return {
            "made": [[topic, kind, count] for (topic, kind), count in self.made.items()],
            "acknowledged": dict(self.acknowledged),
            "failed": dict(self.failed),
            "seconds": list(self.seconds.items()),
            "took_ms": list(self.took_ms.items()),
        }

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Figures:
        """Read what `told` gives."""
        return cls(
            made=Counter({(topic, kind): count for topic, kind, count in told["made"]}),
            acknowledged=Counter(told["acknowledged"]),
            failed=Counter(told["failed"]),
            seconds=Counter(dict(told["seconds"])),
            took_ms=Counter(dict(told["took_ms"])),
        )

    @property
    def booked(self) -> int:
        """Events of which is known what became of them."""
        return self.acknowledged.total() + self.failed.total()

    @property
    def underway(self) -> int:
        """Events of which nobody knows."""
        return self.made.total() - self.booked

    def outcomes(self) -> dict[str, dict[str, int]]:
        """Events by topic and the outcome that each must have in the ledger."""
        found = {topic: Counter[str]() for topic in TOPICS}
        for (topic, kind), count in self.made.items():
            counted = kind in {GOOD, DISORDERED}
            found[topic][Outcome.COUNTED if counted else Outcome(kind)] += count
        return {
            topic: {outcome.value: counts[outcome] for outcome in Outcome if counts[outcome]}
            for topic, counts in found.items()
        }

    def took_within_ms(self, share: float) -> int | None:
        """Milliseconds within which this share of the events was acknowledged; None without any."""
        wanted, reached = share * self.took_ms.total(), 0
        for took in sorted(self.took_ms):
            reached += self.took_ms[took]
            if reached >= wanted:
                return took
        return None

    def held(self) -> float | None:
        """The highest rate that was acknowledged for ten whole seconds on end; None if none was."""
        if not self.seconds:
            return None
        first, last = min(self.seconds), max(self.seconds)
        # The last second was cut short.
        windows = range(first, last - HELD_FOR_S + 1)
        return max(
            (
                sum(self.seconds[second] for second in range(start, start + HELD_FOR_S))
                / HELD_FOR_S
                for start in windows
            ),
            default=None,
        )
