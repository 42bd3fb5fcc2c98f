"""Looks at Kafka: how far the topics go, and how far event time has come in them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from flink_job.audit.law import Offsets, Partition
from flink_job.audit.reading import TopicsError, consuming, read_on
from flink_job.audit.topics import offsets_of, record_of, results_of
from flink_job.domain import judge
from flink_job.endpoints import Kafka
from monitoring.exporter.state import Topics

log = logging.getLogger(__name__)

# A broker that does not answer holds up this source alone, and not for long.
SETTINGS = {
    "bootstrap_timeout_ms": 3_000,
    "request_timeout_ms": 4_000,
    "reconnect_backoff_max_ms": 2_000,
    "metadata_max_age_ms": 30_000,
    # Nothing is read but the newest records, in whatever batches they are.
    "fetch_max_wait_ms": 50,
    "max_partition_fetch_bytes": 2**16,
    "check_crcs": False,
    "metrics_enabled": False,
}

# Of each partition so many offsets are read: they may end in markers of transactions, and the
# newest event is not always that with the highest timestamp.
NEWEST = 10
NEWEST_EVERY_S = 15.0
NEWEST_SILENCE_S = 3.0
# Brokers send whole batches, which may be large: reading them takes no more of a core than this.
NEWEST_SHARE = 0.005


@contextmanager
def watching(
    endpoint: Kafka, loader: str, *, kafka: Callable[..., Any] = KafkaConsumer
) -> Iterator[Callable[[], Topics]]:
    """What takes a look at Kafka, over connections that stay for as long as the block lasts.

    Args:
        endpoint: How to reach Kafka.
        loader: Consumer group of the loader; its offsets are read, and it is not joined.
        kafka: Makes the consumer.

    Raises:
        TopicsError: Kafka cannot be reached, or does not answer in time; by a look as well.
    """
    with consuming(endpoint, kafka, group_id=loader, **SETTINGS) as consumer:
        yield Watch(consumer).look


@dataclass(slots=True)
class Watch:
    """Takes looks at Kafka.

    Attributes:
        consumer: Of kafka-python, which has no types; it is a member of no group.
        monotonic: Seconds that only grow.
        worked: Seconds of processor that this process has taken.
    """

    consumer: Any
    monotonic: Callable[[], float] = time.monotonic
    worked: Callable[[], float] = time.process_time
    _newest_due: float = field(default=float("-inf"))

    def look(self) -> Topics:
        """One look.

        Raises:
            TopicsError: A topic is missing; what kafka-python raises goes on to `consuming`.
        """
        # Ends first: they are what the ledger of the same moment is held against.
        offsets = offsets_of(self.consumer)
        results = results_of(self.consumer)
        clocks, newest = self._newest(offsets)
        return Topics(offsets, results, clocks, newest)

    def _newest(self, offsets: Offsets) -> tuple[Mapping[Partition, int], Mapping[str, int]]:
        if self.monotonic() < self._newest_due:
            return {}, {}
        before = self.worked()
        try:
            return newest_of(self.consumer, offsets)
        except TopicsError as problem:
            # Offsets are known all the same.
            log.warning("the newest records are not known: %s", problem)
            return {}, {}
        finally:
            rest = (self.worked() - before) / NEWEST_SHARE
            self._newest_due = self.monotonic() + max(NEWEST_EVERY_S, rest)


def newest_of(
    consumer: Any,  # noqa: ANN401 - no types
    offsets: Offsets,
) -> tuple[dict[Partition, int], dict[str, int]]:
    """What the newest records tell: the clocks of partitions, and topics' newest append times.

    A clock is at least what the specification makes of some of its partition's records, since it
    only goes forward.

    Args:
        consumer: It is assigned to these partitions and stays so, paused.
        offsets: First and end offset of each partition.

    Raises:
        TopicsError: Kafka sends nothing.
    """
    spans = {
        TopicPartition(*place): (max(begin, end - NEWEST), end)
        for place, (begin, end) in offsets.items()
        if begin < end
    }
    clocks: dict[Partition, int] = {}
    newest: dict[str, int] = {}
    if not spans:
        return clocks, newest
    consumer.assign(list(spans))
    for one, (start, _) in spans.items():
        consumer.seek(one, start)
    # A partition that was assigned before is still paused.
    consumer.resume(*spans)
    ends = {one: end for one, (_, end) in spans.items()}
    for one, messages, _ in read_on(consumer, ends, silence_s=NEWEST_SILENCE_S):
        place = (one.topic, one.partition)
        for message in messages:
            record = record_of(message)
            clock = judge(record, clocks.get(place)).clock
            if clock is not None:
                clocks[place] = clock
            newest[one.topic] = max(newest.get(one.topic, 0), record.appended)
    return clocks, newest
