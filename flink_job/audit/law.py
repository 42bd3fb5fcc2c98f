"""The first law: every offset of the input has exactly one outcome. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from flink_job.conservation import conservation_line
from flink_job.domain import Entry, LedgerKey, Outcome

Partition: TypeAlias = tuple[str, int]
Offsets: TypeAlias = Mapping[Partition, tuple[int, int]]
Ledger: TypeAlias = Mapping[LedgerKey, Entry]
EventsByHour: TypeAlias = Mapping[int, int]


@dataclass(slots=True)
class Account:
    """What the ledger says of one partition.

    Attributes:
        consumed: Offsets from the first that the ledger knows to the last there is.
        outcomes: Events by outcome.
        reached: Whether the ledger has come to the last offset that is asked for.
    """

    consumed: int
    outcomes: Counter[Outcome]
    reached: bool

    @property
    def gap(self) -> int:
        """Offsets without an outcome; below zero, some have more than one."""
        return self.consumed - self.outcomes.total()


@dataclass(slots=True)
class Reconciliation:
    """The law, checked part by part, since events go on flowing while it is checked.

    A partition is settled once it adds up in one look at the tables, and an hour once its windows
    stood still meanwhile: a ledger that is on its way may hold for a moment what windows that lack
    events hold too. What is never settled is unexplained.

    Attributes:
        offsets: First and end offset of each partition, as Kafka had them at the start.
    """

    offsets: Offsets
    _accounts: dict[Partition, Account] = field(default_factory=dict)
    _settled: set[Partition] = field(default_factory=set)
    _hours: dict[int, int] = field(default_factory=dict)

    def look(self, before: EventsByHour, ledger: Ledger, after: EventsByHour) -> bool:
        """Take one look at the tables; whether everything is settled.

        Args:
            before: Impressions and clicks of all windows, by hour in ms since the epoch.
            ledger: The ledger, read after that.
            after: The windows once more, read after the ledger.
        """
        for partition, account in accounts(self.offsets, ledger).items():
            if partition not in self._settled:
                self._accounts[partition] = account
                if account.reached and not account.gap:
                    self._settled.add(partition)
        counted: Counter[int] = Counter()
        for key, entry in ledger.items():
            if key.outcome is Outcome.COUNTED:
                counted[key.hour] += entry.events
        for hour in counted.keys() | before.keys() | after.keys():
            if self._hours.get(hour) != 0:
                gaps = [counted[hour] - windows.get(hour, 0) for windows in (after, before)]
                self._hours[hour] = next((gap for gap in gaps if gap), 0)
        return len(self._settled) == len(self.offsets) and not any(self._hours.values())

    def __str__(self) -> str:
        """The conservation line."""
        outcomes: Counter[Outcome] = Counter()
        for account in self._accounts.values():
            outcomes.update(account.outcomes)
        consumed = sum(account.consumed for account in self._accounts.values())
        return conservation_line(consumed, outcomes, self.unexplained)

    @property
    def unexplained(self) -> int:
        """Offsets without an outcome or with too many, and events that only one table has."""
        gaps = [account.gap for account in self._accounts.values()]
        return sum(abs(gap) for gap in (*gaps, *self._hours.values()))

    def broken(self) -> list[str]:
        """What does not add up, a sentence each; empty when the law is kept."""
        sentences = []
        for (topic, number), account in sorted(self._accounts.items()):
            if account.gap > 0:
                sentences.append(
                    f"{account.gap:,} of {account.consumed:,} events of {topic} partition {number} "
                    "have no outcome in the ledger."
                )
            elif account.gap < 0:
                sentences.append(
                    f"{-account.gap:,} events of {topic} partition {number} have two outcomes."
                )
        for hour, gap in sorted(self._hours.items()):
            if gap:
                sentences.append(
                    f"In the hour that begins at {hour // 1_000} s since the epoch the ledger has "
                    f"{abs(gap):,} counted events {'more' if gap > 0 else 'less'} than the windows."
                )
        return sentences


def accounts(offsets: Offsets, ledger: Ledger) -> dict[Partition, Account]:
    """What the ledger says of each partition.

    The count begins at the ledger's first offset where retention has removed the log's beginning.
    """
    outcomes: defaultdict[Partition, Counter[Outcome]] = defaultdict(Counter)
    first: dict[Partition, int] = {}
    last: dict[Partition, int] = {}
    for key, entry in ledger.items():
        partition = key.topic, key.partition
        outcomes[partition][key.outcome] += entry.events
        first[partition] = min(first.get(partition, entry.first_offset), entry.first_offset)
        last[partition] = max(last.get(partition, entry.last_offset), entry.last_offset)
    return {
        partition: Account(
            consumed=max(end, last.get(partition, -1) + 1)
            - min(begin, first.get(partition, begin)),
            outcomes=outcomes[partition],
            reached=begin == end or last.get(partition, -1) + 1 >= end,
        )
        for partition, (begin, end) in offsets.items()
    }
