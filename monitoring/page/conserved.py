"""The first law as the page tells it: what the ledger explains, and what is under way. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from flink_job.audit.law import Ledger, Offsets, Partition, accounts
from flink_job.domain import Outcome

# A ledger that is looked at while events flow lacks some of them for a moment.
LOOKS_WITHIN_S = 65.0


@dataclass(frozen=True, slots=True)
class Conservation:
    """Messages of the input, up to the last one that the ledger knows.

    Attributes:
        counted: Those in the windows.
        rejected: Those that were not valid.
        late: Those that came too late.
        unexplained: Offsets without an outcome, or with more than one, that stayed so for a while.
        unsettled: Offsets without an outcome at this moment.
        waiting: Offsets in Kafka that the ledger does not reach; None where Kafka is not known.
    """

    counted: int
    rejected: int
    late: int
    unexplained: int
    unsettled: int
    waiting: int | None

    @property
    def consumed(self) -> int:
        """All of them; what is unsettled is not consumed yet."""
        return self.counted + self.rejected + self.late + self.unexplained


@dataclass(slots=True)
class Looks:
    """What did not add up when the ledger was looked at of late, by partition.

    An event under way is missing in some looks, a lost one in all.
    """

    _gaps: deque[tuple[float, dict[Partition, int]]] = field(default_factory=deque)

    def take(self, at: float, ledger: Ledger) -> int:
        """Take a look; how many offsets were unexplained in every one of late.

        Args:
            at: When, in seconds.
            ledger: The ledger then.
        """
        self._gaps.append((at, gaps(ledger)))
        while self._gaps[0][0] < at - LOOKS_WITHIN_S:
            self._gaps.popleft()
        return sum(
            min(abs(looked.get(partition, 0)) for _, looked in self._gaps)
            for partition in self._gaps[-1][1]
        )


def gaps(ledger: Ledger) -> dict[Partition, int]:
    """Of each partition the offsets without an outcome; below zero, some have more than one."""
    return {place: account.gap for place, account in accounts(_reach(ledger), ledger).items()}


def conservation(ledger: Ledger, unexplained: int, offsets: Offsets | None) -> Conservation:
    """The first law, now.

    Args:
        ledger: The ledger.
        unexplained: What stayed unexplained for a while.
        offsets: First and end offset of the partitions in Kafka; None where they are not known.
    """
    outcomes: Counter[Outcome] = Counter()
    for key, entry in ledger.items():
        outcomes[key.outcome] += entry.events
    counted, late = outcomes[Outcome.COUNTED], outcomes[Outcome.LATE]
    return Conservation(
        counted=counted,
        rejected=outcomes.total() - counted - late,
        late=late,
        unexplained=unexplained,
        unsettled=max(0, sum(abs(gap) for gap in gaps(ledger).values()) - unexplained),
        waiting=None if offsets is None else _waiting(_reach(ledger), offsets),
    )


def _reach(ledger: Ledger) -> dict[Partition, tuple[int, int]]:
    """The first offset of each partition that has an outcome, and the one behind the last."""
    reach: dict[Partition, tuple[int, int]] = {}
    for key, entry in ledger.items():
        place = key.topic, key.partition
        first, end = reach.get(place, (entry.first_offset, 0))
        reach[place] = min(first, entry.first_offset), max(end, entry.last_offset + 1)
    return reach


def _waiting(reach: Mapping[Partition, tuple[int, int]], offsets: Offsets) -> int:
    return sum(
        max(0, end - max(begin, reach.get(place, (0, 0))[1]))
        for place, (begin, end) in offsets.items()
    )
