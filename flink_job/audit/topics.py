"""Whole topics out of Kafka, from the first offset to the last there is at the start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from flink_job.audit.flow import LATELY_S
from flink_job.domain import DeadLetter, Outcome, Record
from flink_job.endpoints import Kafka

INPUT = ("impressions", "clicks")
LOADED = ("ctr-windows", "ctr-ledger")
DEAD_LETTERS = "dead-letters"
ANSWER_TIMEOUT_MS = 30_000


class TopicsError(Exception):
    """The topics cannot be read in whole; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the topics stand, by Kafka alone.

    Attributes:
        offsets: First and end offset of each partition of the input.
        results: Of each partition of the results the offset that the loader is at, and the end.
        lately: Events of the last minute.
    """

    offsets: dict[tuple[str, int], tuple[int, int]]
    results: dict[tuple[str, int], tuple[int, int]]
    lately: int


def read_input(
    endpoint: Kafka,
    share: int = 0,
    shares: int = 1,
    *,
    kafka: Callable[..., Any] = KafkaConsumer,
) -> Iterator[Record]:
    """Every record of the input topics; each partition's in the order of its offsets.

    Args:
        endpoint: How to reach Kafka.
        share: Which of the shares, from 0.
        shares: Into how many the partitions are divided.
        kafka: Makes the consumer.

    Raises:
        TopicsError: Kafka cannot be reached, or retention has removed the start of a partition.
    """
    for message in _whole(endpoint, INPUT, kafka, slice(share, None, shares)):
        yield Record(
            message.topic, message.partition, message.offset, message.timestamp, message.value
        )


def read_dead_letters(
    endpoint: Kafka, *, kafka: Callable[..., Any] = KafkaConsumer
) -> dict[tuple[str, int, int], DeadLetter]:
    """Every dead letter by the topic, partition and offset that it came from.

    Raises:
        TopicsError: Kafka cannot be reached, a letter was removed by retention, or two letters
            of one offset differ.
    """
    letters: dict[tuple[str, int, int], DeadLetter] = {}
    for message in _whole(endpoint, (DEAD_LETTERS,), kafka):
        headers = {name: value.decode() for name, value in message.headers}
        place = headers["topic"], int(headers["partition"]), int(headers["offset"])
        letter = DeadLetter(Outcome(headers["reason"]), message.value)
        if letters.setdefault(place, letter) != letter:
            raise TopicsError(f"Two dead letters of {_named(place)} differ.")
    return letters


def input_offsets(
    endpoint: Kafka, *, kafka: Callable[..., Any] = KafkaConsumer
) -> dict[tuple[str, int], tuple[int, int]]:
    """First and end offset of each partition of the input topics, as they are now.

    Raises:
        TopicsError: Kafka cannot be reached.
    """
    with _consumer(endpoint, kafka) as consumer:
        return _offsets(consumer)


def stream(
    endpoint: Kafka,
    loader: str,
    *,
    kafka: Callable[..., Any] = KafkaConsumer,
    clock: Callable[[], float] = time.time,
) -> Stream:
    """Where the topics stand now.

    Args:
        endpoint: How to reach Kafka.
        loader: Consumer group of the loader; its offsets are read, and it is not joined.
        kafka: Makes a consumer.
        clock: Seconds since the epoch. Brokers stamp the input by theirs.

    Raises:
        TopicsError: Kafka cannot be reached.
    """
    with _consumer(endpoint, kafka, group_id=loader) as consumer:
        since = int((clock() - LATELY_S) * 1_000)
        firsts = consumer.offsets_for_times(dict.fromkeys(_partitions(consumer, INPUT), since))
        offsets = _offsets(consumer)
        partitions = _partitions(consumer, LOADED)
        begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        results = {
            (one.topic, one.partition): (max(begins[one], consumer.committed(one) or 0), ends[one])
            for one in partitions
        }
    lately = sum(
        offsets[one.topic, one.partition][1] - first.offset
        for one, first in firsts.items()
        if first is not None
    )
    return Stream(offsets, results, lately)


def _offsets(consumer: Any) -> dict[tuple[str, int], tuple[int, int]]:  # noqa: ANN401 - no types
    partitions = _partitions(consumer, INPUT)
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    return {(one.topic, one.partition): (begins[one], ends[one]) for one in partitions}


@contextmanager
def _consumer(endpoint: Kafka, kafka: Callable[..., Any], **settings: object) -> Iterator[Any]:
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


def _partitions(consumer: Any, topics: Sequence[str]) -> list[TopicPartition]:  # noqa: ANN401
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(consumer.partitions_for_topic(topic) or _missing(topic))
    ]


def _whole(
    endpoint: Kafka,
    topics: Sequence[str],
    kafka: Callable[..., Any],
    share: slice = slice(None),
) -> Iterator[Any]:
    with _consumer(endpoint, kafka) as consumer:
        yield from _to_the_end(consumer, _partitions(consumer, topics)[share])


def _to_the_end(consumer: Any, partitions: list[TopicPartition]) -> Iterator[Any]:  # noqa: ANN401
    for partition, offset in consumer.beginning_offsets(partitions).items():
        if offset > 0:
            raise TopicsError(
                f"Retention has removed the first {offset} messages of {partition.topic}/"
                f"{partition.partition}: only whole topics can be audited; reconcile still works."
            )
    if not partitions:
        return
    ends = consumer.end_offsets(partitions)
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    unread = {partition for partition, end in ends.items() if end > 0}
    while unread:
        batches = consumer.poll(timeout_ms=ANSWER_TIMEOUT_MS)
        if not batches:
            raise TopicsError(f"Kafka sent nothing for {ANSWER_TIMEOUT_MS // 1_000} s.")
        for partition, messages in batches.items():
            yield from (message for message in messages if message.offset < ends[partition])
            if consumer.position(partition) >= ends[partition]:
                unread.discard(partition)


def _missing(topic: str) -> set[int]:
    raise TopicsError(f"There is no topic {topic} in this Kafka.")


def _named(place: tuple[str, int, int]) -> str:
    topic, partition, offset = place
    return f"{topic}/{partition} offset {offset}"
