"""The edge to Kafka: a member of a consumer group by confluent-kafka, which is librdkafka."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, cast

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from flink_job.endpoints import Kafka
from flink_job.loader.batch import Message, Partition

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 3.0
# Nobody waits for the lag: a partition without a leader must not hold up the others.
ENDS_TIMEOUT_S = 0.5
# What librdkafka takes for a time, and means the end of a partition by.
LATEST = -1

SETTINGS: dict[str, Any] = {
    "client.id": "ctr-loader",
    # A line for each attempt to connect; a question that fails tells the same, by callback.
    "log_level": 2,
    # For so long a member whose host has died keeps its partitions. It is longer than a coordinator
    # takes to be replaced: without one for this time librdkafka gives up what it has.
    "session.timeout.ms": 15_000,
    "heartbeat.interval.ms": 3_000,
    # Offsets are committed by hand, behind the rows.
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "check.crcs": True,
    # A broker that has died stays the leader for some seconds, and only this asks for the next one.
    "topic.metadata.refresh.interval.ms": 1_000,
    "reconnect.backoff.max.ms": 1_000,
    # A broker that is frozen, or whose host is, closes no connection.
    "socket.timeout.ms": 10_000,
    "fetch.error.backoff.ms": 100,
    "fetch.queue.backoff.ms": 100,
    # For so long a question about the ends of partitions waits behind a fetch that finds nothing.
    "fetch.wait.max.ms": 100,
    # What is read ahead stays in memory while ClickHouse is away.
    "queued.max.messages.kbytes": 16_384,
    "max.partition.fetch.bytes": 2**19,
}


class ConsumerError(Exception):
    """Kafka did not do what it was asked for; the text says why."""


class MemberLostError(Exception):
    """This member cannot go on, whatever is tried: a new one has to be made."""


class Consumer(Protocol):
    """What the loader needs of a member of a consumer group.

    Every method may raise ConsumerError, and a poll MemberLostError. A partition that the group has
    taken away meanwhile is passed over: whoever has it now goes on from the last commit.
    """

    def assignment(self) -> set[Partition]:
        """The partitions that this member has now."""

    def poll(self, timeout_s: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        """Messages of partitions that are not paused, as soon as there are some; stays a member."""

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Hand out no messages of these until they are resumed."""

    def resume(self, partitions: Iterable[Partition]) -> None:
        """Hand out messages again, from where it was left."""

    def seek(self, partition: Partition, offset: int) -> None:
        """Go on reading at this offset."""

    def position(self, partition: Partition) -> int | None:
        """The offset that is read next; None while it is not known."""

    def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """The offsets that the next messages of these partitions will have."""

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Say where a later owner of the partitions goes on; waits for no answer.

        Raises:
            ConsumerError: These were not sent, or those of a call before were refused.
        """

    def close(self) -> None:
        """End the membership, behind the answers to what was committed."""


class Record(NamedTuple):
    """A message as it was read; see `batch.Message`."""

    offset: int
    value: bytes | None


class KafkaGroup:
    """A member of a consumer group by confluent-kafka.

    What happens beside a call, such as a refused commit or a topic that is not there, is told by
    the next one.
    """

    def __init__(self, settings: Mapping[str, Any], topics: Iterable[str]) -> None:
        """Connect, and ask to join the group: the first polls do.

        Args:
            settings: Of librdkafka.
            topics: What to read.

        Raises:
            ConsumerError: Kafka cannot be reached, or refuses.
        """
        self._begins: dict[Partition, int] = {}
        self._told: KafkaError | None = None
        self._refused: KafkaError | None = None
        with _errors():
            self._kafka = confluent_kafka.Consumer(
                {**settings, "error_cb": self._hear, "on_commit": self._committed}
            )
        try:
            with _errors():
                self._kafka.list_topics(timeout=CONNECT_TIMEOUT_S)
                self._kafka.subscribe(list(topics), on_assign=self._assigned)
        except ConsumerError as error:
            # Callbacks are made by polls: what was heard says more than that time is over.
            with contextlib.suppress(ConsumerError):
                self.poll(0.1, 1)
            with contextlib.suppress(ConsumerError):
                self.close()
            raise ConsumerError(_text(self._told) if self._told else str(error)) from error

    def assignment(self) -> set[Partition]:
        """See Consumer."""
        return {Partition(one.topic, one.partition) for one in self._kafka.assignment()}

    def poll(self, timeout_s: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        """See Consumer."""
        with _errors():
            got = self._kafka.consume(1, timeout_s)
        if got and messages > 1:
            # The next poll says it again; what is in hand must not be dropped for it.
            with contextlib.suppress(KafkaException):
                got += self._kafka.consume(messages - 1, 0)
        records: dict[Partition, list[Record]] = {}
        wrong: KafkaError | None = None
        for message in got:
            if (error := message.error()) is not None:
                wrong = error
                continue
            # Without an error there is all of it.
            partition = Partition(cast(str, message.topic()), cast(int, message.partition()))
            record = Record(cast(int, message.offset()), message.value())
            records.setdefault(partition, []).append(record)
        if wrong is not None:
            if wrong.code() == KafkaError._FATAL:  # noqa: SLF001 - how its codes are named
                raise MemberLostError(_text(wrong))
            if not records:
                raise ConsumerError(_text(wrong))
            log.warning("Kafka: %s", _text(wrong))
        return records

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Consumer."""
        with _unless_taken_away():
            self._kafka.pause([TopicPartition(*one) for one in partitions])

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Consumer."""
        with _unless_taken_away():
            self._kafka.resume([TopicPartition(*one) for one in partitions])

    def seek(self, partition: Partition, offset: int) -> None:
        """See Consumer."""
        with _unless_taken_away():
            self._kafka.seek(TopicPartition(*partition, offset))
            self._begins[partition] = offset

    def position(self, partition: Partition) -> int | None:
        """See Consumer."""
        with _errors():
            (reached,) = self._kafka.position([TopicPartition(*partition)])
        # librdkafka knows it from the first message on, and nobody where nothing was committed.
        return reached.offset if reached.offset >= 0 else self._begins.get(partition)

    def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """See Consumer."""
        asked = [TopicPartition(*one, LATEST) for one in partitions]
        try:
            with _errors():
                ends = self._kafka.offsets_for_times(asked, timeout=ENDS_TIMEOUT_S) if asked else []
                known = [one for one in ends if one.error is None]
                if ends and not known:
                    raise KafkaException(ends[0].error)
        except ConsumerError as error:
            # That time is over says less than what was heard of connections meanwhile.
            told, self._told = self._told, None
            raise ConsumerError(f"{error} ({_text(told)})" if told else str(error)) from error
        # What was heard before an answer is over, and no reason for what fails later.
        self._told = None
        return {Partition(one.topic, one.partition): one.offset for one in known}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """See Consumer."""
        refused, self._refused = self._refused, None
        with _errors():
            self._kafka.commit(
                offsets=[TopicPartition(*one, offset) for one, offset in offsets.items()],
                asynchronous=True,
            )
            if refused is not None:
                raise KafkaException(refused)

    def close(self) -> None:
        """See Consumer."""
        with _errors():
            self._kafka.close()
            if self._refused is not None:
                raise KafkaException(self._refused)

    def _hear(self, error: KafkaError) -> None:
        """What librdkafka says about connections; it goes on trying."""
        # That all brokers are down follows from the reasons, and is none.
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - how its codes are named
            self._told = error

    def _committed(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        wrong = error or next((one.error for one in partitions if one.error), None)
        # Answers come in bursts behind a failure: one that is good makes none of them so.
        self._refused = wrong or self._refused

    def _assigned(self, kafka: confluent_kafka.Consumer, partitions: list[TopicPartition]) -> None:
        """Note where partitions are gone on with, which is not told until there is a message."""
        for one in partitions:
            self._begins.pop(Partition(one.topic, one.partition), None)
        # Without it only their lag is not known yet, for which nothing is held up.
        with contextlib.suppress(KafkaException):
            for one in kafka.committed(partitions, timeout=ENDS_TIMEOUT_S):
                if one.offset >= 0:
                    self._begins[Partition(one.topic, one.partition)] = one.offset


def join(
    endpoint: Kafka, group: str, topics: Iterable[str], instance: str | None = None
) -> Consumer:
    """Connect to Kafka and join the group.

    Args:
        endpoint: How to reach Kafka.
        group: Name of the consumer group.
        topics: What to read.
        instance: Name that a member keeps when it starts again: it goes on at once with what it
            had, also after it was killed. Until its session has ended nobody else gets that.

    Raises:
        ConsumerError: Kafka cannot be reached, or refuses.
    """
    own = {"group.id": group} | ({} if instance is None else {"group.instance.id": instance})
    return KafkaGroup({**endpoint.librdkafka_properties(), **SETTINGS, **own}, topics)


def _text(error: KafkaError) -> str:
    return f"{error.name()}: {error.str()}"


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    # RuntimeError is what a consumer that is closed says.
    try:
        yield
    except KafkaException as error:
        (cause,) = error.args
        raise ConsumerError(
            _text(cause) if isinstance(cause, KafkaError) else str(cause)
        ) from error
    except RuntimeError as error:
        raise ConsumerError(str(error)) from error


@contextlib.contextmanager
def _unless_taken_away() -> Iterator[None]:
    with contextlib.suppress(KafkaException, RuntimeError):
        yield
