"""The messages that peers are measured with: of all outcomes, at a rate, as producers send them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from confluent_kafka import Producer

from flink_job.domain import BUSINESS
from loadtest.pace import Pace
from loadtest.peers.broker import PARTITIONS
from loadtest.shape import Constant
from loadtest.supply import Message, Mix, Supply

MIX = Mix(products=1_000, clicks=0.2, bad=0.02, disorder=0.05, late=0.005)
# Behind these a window of all that was sent before them has ended, by everybody's clock.
CLOSING_PRODUCT = "closing-"
CLOSED_AFTER_S = 26.0
TICK_S = 0.01

PRODUCER = {
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 50,
    "batch.size": 262_144,
    "partitioner": "murmur2_random",
    # A second or two: what waited for long would be late by its append time, all that some can ask.
    "queue.buffering.max.messages": 200_000,
}


class Source:
    """Sends to one broker."""

    def __init__(self, address: str, seed: int) -> None:
        """Connect.

        Args:
            address: Host:port of the broker.
            seed: Of all that is drawn.
        """
        self._producer = Producer({"bootstrap.servers": address, **PRODUCER})
        self._supply = Supply(MIX, seed)
        self._failed: list[str] = []
        self.ended = time.monotonic()

    def send(self, events: int, rate: float) -> None:
        """Send a number of events, and wait until all are acknowledged.

        Raises:
            RuntimeError: The broker did not take some of them.
        """
        pace, began = Pace(Constant(rate), events=events), time.monotonic()
        while not pace.done:
            self.tick(pace, time.monotonic() - began)
            time.sleep(TICK_S)
        self.flush()

    def tick(self, pace: Pace, elapsed: float) -> None:
        """Send what is due."""
        due = pace.due(elapsed)
        if due:
            for topic, batch in self._supply.take(due, int(time.time() * 1_000)).items():
                self._put(topic, batch)
        self._producer.poll(0)
        self.ended = time.monotonic()

    def close_windows(self) -> None:
        """An event in each partition, behind which all windows of what was sent have ended.

        It waits for as long as event time takes to come there.
        """
        time.sleep(max(0.0, self.ended + CLOSED_AFTER_S - time.monotonic()))
        now = int(time.time() * 1_000)
        for topic, partition, key, value in closing(now):
            self._producer.produce(topic, value, key=key, partition=partition)
        self.flush()

    def flush(self) -> None:
        """Wait until all is acknowledged.

        Raises:
            RuntimeError: The broker did not take some of it.
        """
        self._producer.flush()
        if self._failed:
            raise RuntimeError(f"The broker did not take all events: {self._failed[0]}")

    def _put(self, topic: str, batch: list[Message]) -> None:
        left: list[Any] = list(batch)
        while left:
            self._producer.produce_batch(topic, left, on_delivery=self._delivered)
            left = [message for message in left if message.pop("_error", None) is not None]
            if left:
                self._producer.poll(0.05)

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self._failed.append(str(error))


def closing(now: int) -> Iterator[tuple[str, int, bytes, bytes]]:
    """The closing events: topic, partition, key and value.

    The key is the product, as the contract has it: some peers count by it.
    """
    for topic in BUSINESS:
        for partition in range(PARTITIONS):
            product = f"{CLOSING_PRODUCT}{topic}-{partition}"
            yield (
                topic,
                partition,
                product.encode(),
                f'{{"userId": "u", "productId": "{product}", "eventType": "view", '
                f'"timestamp": {now}}}'.encode(),
            )
