"""Whole topics out of Kafka, from the first offset to the last there is at the start."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from flink_job.audit.flow import LATELY_S
from flink_job.audit.reading import TopicsError, consuming, partitions_of, read_on
from flink_job.domain import BUSINESS, INPUT, DeadLetter, Outcome, Record
from flink_job.endpoints import Kafka

LOADED = ("ctr-windows", "ctr-ledger")
DEAD_LETTERS = "dead-letters"

# A coordinator that is away must not hold up who asks for what it keeps.
COMMITTED_TIMEOUT_MS = 3_000


@dataclass(frozen=True, slots=True)
class Stream:
    """Where the topics stand, by Kafka alone.

    Attributes:
        offsets: First and end offset of each partition of the input.
        results: Of each partition of the results the offset that the loader is at, and the end.
        lately: Offsets of the last minute, without the canary's; some hold no event where producers
            use transactions.
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
    for message in read_whole(endpoint, INPUT, kafka, slice(share, None, shares)):
        yield record_of(message)


def record_of(message: Any) -> Record:  # noqa: ANN401 - kafka-python has no types
    """A message as the specification takes it; its timestamp is the append time."""
    return Record(
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
    for message in read_whole(endpoint, (DEAD_LETTERS,), kafka):
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
    with consuming(endpoint, kafka) as consumer:
        return offsets_of(consumer)


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
    with consuming(endpoint, kafka, group_id=loader) as consumer:
        since = int((clock() - LATELY_S) * 1_000)
        firsts = consumer.offsets_for_times(dict.fromkeys(partitions_of(consumer, BUSINESS), since))
        offsets, results = offsets_of(consumer), results_of(consumer)
    lately = sum(
        offsets[one.topic, one.partition][1] - first.offset
        for one, first in firsts.items()
        if first is not None
    )
    return Stream(offsets, results, lately)


def offsets_of(consumer: Any) -> dict[tuple[str, int], tuple[int, int]]:  # noqa: ANN401 - no types
    """First and end offset of each partition of the input, by a consumer that stays open."""
    partitions = partitions_of(consumer, INPUT)
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    return {(one.topic, one.partition): (begins[one], ends[one]) for one in partitions}


def results_of(consumer: Any) -> dict[tuple[str, int], tuple[int, int]]:  # noqa: ANN401 - no types
    """Of each partition of the results, the offset that the consumer's group is at, and the end."""
    partitions = partitions_of(consumer, LOADED)
    begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    return {
        (one.topic, one.partition): (
            max(begins[one], consumer.committed(one, timeout_ms=COMMITTED_TIMEOUT_MS) or 0),
            ends[one],
        )
        for one in partitions
    }


def read_whole(
    endpoint: Kafka,
    topics: Sequence[str],
    kafka: Callable[..., Any] = KafkaConsumer,
    share: slice = slice(None),
) -> Iterator[Any]:
    """Every message of some topics, or of a share of their partitions.

    Raises:
        TopicsError: Kafka cannot be reached, or a partition lacks its beginning.
    """
    with consuming(endpoint, kafka) as consumer:
        yield from _to_the_end(consumer, partitions_of(consumer, topics)[share])


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
    for _, messages, _ in read_on(consumer, ends):
        yield from messages


def _named(place: tuple[str, int, int]) -> str:
    topic, partition, offset = place
    return f"{topic}/{partition} offset {offset}"
