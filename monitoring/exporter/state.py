"""What is known of the pipeline after the last look at each source. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeAlias, TypeVar

from flink_job.audit.law import Ledger, Offsets, Partition, accounts
from flink_job.domain import INPUT, Outcome
from monitoring.exporter.events import Events, Tally
from monitoring.exporter.gaps import Gaps, gaps

Found = TypeVar("Found")
Key = TypeVar("Key")
Look: TypeAlias = tuple[float, Offsets]

# Both sources are looked at on the same beat. Looks that began further apart than this are not held
# against each other: what has come between them would look like lag. A look at ClickHouse may take
# some beats, and is held against that at Kafka of the beat on which it began.
TOGETHER_S = 1.0
LOOKS = 6


@dataclass(frozen=True, slots=True)
class Topics:
    """What Kafka tells.

    Attributes:
        offsets: First and end offset of each partition of the input.
        results: Of each partition of the results the offset that the loader is at, and the end.
        clocks: Of partitions, how far event time has come at least, in ms; not in every look.
        newest: By topic, when its newest record was appended, in ms; not in every look.
    """

    offsets: Offsets
    results: Offsets
    clocks: Mapping[Partition, int]
    newest: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Tables:
    """What ClickHouse tells.

    Attributes:
        ledger: Sums over all hours; the hour of each key is 0.
        newest_row: When a row was last written, in seconds since the epoch; None without any.
        products: With a row in the windows of the last minute, those of the business.
        impressions: In these.
        clicks: In these.
        parts: By table, the active parts of the partition that has the most.
    """

    ledger: Ledger
    newest_row: int | None
    products: int
    impressions: int
    clicks: int
    parts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class When:
    """When a look was taken.

    Attributes:
        began: By the monotonic clock, in seconds.
        ended: In seconds since the epoch.
        seconds: How long it took.
    """

    began: float
    ended: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Source(Generic[Found]):
    """A source as it was last seen.

    Attributes:
        found: By the last look that succeeded; None before the first.
        when: Of that look.
        seconds: How long the last look took, whether it succeeded or not; None before the first.
        answers: Whether the last look succeeded.
    """

    found: Found | None = None
    when: When | None = None
    seconds: float | None = None
    answers: bool = False

    def seen(self, found: Found, when: When) -> Source[Found]:
        """After a look that succeeded."""
        return Source(found, when, when.seconds, answers=True)

    def away(self, seconds: float) -> Source[Found]:
        """After a look that failed: what was found before is kept."""
        return replace(self, seconds=seconds, answers=False)


@dataclass(frozen=True, slots=True)
class State:
    """All that is known.

    Attributes:
        kafka: As it was last seen.
        clickhouse: The same.
        store: The same; what is found is the status of its answer.
        addresses: Where each source is that is looked at, as `host:port`.
        expiry: By source and address, until when the certificate is valid that was presented there
            last, in seconds since the epoch.
        tally: Events of each input topic by outcome, as they are told and as the ledger has them.
        gaps: Offsets below the ledger's last that have no outcome, and what they hold.
        looks: The last looks at Kafka, the newest first: when each began, by the monotonic clock,
            and the offsets that it found.
        lag: Offsets of each partition that the ledger does not reach, by looks that were taken
            together.
        lag_known: When it was last known, in seconds since the epoch.
        clocks: How far event time has come at least in each partition, in ms.
        newest: By topic, when its newest record was appended, in ms.
        newest_row: When a row was last written, in seconds; None where that is not known.
    """

    kafka: Source[Topics] = field(default_factory=Source)
    clickhouse: Source[Tables] = field(default_factory=Source)
    store: Source[int] = field(default_factory=Source)
    addresses: Mapping[str, str] = field(default_factory=dict)
    expiry: Mapping[tuple[str, str], int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    gaps: Gaps = field(default_factory=Gaps)
    looks: tuple[Look, ...] = ()
    lag: Mapping[Partition, int] = field(default_factory=dict)
    lag_known: float = 0.0
    clocks: Mapping[Partition, int] = field(default_factory=dict)
    newest: Mapping[str, int] = field(default_factory=dict)
    newest_row: int | None = None

    def with_topics(self, found: Topics, when: When) -> State:
        """After a look at Kafka."""
        look = (when.began, found.offsets)
        after = replace(
            self,
            kafka=self.kafka.seen(found, when),
            looks=(look, *self.looks)[:LOOKS],
            clocks=_highest(self.clocks, found.clocks),
            newest=_highest(self.newest, found.newest),
        )
        # The looks before were held against the ledger when it came.
        return _with_lag(after, (look,), when)

    def with_tables(self, found: Tables, when: When) -> State:
        """After a look at ClickHouse."""
        offsets: Offsets = {} if self.kafka.found is None else self.kafka.found.offsets
        after = replace(
            self,
            clickhouse=self.clickhouse.seen(found, when),
            tally=self.tally.seen(events(found.ledger)),
            # Only Kafka knows where a partition begins.
            gaps=self.gaps.seen(gaps(offsets, found.ledger), self.kafka.found is not None),
            newest_row=max(
                (row for row in (self.newest_row, found.newest_row) if row is not None),
                default=None,
            ),
        )
        return _with_lag(after, self.looks, when)

    def without_kafka(self, seconds: float) -> State:
        """After a look at Kafka that failed."""
        return replace(self, kafka=self.kafka.away(seconds))

    def without_clickhouse(self, seconds: float) -> State:
        """After a look at ClickHouse that failed."""
        return replace(self, clickhouse=self.clickhouse.away(seconds))

    def with_store(self, status: int, when: When) -> State:
        """After a look at the store."""
        return replace(self, store=self.store.seen(status, when))

    def without_store(self, seconds: float) -> State:
        """After a look at the store that failed."""
        return replace(self, store=self.store.away(seconds))


def events(ledger: Ledger) -> Events:
    """Events of each input topic by outcome, those that have none among them."""
    sums: Counter[tuple[str, Outcome]] = Counter()
    for key, entry in ledger.items():
        sums[key.topic, key.outcome] += entry.events
    return {(topic, outcome): sums[topic, outcome] for topic in INPUT for outcome in Outcome}


def _with_lag(state: State, looks: Iterable[Look], when: When) -> State:
    """The lag by that of these looks at Kafka that was taken together with the last at ClickHouse.

    Without one among them the lag stays what it was, and grows old.
    """
    tables, then = state.clickhouse.found, state.clickhouse.when
    if tables is None or then is None:
        return state
    for began, offsets in looks:
        if abs(began - then.began) <= TOGETHER_S:
            return replace(state, lag=_lag(offsets, tables.ledger), lag_known=when.ended)
    return state


def _lag(offsets: Offsets, ledger: Ledger) -> dict[Partition, int]:
    """Offsets of each partition that the ledger does not reach."""
    return {
        place: max(0, offsets[place][1] - max(offsets[place][0], account.last + 1))
        for place, account in accounts(offsets, ledger).items()
    }


def _highest(before: Mapping[Key, int], now: Mapping[Key, int]) -> dict[Key, int]:
    """Of each key the higher value: none of these ever goes back in truth."""
    return {
        key: max(before.get(key, now.get(key, 0)), now.get(key, before.get(key, 0)))
        for key in {**before, **now}
    }
