"""Reading Kafka from one offset to another, over all that holds no record for a reader."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from flink_job.endpoints import Kafka

SILENCE_S = 30.0
# Over markers and aborted records a poll returns nothing, though the reader moves on.
POLL_MS = 200


class TopicsError(Exception):
    """The topics cannot be read in whole; the message is a sentence for the operator."""


@contextmanager
def consuming(endpoint: Kafka, kafka: Callable[..., Any], **settings: object) -> Iterator[Any]:
    """A consumer that sees what the job sees, for as long as the block lasts.

    Raises:
        TopicsError: Kafka does not answer or refuses.
    """
    try:
        consumer = kafka(
            **endpoint.client_arguments(),
            client_id="ctr-audit",
            enable_auto_commit=False,
            # As the job reads: what is not committed is not there.
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            **settings,
        )
        try:
            yield consumer
        finally:
            consumer.close()
    except (KafkaError, OSError) as problem:
        raise TopicsError(f"Kafka cannot be read: {problem}.") from problem


def partitions_of(consumer: Any, topics: Sequence[str]) -> list[TopicPartition]:  # noqa: ANN401 - no types
    """Every partition of the topics.

    Raises:
        TopicsError: There is no such topic.
    """
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or _missing(topic))
    ]


def read_on(
    consumer: Any,  # noqa: ANN401
    ends: Mapping[TopicPartition, int],
    *,
    silence_s: float = SILENCE_S,
) -> Iterator[tuple[TopicPartition, list[Any], int]]:
    """Read the assigned partitions from where the consumer stands in them, each up to its end.

    A partition may end in the marker of a transaction, or hold nothing else: what counts is how far
    the reader has come, not what it was given.

    Args:
        consumer: It has a position in each partition.
        ends: The offset behind the last, no further than what is committed. Whoever has seen enough
            of a partition takes it out.
        silence_s: For how many seconds nothing may come, before it is an error.

    Yields:
        A partition, its messages below the end, and the offset that it was read up to.

    Raises:
        TopicsError: Kafka sends nothing any more, and has not come to the end.
    """
    reached = {partition: consumer.position(partition) for partition in ends}
    moved = time.monotonic()
    while unread := [partition for partition, end in ends.items() if reached[partition] < end]:
        batches = consumer.poll(timeout_ms=POLL_MS)
        for partition in sorted(unread):
            position = min(consumer.position(partition), ends[partition])
            if position <= reached[partition]:
                continue
            reached[partition] = position
            moved = time.monotonic()
            if position == ends[partition]:
                consumer.pause(partition)
            messages = batches.get(partition, ())
            yield partition, [one for one in messages if one.offset < position], position
        if time.monotonic() - moved > silence_s:
            raise TopicsError(f"Kafka sent nothing for {silence_s:g} s.")


def _missing(topic: str) -> set[int]:
    raise TopicsError(f"There is no topic {topic} in this Kafka.")
