"""Which offsets hold a record, by Kafka: transactions leave some that hold none.

A transaction ends in a marker that takes an offset, and the records of an aborted one keep theirs;
no reader of committed records sees any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import OffsetOutOfRangeError

from flink_job.audit.law import Partition, Seen, Spans
from flink_job.audit.reading import consuming, read_on
from flink_job.endpoints import Kafka

BATCH = 5_000


def seen_in(endpoint: Kafka, spans: Spans, shares: int) -> dict[Partition, Seen]:
    """What a reader of committed records sees in spans of offsets; partitions by processes.

    Nothing of a record is looked at but its offset.

    Args:
        endpoint: How to reach Kafka.
        spans: First offset of each partition, and the one behind the last.
        shares: How many processes may read.

    Raises:
        TopicsError: Kafka cannot be reached, or stops to send.
    """
    ordered = sorted(spans.items())
    parts = [dict(ordered[one::shares]) for one in range(min(shares, len(ordered)))]
    if len(parts) < 2:  # noqa: PLR2004 - one part needs no process of its own
        return _merged(map(seen_by_one, repeat(endpoint), parts))
    with ProcessPoolExecutor(len(parts)) as processes:
        return _merged(processes.map(seen_by_one, repeat(endpoint), parts))


def seen_by_one(
    endpoint: Kafka, spans: Spans, *, kafka: Callable[..., Any] = KafkaConsumer
) -> dict[Partition, Seen]:
    """The same by this process alone."""
    found = {partition: _Reader(begin) for partition, (begin, _) in spans.items()}
    for place, offsets, position in _read(endpoint, spans, kafka):
        found[place].take(offsets, position)
    return {partition: reader.seen for partition, reader in found.items()}


def any_record(endpoint: Kafka, spans: Spans, *, kafka: Callable[..., Any] = KafkaConsumer) -> bool:
    """Whether the spans hold a record at all; reading ends at the first.

    An offset that retention has removed is taken for a record.

    Raises:
        TopicsError: Kafka cannot be reached, or stops to send.
    """
    return any(offsets is None or offsets for _, offsets, _ in _read(endpoint, spans, kafka))


@dataclass(slots=True)
class _Reader:
    """How far one partition was read, and what was seen there."""

    at: int
    seen: Seen = field(default_factory=Seen)

    def take(self, offsets: list[int] | None, position: int) -> None:
        """Go on to a position; None for the offsets stands for a part that is gone."""
        span = position - self.at
        self.at = position
        if offsets is None:
            self.seen += Seen(gone=span, newest=position - 1)
        else:
            self.seen += Seen(without_record=span - len(offsets), newest=max(offsets, default=-1))


def _read(
    endpoint: Kafka, spans: Spans, kafka: Callable[..., Any]
) -> Iterator[tuple[Partition, list[int] | None, int]]:
    """Parts of the spans, in their order: a partition, its records' offsets, and the part's end.

    The offsets are None where retention has removed the part, before it was read or meanwhile.
    """
    at = {TopicPartition(*place): begin for place, (begin, _) in spans.items()}
    ends = {TopicPartition(*place): end for place, (_, end) in spans.items()}
    # Where an offset is gone the consumer must say so: reading on elsewhere by itself it would pass
    # over records, and they would be taken for offsets that hold none.
    with consuming(
        endpoint, kafka, auto_offset_reset="none", check_crcs=False, max_poll_records=BATCH
    ) as consumer:
        consumer.assign(list(at))
        problem: OffsetOutOfRangeError | None = None
        while True:
            before = dict(at)
            for one, begin in consumer.beginning_offsets(list(at)).items():
                position = min(max(begin, at[one]), ends[one])
                if position > at[one]:
                    at[one] = position
                    yield (one.topic, one.partition), None, position
                consumer.seek(one, position)
            if problem is not None and at == before:
                raise problem
            try:
                for one, messages, position in read_on(consumer, ends):
                    at[one] = position
                    yield (one.topic, one.partition), [each.offset for each in messages], position
            except OffsetOutOfRangeError as gone:
                problem = gone
                continue
            return


def _merged(parts: Iterable[Mapping[Partition, Seen]]) -> dict[Partition, Seen]:
    return {partition: seen for part in parts for partition, seen in part.items()}
