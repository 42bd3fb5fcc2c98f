"""The whole job in one loop: records in, windows, ledger and dead letters out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flink_job.domain.event import Record
from flink_job.domain.ledger import Entry, LedgerKey, hour_of
from flink_job.domain.outcome import Outcome, judge
from flink_job.domain.window import Counts, WindowKey, window_start


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was not counted: why, and its value as it came."""

    reason: Outcome
    payload: bytes | None


@dataclass(slots=True)
class Tables:
    """The job's state and its results, which are the same thing.

    Attributes:
        windows: Counts by product and window.
        ledger: Entries by topic, partition, outcome and hour.
        dead_letters: By topic, partition and offset.
        clocks: Event time in ms by topic and partition.
    """

    windows: dict[WindowKey, Counts] = field(default_factory=dict)
    ledger: dict[LedgerKey, Entry] = field(default_factory=dict)
    dead_letters: dict[tuple[str, int, int], DeadLetter] = field(default_factory=dict)
    clocks: dict[tuple[str, int], int | None] = field(default_factory=dict)

    def take(self, record: Record) -> Outcome:
        """Give a record its outcome and book it, in all tables at once."""
        partition = (record.topic, record.partition)
        verdict = judge(record, self.clocks.get(partition))
        self.clocks[partition] = verdict.clock

        if verdict.outcome is Outcome.COUNTED and verdict.event is not None:
            start = window_start(verdict.event.timestamp)
            window = WindowKey(verdict.event.product_id, start)
            counts = self.windows.get(window, Counts())
            self.windows[window] = counts.plus(click=verdict.event.is_click)
            hour = hour_of(start)
        else:
            letter = DeadLetter(verdict.outcome, record.value)
            self.dead_letters[(*partition, record.offset)] = letter
            hour = hour_of(record.appended)

        key = LedgerKey(*partition, verdict.outcome, hour)
        entry = self.ledger.get(key)
        once = Entry(1, record.offset, record.offset)
        self.ledger[key] = entry.plus(record.offset) if entry else once
        return verdict.outcome


def fold(records: Iterable[Record]) -> Tables:
    """The final tables of records, each partition's in the order of its offsets."""
    tables = Tables()
    for record in records:
        tables.take(record)
    return tables


def merged(shares: Iterable[Tables]) -> Tables:
    """The tables of all partitions, from tables of some partitions each."""
    whole = Tables()
    for share in shares:
        for window, counts in share.windows.items():
            whole.windows[window] = whole.windows.get(window, Counts()) + counts
        whole.ledger |= share.ledger
        whole.dead_letters |= share.dead_letters
        whole.clocks |= share.clocks
    return whole
