"""The loop: batches in, counts in dictionaries, changed windows out every 300 ms."""

from __future__ import annotations

import pickle
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

from flink_job.domain import BUSINESS, Outcome
from flink_job.domain.window import LATE_AFTER_MS
from loadtest.peers.rules import is_late, said, start_of
from loadtest.peers.told import Told
from loadtest.peers.written import letter, window_key, window_value

BATCH = 10_000
EMIT_S = 0.3
SAVE_S = 5.0


class Loop:
    """All that the loop knows, and saves."""

    def __init__(self, state: Path) -> None:
        """Go on from what was saved, if something was."""
        self.file = state / "state.pickle"
        self.windows: dict[tuple[str, int], list[int]] = {}
        self.clocks: dict[tuple[str, int], int] = {}
        self.offsets: dict[tuple[str, int], int] = {}
        if self.file.exists():
            self.windows, self.clocks, self.offsets = pickle.loads(self.file.read_bytes())  # noqa: S301 - it is our own

    def know(self, partitions: list[TopicPartition]) -> None:
        """Begin the clocks of partitions that have none yet."""
        for one in partitions:
            self.clocks.setdefault((one.topic, one.partition), 0)

    def save(self) -> None:
        """Keep windows that may still grow, clocks and offsets, all of the same moment.

        On a backlog one partition may be hours behind another, so the slowest says what is old.
        """
        slowest = min(self.clocks.values())
        self.windows = {k: v for k, v in self.windows.items() if k[1] + LATE_AFTER_MS > slowest}
        half = self.file.with_suffix(".half")
        half.write_bytes(pickle.dumps((self.windows, self.clocks, self.offsets)))
        half.replace(self.file)


def main() -> int:
    """Run until it is ended."""
    told = Told.by()
    loop = Loop(told.state)
    consumer = Consumer(
        {
            "bootstrap.servers": told.kafka,
            "group.id": "plain",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = Producer(
        {"bootstrap.servers": told.kafka, "linger.ms": 5, "compression.type": "lz4"}
    )
    partitions = [
        TopicPartition(topic, number, loop.offsets.get((topic, number), OFFSET_BEGINNING))
        for topic in BUSINESS
        for number in consumer.list_topics(topic).topics[topic].partitions
    ]
    consumer.assign(partitions)
    loop.know(partitions)
    windows, clocks, offsets = loop.windows, loop.clocks, loop.offsets
    changed: set[tuple[str, int]] = set()
    emitted = saved = time.monotonic()
    while True:
        batch: list[Any] = consumer.consume(BATCH, EMIT_S / 3)
        for message in batch:
            if message.error() is not None:
                raise KafkaException(message.error())
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            value, appended = message.value(), message.timestamp()[1]
            place = topic, partition
            offsets[place] = offset + 1
            fact = said(value, appended)
            if isinstance(fact, Outcome):
                producer.produce(told.letters, **letter(*place, offset, fact, value))
                continue
            product, click, timestamp = fact
            clock = clocks[place] = max(clocks[place], min(timestamp, appended))
            if is_late(timestamp, clock, appended):
                producer.produce(told.letters, **letter(*place, offset, Outcome.LATE, value))
                continue
            window = product, start_of(timestamp)
            counts = windows.get(window)
            if counts is None:
                counts = windows[window] = [0, 0]
            counts[click] += 1
            changed.add(window)
        now = time.monotonic()
        if now - emitted >= EMIT_S:
            for window in changed:
                key, row = window_key(*window), window_value(*window, *windows[window])
                producer.produce(told.windows, row, key=key)
            changed.clear()
            emitted = now
        producer.poll(0)
        # After the rows of what is saved: what comes back emits no window that has not grown.
        if now - saved >= SAVE_S and not changed:
            producer.flush()
            loop.save()
            windows = loop.windows
            saved = now


if __name__ == "__main__":
    sys.exit(main())
