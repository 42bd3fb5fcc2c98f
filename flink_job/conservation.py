"""The first law: every message ends in exactly one outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from flink_job.domain import Entry, LedgerKey, Outcome, missing_offsets


@dataclass(frozen=True, slots=True)
class Conservation:
    """The first law, by partition: too many in one do not make up for too few in another.

    Attributes:
        consumed: Messages that went in, by topic and partition.
        ledger: What became of them.
        in_windows: Impressions and clicks of all windows.
        dead_letters: Messages that were not counted, by topic, partition and reason.
    """

    consumed: Mapping[tuple[str, int], int]
    ledger: Mapping[LedgerKey, Entry]
    in_windows: int
    dead_letters: Mapping[tuple[str, int, Outcome], int]

    @property
    def unexplained(self) -> int:
        """Messages without an outcome, or with more than one."""
        return sum(abs(gap) for gap in self._gaps().values())

    def _gaps(self) -> dict[tuple[str, int], int]:
        """Messages without an outcome, by topic and partition; below zero, some have several."""
        gaps = dict(self.consumed)
        for key, entry in self.ledger.items():
            partition = key.topic, key.partition
            gaps[partition] = gaps.get(partition, 0) - entry.events
        return gaps

    def _booked(self) -> Counter[tuple[str, int, Outcome]]:
        booked: Counter[tuple[str, int, Outcome]] = Counter()
        for key, entry in self.ledger.items():
            booked[key.topic, key.partition, key.outcome] += entry.events
        return booked

    def broken(self) -> list[str]:
        """What does not add up, a sentence each; empty when the law is kept."""
        problems = []
        for (topic, number), gap in sorted(self._gaps().items()):
            place = f"{topic}/{number}"
            if gap > 0:
                problems.append(f"{gap} messages of {place} have no outcome in the ledger.")
            elif gap < 0:
                problems.append(f"{-gap} messages of {place} have more than one outcome.")
        for (topic, number), missing in sorted(missing_offsets(self.ledger).items()):
            if missing < 0:
                problems.append(
                    f"The ledger has {-missing} messages of {topic}/{number} more than offsets."
                )
        booked = self._booked()
        counted = _by_outcome(booked)[Outcome.COUNTED]
        if counted != self.in_windows:
            problems.append(
                f"The ledger says {counted} counted, but the windows hold {self.in_windows}."
            )
        for key in sorted(booked.keys() | self.dead_letters.keys()):
            topic, number, outcome = key
            letters = self.dead_letters.get(key, 0)
            if outcome is not Outcome.COUNTED and booked[key] != letters:
                problems.append(
                    f"The ledger says {booked[key]} {outcome} of {topic}/{number}, "
                    f"but there are {letters} dead letters."
                )
        return problems

    def __str__(self) -> str:
        """The line that every run ends with."""
        consumed = sum(self.consumed.values())
        return conservation_line(consumed, _by_outcome(self._booked()), self.unexplained)


def _by_outcome(booked: Mapping[tuple[str, int, Outcome], int]) -> Counter[Outcome]:
    total: Counter[Outcome] = Counter()
    for (_, _, outcome), events in booked.items():
        total[outcome] += events
    return total


def conservation_line(
    consumed: int, outcomes: Mapping[Outcome, int], unexplained: int, without_record: int = 0
) -> str:
    """The first law in a line.

    Args:
        consumed: Records.
        outcomes: Events by outcome.
        unexplained: What does not add up.
        without_record: Offsets between the records that hold none.
    """
    counted = outcomes.get(Outcome.COUNTED, 0)
    late = outcomes.get(Outcome.LATE, 0)
    rejected = sum(outcomes.values()) - counted - late
    return (
        f"conservation: consumed {consumed} = counted {counted} + rejected {rejected} "
        f"+ late {late}, unexplained {unexplained}"
        + (f"; {without_record} offsets hold no record" if without_record else "")
    )
