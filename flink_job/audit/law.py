"""The first law: every offset of the input has exactly one outcome. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeAlias

from flink_job.conservation import conservation_line
from flink_job.domain import Entry, LedgerKey, Outcome

Partition: TypeAlias = tuple[str, int]
Offsets: TypeAlias = Mapping[Partition, tuple[int, int]]
Ledger: TypeAlias = Mapping[LedgerKey, Entry]
EventsByHour: TypeAlias = Mapping[int, int]
Spans: TypeAlias = Mapping[Partition, tuple[int, int]]

LOOKS = 5
# As ansible/backfill.yml takes it.
AS_TOLD = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader of committed records saw in some offsets of a partition.

    Attributes:
        without_record: Offsets that hold no record: markers of transactions, and what was aborted.
        gone: Offsets that retention has removed before they could be read: nobody can tell any more
            whether they held a record.
        newest: The highest offset that is no such offset without a record; -1 without any.
    """

    without_record: int = 0
    gone: int = 0
    newest: int = -1

    def __add__(self, other: Seen) -> Seen:
        """What was seen in both."""
        return Seen(
            self.without_record + other.without_record,
            self.gone + other.gone,
            max(self.newest, other.newest),
        )


@dataclass(slots=True)
class Account:
    """What the ledger says of one partition.

    Attributes:
        first: The first offset that the ledger knows, or the log, whichever is lower.
        last: The last offset that the ledger knows; -1 where it knows none.
        end: The offset behind the last that is asked for, or that the ledger knows.
        outcomes: Events by outcome.
        kept: Events whose offsets Kafka may keep: all that it does keep are among them.
        read_to: The offset that Kafka was read up to; at most `first` where it was not.
        seen: What it holds before that.
    """

    first: int
    last: int
    end: int
    outcomes: Counter[Outcome]
    kept: int = 0
    read_to: int = 0
    seen: Seen = field(default_factory=Seen)

    @property
    def untold(self) -> int:
        """Offsets that are gone and have no outcome, where markers stand among those that are not.

        They may have been markers too. A record that Kafka keeps is none of them; of the hours that
        retention has cut through, that is known only as far as their rows tell.
        """
        if not self.seen.without_record:
            return 0
        offsets = self.end - self.first - self.seen.without_record
        lacking = max(0, offsets - self.seen.gone - self.kept)
        return max(0, min(self.seen.gone, offsets - self.outcomes.total() - lacking))

    @property
    def consumed(self) -> int:
        """Records from the first offset to the end; offsets, as far as Kafka was not read."""
        return self.end - self.first - self.seen.without_record - self.untold

    @property
    def gap(self) -> int:
        """Records without an outcome; below zero, some have more than one."""
        return self.consumed - self.outcomes.total()

    @property
    def reached(self) -> bool:
        """Whether the ledger has come to the last record that is asked for."""
        if self.last + 1 >= self.end or self.first == self.end:
            return True
        return self.read_to == self.end and self.seen.newest <= self.last

    @property
    def unread(self) -> tuple[int, int]:
        """The offsets that Kafka has to be asked for, if this is to be explained: first and end.

        What adds up before the last offset of the ledger holds a record in each of them.
        """
        if self.read_to > self.first:
            return self.read_to, self.end
        whole = self.last + 1 - self.first == self.outcomes.total()
        return (max(self.first, self.last + 1) if whole else self.first), self.end


@dataclass(slots=True)
class Reconciliation:
    """The law, checked part by part, since events go on flowing while it is checked.

    A partition is settled once it adds up in one look at the tables, and an hour once its windows
    stood still meanwhile: a ledger that is on its way may hold for a moment what windows that lack
    events hold too. What is never settled is unexplained.

    Offsets may hold no record. A partition that does not add up by its offsets is held against its
    records, once somebody has read how many there are: see `doubtful` and `learn`.

    Attributes:
        offsets: First and end offset of each partition, as Kafka had them at the start.
    """

    offsets: Offsets
    _accounts: dict[Partition, Account] = field(default_factory=dict)
    _settled: set[Partition] = field(default_factory=set)
    _stood_still: Counter[Partition] = field(default_factory=Counter)
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
                self._take(partition, account)
        counted: Counter[int] = Counter()
        for key, entry in ledger.items():
            if key.outcome is Outcome.COUNTED:
                counted[key.hour] += entry.events
        for hour in counted.keys() | before.keys() | after.keys():
            if self._hours.get(hour) != 0:
                gaps = [counted[hour] - windows.get(hour, 0) for windows in (after, before)]
                self._hours[hour] = next((gap for gap in gaps if gap), 0)
        return self.settled

    def doubtful(self, *, all_of_them: bool) -> Spans:
        """Offsets of which must be known whether they hold records, by partition: first and end.

        Reading costs time, and most of what does not add up is under way only: it is for partitions
        that have stood still for some looks, and for those that were read before.

        Args:
            all_of_them: Whether the others are doubtful too, since time is running out.
        """
        return {
            partition: account.unread
            for partition, account in self._accounts.items()
            if partition not in self._settled
            and (account.gap > 0 or not account.reached)
            and account.unread[0] < account.end
            and (
                all_of_them
                or account.read_to > account.first
                or self._stood_still[partition] >= LOOKS
            )
        }

    def learn(self, found: Mapping[Partition, Seen]) -> bool:
        """Take what was seen in the doubtful offsets of the last look; whether all is settled."""
        for partition, seen in found.items():
            account = self._accounts[partition]
            account.read_to, account.seen = account.end, account.seen + seen
            self._settle(partition)
        return self.settled

    def _take(self, partition: Partition, account: Account) -> None:
        known = self._accounts.get(partition)
        if known is not None:
            account.read_to, account.seen = known.read_to, known.seen
            still = (known.end, known.outcomes) == (account.end, account.outcomes)
            self._stood_still[partition] = self._stood_still[partition] + 1 if still else 0
        self._accounts[partition] = account
        self._settle(partition)

    def _settle(self, partition: Partition) -> None:
        account = self._accounts[partition]
        if account.reached and not account.gap:
            self._settled.add(partition)

    @property
    def settled(self) -> bool:
        """Whether everything is."""
        return len(self._settled) == len(self.offsets) and not any(self._hours.values())

    def __str__(self) -> str:
        """The conservation line."""
        outcomes: Counter[Outcome] = Counter()
        for account in self._accounts.values():
            outcomes.update(account.outcomes)
        consumed = sum(account.consumed for account in self._accounts.values())
        without_record = sum(one.seen.without_record for one in self._accounts.values())
        untold = sum(account.untold for account in self._accounts.values())
        return conservation_line(consumed, outcomes, self.unexplained, without_record) + (
            f"; of {untold} that retention has removed nobody can tell" if untold else ""
        )

    @property
    def unexplained(self) -> int:
        """Records without an outcome or with too many, and events that only one table has."""
        gaps = [account.gap for account in self._accounts.values()]
        return sum(abs(gap) for gap in (*gaps, *self._hours.values()))

    def broken(self) -> list[str]:
        """What does not add up, a sentence each; empty when the law is kept."""
        sentences = []
        for (topic, number), account in sorted(self._accounts.items()):
            if account.gap > 0:
                sentences.append(
                    f"{account.gap:,} of {account.consumed:,} events of {topic} partition {number} "
                    f"have no outcome in the ledger.{_gone(account.seen)}"
                )
            elif account.gap < 0:
                sentences.append(
                    f"{-account.gap:,} events of {topic} partition {number} have two outcomes."
                )
        for hour, gap in sorted(self._hours.items()):
            if gap:
                begin = datetime.fromtimestamp(hour / 1_000, UTC)
                sentences.append(
                    f"In the hour from {begin:{AS_TOLD}} on the ledger has {abs(gap):,} counted "
                    f"events {'more' if gap > 0 else 'less'} than the windows."
                )
        return sentences


def accounts(offsets: Offsets, ledger: Ledger) -> dict[Partition, Account]:
    """What the ledger says of each partition.

    The count begins at the ledger's first offset where retention has removed the log's beginning.
    """
    outcomes: defaultdict[Partition, Counter[Outcome]] = defaultdict(Counter)
    first: dict[Partition, int] = {}
    last: dict[Partition, int] = {}
    kept: Counter[Partition] = Counter()
    for key, entry in ledger.items():
        partition = key.topic, key.partition
        outcomes[partition][key.outcome] += entry.events
        if entry.last_offset >= offsets.get(partition, (0, 0))[0]:
            kept[partition] += entry.events
        first[partition] = min(first.get(partition, entry.first_offset), entry.first_offset)
        last[partition] = max(last.get(partition, entry.last_offset), entry.last_offset)
    return {
        partition: Account(
            first=min(begin, first.get(partition, begin)),
            last=last.get(partition, -1),
            end=max(end, last.get(partition, -1) + 1),
            outcomes=outcomes[partition],
            kept=kept[partition],
        )
        for partition, (begin, end) in offsets.items()
    }


def _gone(seen: Seen) -> str:
    if not seen.gone:
        return ""
    return (
        f" Kafka keeps {seen.gone:,} of its offsets no more, and cannot tell whether they held "
        "records."
    )
