"""The edge to kafka-python, which has no types."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from flink_job.endpoints import Kafka
from flink_job.loader.batch import Message, Partition

CONNECT_TIMEOUT_MS = 3_000
ANSWER_TIMEOUT_MS = 3_000
# The shortest that brokers allow: for so long a member that was killed keeps its partitions.
SESSION_TIMEOUT_MS = 6_000
HEARTBEAT_MS = 1_500
# Nobody waits for the lag: a partition without a leader must not hold up the others.
ENDS_TIMEOUT_MS = 500


class ConsumerError(Exception):
    """Kafka did not do what it was asked for; the text says why."""


class Consumer(Protocol):
    """What the loader needs of a member of a consumer group.

    Every method may raise ConsumerError. A partition that the group has taken away meanwhile is
    passed over: whoever has it now goes on from the last commit.
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
        """Say where a later owner of the partitions goes on."""

    def close(self) -> None:
        """Leave the group, without a commit."""


class KafkaGroup:
    """A member of a consumer group by kafka-python."""

    def __init__(self, kafka: Any) -> None:  # noqa: ANN401 - the untyped edge
        """Wrap a subscribed KafkaConsumer."""
        self._kafka = kafka

    def assignment(self) -> set[Partition]:
        """See Consumer."""
        return {Partition(*partition) for partition in self._kafka.assignment() or ()}

    def poll(self, timeout_s: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        """See Consumer."""
        with _errors():
            got = self._kafka.poll(timeout_ms=int(timeout_s * 1_000), max_records=messages)
            return {Partition(*partition): records for partition, records in got.items()}

    def pause(self, partitions: Iterable[Partition]) -> None:
        """See Consumer."""
        for partition in partitions:
            with _unless_taken_away():
                self._kafka.pause(TopicPartition(*partition))

    def resume(self, partitions: Iterable[Partition]) -> None:
        """See Consumer."""
        for partition in partitions:
            with _unless_taken_away():
                self._kafka.resume(TopicPartition(*partition))

    def seek(self, partition: Partition, offset: int) -> None:
        """See Consumer."""
        with _unless_taken_away():
            self._kafka.seek(TopicPartition(*partition), offset)

    def position(self, partition: Partition) -> int | None:
        """See Consumer."""
        with _errors():
            position: int | None = self._kafka.position(TopicPartition(*partition), timeout_ms=0)
            return position

    def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        """See Consumer."""
        asked = [TopicPartition(*partition) for partition in partitions]
        with _errors():
            ends = self._kafka.end_offsets(asked, timeout_ms=ENDS_TIMEOUT_MS)
            return {Partition(*partition): end for partition, end in ends.items()}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """See Consumer."""
        with _errors():
            self._kafka.commit(
                {
                    TopicPartition(*partition): OffsetAndMetadata(offset, "", -1)
                    for partition, offset in offsets.items()
                },
                timeout_ms=ANSWER_TIMEOUT_MS,
            )

    def close(self) -> None:
        """See Consumer."""
        with _errors():
            self._kafka.close(autocommit=False, timeout_ms=ANSWER_TIMEOUT_MS)


def join(
    endpoint: Kafka,
    group: str,
    topics: Iterable[str],
    instance: str | None = None,
    *,
    kafka: Callable[..., Any] = KafkaConsumer,
) -> Consumer:
    """Connect to Kafka and join the group.

    Args:
        endpoint: How to reach Kafka.
        group: Name of the consumer group.
        topics: What to read.
        instance: Name that a member keeps when it starts again: it goes on at once with what it
            had, also after it was killed. Until its session has ended nobody else gets that.
        kafka: Makes the library's consumer.

    Raises:
        ConsumerError: Kafka cannot be reached, or refuses.
    """
    with _errors():
        subscribed = kafka(
            *topics,
            **endpoint.client_arguments(),
            group_id=group,
            client_id="ctr-loader",
            group_instance_id=instance,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            # Offsets are committed by hand, behind the rows.
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # A topic that is not there yet is made by whoever knows how, and seen within seconds.
            allow_auto_create_topics=False,
            metadata_max_age_ms=10_000,
            bootstrap_timeout_ms=CONNECT_TIMEOUT_MS,
            reconnect_backoff_max_ms=2_000,
            # What is read ahead stays in memory while ClickHouse is away.
            fetch_max_wait_ms=50,
            fetch_max_bytes=8 * 2**20,
            max_partition_fetch_bytes=2**19,
        )
        return KafkaGroup(subscribed)


@contextlib.contextmanager
def _errors() -> Iterator[None]:
    # OSError is a file of authorities that is not there; the last three are how kafka-python says
    # that a partition has just been taken away, or that a name does not resolve.
    try:
        yield
    except (KafkaError, OSError, AssertionError, KeyError, ValueError) as error:
        name, text = type(error).__name__, str(error)
        raise ConsumerError(text if text.startswith(name) else f"{name}: {text}") from error


@contextlib.contextmanager
def _unless_taken_away() -> Iterator[None]:
    with contextlib.suppress(KafkaError, KeyError, AssertionError, ValueError):
        yield
