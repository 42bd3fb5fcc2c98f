"""The loop: gather a batch, insert it, commit it."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flink_job.loader.backoff import Backoff
from flink_job.loader.batch import Batch, Message, Partition
from flink_job.loader.clickhouse import FAILURES
from flink_job.loader.consumer import Consumer, ConsumerError
from flink_job.loader.metrics import Metrics
from flink_job.loader.rows import Unreadable
from flink_job.loader.tables import Client, Insert

log = logging.getLogger(__name__)

# How long a signal may go unseen, and how long a poll lasts that nothing hurries.
LOOK_UP_S = 0.5
LAG_EVERY_S = 10.0
# Rows wait until a commit is replicated and answered; without one they are only read again.
COMMIT_EVERY_S = 1.0
COMPLAIN_EVERY_S = 60.0
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is full.

    Attributes:
        messages: Messages at most.
        seconds: Seconds from its first message on at most.
    """

    messages: int = 20_000
    seconds: float = 0.2


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as a thing that a test can hold in its hand.

    Attributes:
        monotonic: Seconds that only grow, from anywhere.
        now: Seconds since the epoch.
        sleep: Lets seconds pass.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], object] = time.sleep

    def wait(self, seconds: float, stopping: Callable[[], bool]) -> None:
        """Let seconds pass, or fewer if somebody asks to stop."""
        until = self.monotonic() + seconds
        while not stopping() and (left := until - self.monotonic()) > 0:
            self.sleep(min(left, LOOK_UP_S))


@dataclass(slots=True)
class Service:
    """Brings messages into ClickHouse until it is asked to stop.

    Offsets are committed only behind the rows, once a second, so a message is read again rather
    than lost; rows are written again rather than missed, which the tables make harmless.

    Attributes:
        consumer: A member of the loader's group.
        client: ClickHouse.
        metrics: Where to count.
        stopping: Whether somebody has asked to stop.
        epoch: Epoch of all versions; see `rows.version`.
        limits: When a batch is full.
        clock: Time.
        clickhouse_backoff: Waits while ClickHouse is away.
        kafka_backoff: Waits while Kafka answers with errors.
    """

    consumer: Consumer
    client: Client
    metrics: Metrics
    stopping: Callable[[], bool]
    epoch: int = 0
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    clickhouse_backoff: Backoff = field(default_factory=Backoff)
    kafka_backoff: Backoff = field(default_factory=Backoff)
    _loaded: dict[Partition, int] = field(default_factory=dict)
    _commit_due: float = float("-inf")
    _lag_due: float = float("-inf")
    _lag_of: set[Partition] = field(default_factory=set)
    _complaint_due: float = float("-inf")
    _not_told: int = 0

    def run(self) -> None:
        """Load until asked to stop, then leave the group."""
        try:
            while not self.stopping():
                batch = self._gather()
                if len(batch):
                    self._load(batch)
        finally:
            self._close()

    def _gather(self) -> Batch:
        """Read until the batch is full, by messages or by time, or until asked to stop."""
        batch = Batch(self.epoch)
        full_at: float | None = None
        while len(batch) < self.limits.messages and not self.stopping():
            wait = LOOK_UP_S if full_at is None else full_at - self.clock.monotonic()
            if wait <= 0:
                break
            for partition, messages in self._poll(wait, self.limits.messages - len(batch)).items():
                self.metrics.messages_read.labels(partition.topic).inc(len(messages))
                for message in messages:
                    self._take(batch, partition, message)
            if full_at is None and len(batch):
                full_at = self.clock.monotonic() + self.limits.seconds
            self._commit_in_time()
            self._measure_lag(batch)
        return batch

    def _take(self, batch: Batch, partition: Partition, message: Message) -> None:
        try:
            batch.add(partition, message)
        except Unreadable as unreadable:
            self.metrics.messages_unreadable.labels(partition.topic, unreadable.reason).inc()
            self._complain(partition, message.offset, unreadable)

    def _complain(self, partition: Partition, offset: int, unreadable: Unreadable) -> None:
        """One line a minute: a topic full of nonsense must not fill the disk as well."""
        if self.clock.monotonic() < self._complaint_due:
            self._not_told += 1
            return
        log.warning(
            "skipped %s partition %d offset %d, %s: %s (and %d more since the last such line)",
            partition.topic,
            partition.partition,
            offset,
            unreadable.reason,
            unreadable,
            self._not_told,
        )
        self._complaint_due = self.clock.monotonic() + COMPLAIN_EVERY_S
        self._not_told = 0

    def _load(self, batch: Batch) -> None:
        """Insert the batch, however long ClickHouse is away; from then on it may be committed.

        Asked to stop, it tries once more and leaves the batch uncommitted if that fails: it is
        read again at the next start.
        """
        waiting = deque(batch.inserts())
        held = False
        while waiting:
            if self._insert(waiting[0]):
                waiting.popleft()
                self.clickhouse_backoff.reset()
                continue
            if self.stopping():
                log.warning("stopped with %d messages not in ClickHouse, uncommitted", len(batch))
                return
            held = True
            self._hold(batch, self.clickhouse_backoff.next())
        if held:
            self.consumer.resume(self.consumer.assignment())
            log.info("ClickHouse is back")
        self._loaded |= batch.next_offsets
        self._commit_in_time()

    def _insert(self, insert: Insert) -> bool:
        """Whether ClickHouse says that the rows are in."""
        name = insert.table.name
        began = self.clock.monotonic()
        try:
            self.client.execute(insert.table.query, insert.columns(), columnar=True)
        except FAILURES as error:
            self.metrics.clickhouse_up.set(0)
            self.metrics.insert_failures.labels(name).inc()
            log.warning("%d rows for %s wait: %s", len(insert.rows), name, _reason(error))
            return False
        self.metrics.insert_seconds.labels(name).observe(self.clock.monotonic() - began)
        self.metrics.rows_inserted.labels(name).inc(len(insert.rows))
        self.metrics.clickhouse_up.set(1)
        self.metrics.last_insert.set(self.clock.now())
        return True

    def _hold(self, batch: Batch, seconds: float) -> None:
        """Let seconds pass, or fewer if asked to stop, as a member of the group that reads nothing.

        A member has to poll. What the group assigns in a poll is not paused yet, so that the same
        poll may hand out its first messages: they are put back.
        """
        until = self.clock.monotonic() + seconds
        while not self.stopping() and (left := until - self.clock.monotonic()) > 0:
            self.consumer.pause(self.consumer.assignment())
            for partition, messages in self._poll(min(left, LOOK_UP_S), 1).items():
                self.consumer.pause([partition])
                self.consumer.seek(partition, messages[0].offset)
            self._commit_in_time()
            self._measure_lag(batch)

    def _poll(self, wait: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        """Poll; an error of Kafka is waited out here and gives no messages."""
        try:
            polled = self.consumer.poll(wait, messages)
        except ConsumerError as error:
            self.metrics.kafka_failures.inc()
            log.warning("Kafka gives no messages: %s", _reason(error))
            self.clock.wait(self.kafka_backoff.next(), self.stopping)
            return {}
        self.kafka_backoff.reset()
        return polled

    def _commit_in_time(self) -> None:
        if self._loaded and self.clock.monotonic() >= self._commit_due:
            self._commit()
            self._commit_due = self.clock.monotonic() + COMMIT_EVERY_S

    def _commit(self) -> None:
        """Commit what still is this member's; the rows are in, so a refusal does no harm."""
        mine = self.consumer.assignment()
        offsets = {p: offset for p, offset in self._loaded.items() if p in mine}
        self._loaded.clear()
        if not offsets:
            return
        try:
            self.consumer.commit(offsets)
        except ConsumerError as error:
            self.metrics.commit_failures.inc()
            log.warning("Kafka did not take the offsets of rows that are in: %s", _reason(error))

    def _measure_lag(self, batch: Batch) -> None:
        """Say how far behind each partition is; messages in hand are not loaded yet."""
        if self.clock.monotonic() < self._lag_due:
            return
        self._lag_due = self.clock.monotonic() + LAG_EVERY_S
        mine = self.consumer.assignment()
        # Whoever has the partition now measures it; two answers would add up.
        for partition in self._lag_of - mine:
            self.metrics.lag.remove(partition.topic, str(partition.partition))
        self._lag_of &= mine
        try:
            for partition, end in self.consumer.ends(mine).items():
                reached = self.consumer.position(partition)
                if reached is not None:
                    reached = min(reached, batch.first_offsets.get(partition, reached))
                    lag = max(0, end - reached)
                    self.metrics.lag.labels(partition.topic, str(partition.partition)).set(lag)
                    self._lag_of.add(partition)
        except ConsumerError as error:
            # A poll only stays empty while Kafka is away: this is where it is noticed.
            self.metrics.kafka_failures.inc()
            log.warning("Kafka does not say how far its topics go: %s", _reason(error))

    def _close(self) -> None:
        self._commit()
        try:
            self.consumer.close()
        except ConsumerError as error:
            log.warning("the group was not left in order: %s", _reason(error))


def joined(
    join: Callable[[], Consumer],
    metrics: Metrics,
    stopping: Callable[[], bool],
    clock: Clock,
    backoff: Backoff,
) -> Consumer | None:
    """Join the group, however long Kafka is away; None when asked to stop before."""
    while not stopping():
        try:
            return join()
        except ConsumerError as error:
            wait = backoff.next()
            metrics.kafka_failures.inc()
            log.warning("Kafka is away, next attempt in %.1f s: %s", wait, _reason(error))
            clock.wait(wait, stopping)
    return None


def _reason(error: Exception) -> str:
    """An error on one line, without the stack that ClickHouse sends along."""
    text = " ".join(str(error).split()).partition(" Stack trace:")[0] or type(error).__name__
    return text if len(text) <= LONGEST_REASON else text[:LONGEST_REASON] + "..."
