"""The ledger: for every partition, outcome and hour, how many offsets ended there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from flink_job.domain.outcome import Outcome

HOUR_MS = 3_600_000


class LedgerKey(NamedTuple):
    """Where an entry belongs; hour is its start, ms since the epoch.

    The hour is the window's for counted events, so that it can be held against the windows of
    that hour, and the append time's for all others.
    """

    topic: str
    partition: int
    outcome: Outcome
    hour: int


@dataclass(frozen=True, slots=True)
class Entry:
    """Offsets with one outcome: how many, the lowest and the highest."""

    events: int
    first_offset: int
    last_offset: int

    def plus(self, offset: int) -> Entry:
        """This entry and one offset more."""
        return Entry(self.events + 1, min(self.first_offset, offset), max(self.last_offset, offset))


def hour_of(time: int) -> int:
    """The start of the hour (ms) that a time (ms) falls into, also before 1970."""
    return time - time % HOUR_MS


def first_offsets(ledger: Mapping[LedgerKey, Entry]) -> dict[tuple[str, int], int]:
    """The lowest offset of each topic and partition that has an outcome."""
    first: dict[tuple[str, int], int] = {}
    for key, entry in ledger.items():
        partition = key.topic, key.partition
        first[partition] = min(first.get(partition, entry.first_offset), entry.first_offset)
    return first


def missing_offsets(ledger: Mapping[LedgerKey, Entry]) -> dict[tuple[str, int], int]:
    """Offsets between a partition's first and last that have no outcome; 0 is conservation.

    Below zero, offsets were counted more than once.
    """
    partitions: dict[tuple[str, int], list[Entry]] = {}
    for key, entry in ledger.items():
        partitions.setdefault((key.topic, key.partition), []).append(entry)
    return {
        partition: _span(entries) - _events(entries) for partition, entries in partitions.items()
    }


def _span(entries: Iterable[Entry]) -> int:
    entries = list(entries)
    return max(e.last_offset for e in entries) - min(e.first_offset for e in entries) + 1


def _events(entries: Iterable[Entry]) -> int:
    return sum(entry.events for entry in entries)
