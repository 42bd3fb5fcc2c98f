"""What the specification makes of the topics: the tables that every peer's results are held to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from flink_job.domain import (
    BUSINESS,
    Counts,
    DeadLetter,
    Outcome,
    Record,
    Tables,
    WindowKey,
    fold,
    judge,
    merged,
)
from flink_job.domain.window import window_start
from loadtest.peers.broker import PARTITIONS
from loadtest.peers.supplied import CLOSING_PRODUCT

BATCH = 10_000
SHARES = 2

Place = tuple[str, int, int]
Ends = dict[tuple[str, int], int]


@dataclass(frozen=True, slots=True)
class Truth:
    """The results by the specification.

    Attributes:
        events: How many messages there are.
        windows: Counts by product and window, without the closing events'.
        letters: Dead letters by topic, partition and offset.
    """

    events: int
    windows: Mapping[WindowKey, Counts]
    letters: Mapping[Place, DeadLetter]

    @property
    def counted(self) -> int:
        """Events in the windows."""
        return sum(counts.impressions + counts.clicks for counts in self.windows.values())


def truth_of(address: str) -> Truth:
    """The results of all that is in the topics of a broker now."""
    ends = ends_of(address)
    # The consumer has threads of its own, which a fork would not bring along.
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        tables = merged(
            pool.map(_share, [address] * SHARES, [_part(ends, share) for share in range(SHARES)])
        )
    return Truth(sum(ends.values()), business(tables.windows), tables.dead_letters)


def business(windows: Mapping[WindowKey, Counts]) -> dict[WindowKey, Counts]:
    """Windows without those of the closing events."""
    return {
        key: counts
        for key, counts in windows.items()
        if not key.product_id.startswith(CLOSING_PRODUCT)
    }


def ends_of(address: str) -> Ends:
    """The end offset of each partition of the input."""
    consumer = _consumer(address)
    try:
        return {
            (topic, partition): consumer.get_watermark_offsets(TopicPartition(topic, partition))[1]
            for topic in BUSINESS
            for partition in range(PARTITIONS)
        }
    finally:
        consumer.close()


def records(address: str, begins: Ends, ends: Ends) -> Iterator[Record]:
    """Records between offsets, each partition's in order."""
    left = {
        place: end - begins.get(place, 0)
        for place, end in ends.items()
        if end > begins.get(place, 0)
    }
    if not left:
        return
    consumer = _consumer(address)
    try:
        consumer.assign(
            [TopicPartition(*place, begins.get(place, OFFSET_BEGINNING)) for place in sorted(left)]
        )
        while left:
            batch: list[Any] = consumer.consume(BATCH, 1.0)
            for message in batch:
                if message.error() is not None:
                    raise RuntimeError(f"Kafka cannot be read: {message.error().str()}")
                place = message.topic(), message.partition()
                if message.offset() >= ends[place]:
                    continue
                yield Record(*place, message.offset(), message.timestamp()[1], message.value())
                if message.offset() == ends[place] - 1:
                    del left[place]
    finally:
        consumer.close()


def arrivals(address: str, begins: Ends, ends: Ends) -> dict[WindowKey, list[int]]:
    """When the counted impressions of each window were appended, in ms and in their order."""
    found: dict[WindowKey, list[int]] = {}
    clocks: dict[tuple[str, int], int | None] = {}
    for record in records(address, begins, ends):
        place = record.topic, record.partition
        verdict = judge(record, clocks.get(place))
        clocks[place] = verdict.clock
        event = verdict.event
        if verdict.outcome is Outcome.COUNTED and event is not None and not event.is_click:
            key = WindowKey(event.product_id, window_start(event.timestamp))
            found.setdefault(key, []).append(record.appended)
    return found


def _share(address: str, ends: Ends) -> Tables:
    return fold(records(address, {}, ends))


def _part(ends: Ends, share: int) -> Ends:
    return {place: end for place, end in ends.items() if place[1] % SHARES == share}


def _consumer(address: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": address,
            "group.id": "peers-truth",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
