"""One Kafka producer for all users of a process, and its polling, under gevent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from confluent_kafka import Producer

from loadtest.supply import Message

POLLED_EVERY_S = 0.01
FULL_FOR_S = 0.05
# Far from what the queue has room for, so that a batch is sent at one stroke.
MOST_WAITING = 100_000

SETTINGS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "compression.type": "lz4",
    # Each request costs three brokers the same, however little is in it, and wakes every consumer.
    "linger.ms": 100,
    "batch.size": 262_144,
    # The partition of a key is the one that Java's producers give it.
    "partitioner": "murmur2_random",
    "message.timeout.ms": 120_000,
    "queue.buffering.max.messages": 1_000_000,
}

Told = Callable[[str, int, float], None]
Refused = Callable[[str, int, str], None]


class EndpointsFileError(Exception):
    """The endpoints file cannot be used; the text is a sentence for the operator."""


def kafka_section(path: Path) -> dict[str, Any]:
    """The section `kafka` of endpoints.json, which is a configuration of librdkafka as it stands.

    Raises:
        EndpointsFileError: There is none. The sentence holds no value: one may be a secret.
    """
    try:
        section = json.loads(path.read_bytes())["kafka"]
    except OSError as problem:
        raise EndpointsFileError(f"{path} cannot be read: {problem.strerror}.") from None
    except (ValueError, LookupError, TypeError):
        raise EndpointsFileError(f"{path} is not JSON with a section kafka.") from None
    if not isinstance(section, dict):
        raise EndpointsFileError(f"{path}: its section kafka is no object.")
    return section


class Outlet:
    """Sends batches, and tells of each what became of it.

    Attributes:
        waiting: Events that are on their way.
    """

    def __init__(self, producer: Any, *, told: Told, refused: Refused) -> None:  # noqa: ANN401
        """Poll from now on.

        Args:
            producer: A producer of confluent-kafka.
            told: Called with topic, events and seconds when a batch is acknowledged.
            refused: Called with topic, events and reason for what is not in Kafka.
        """
        self._producer = producer
        self._told = told
        self._refused = refused
        self.waiting = 0
        self._polling = gevent.spawn(self._poll)

    @classmethod
    def to(cls, endpoints: Path, *, told: Told, refused: Refused) -> Outlet:
        """An outlet to the Kafka of an endpoints file.

        Raises:
            EndpointsFileError: The file cannot be used.
        """
        producer = Producer({**kafka_section(endpoints), **SETTINGS})
        return cls(producer, told=told, refused=refused)

    def room(self) -> None:
        """Wait until there is room for more.

        Users are killed when a run stops, wherever they wait: better here than with half of a batch
        sent.
        """
        while self.waiting > MOST_WAITING:
            gevent.sleep(POLLED_EVERY_S)

    def send(self, topic: str, batch: list[Message]) -> None:
        """Send a batch; while the producer's queue is full this waits."""
        if not batch:
            return
        self.waiting += len(batch)
        on_delivery = self._delivery(topic, len(batch), time.monotonic())
        left: list[Any] = list(batch)
        while left:
            self._producer.produce_batch(topic, left, on_delivery=on_delivery)
            # What the queue had no room for is marked, not raised, and gets no delivery report.
            left = [message for message in left if message.pop("_error", None) is not None]
            if left:
                gevent.sleep(FULL_FOR_S)

    def close(self, within: float) -> int:
        """Wait until nothing is on its way any more, and stop polling.

        Args:
            within: Seconds.

        Returns:
            How many events still are on their way, so that nobody knows what becomes of them.
        """
        deadline = time.monotonic() + within
        while self.waiting and time.monotonic() < deadline:
            gevent.sleep(POLLED_EVERY_S)
        self._polling.kill()
        return self.waiting

    def _delivery(self, topic: str, count: int, began: float) -> Callable[[Any, Any], None]:
        left, refused = count, 0
        reason = ""

        def on_delivery(error: Any, _: Any) -> None:  # noqa: ANN401 - confluent-kafka's
            nonlocal left, refused, reason
            left -= 1
            if error is not None:
                refused += 1
                reason = error.str()
            if left:
                return
            self.waiting -= count
            if refused:
                self._refused(topic, refused, reason)
            if refused < count:
                self._told(topic, count - refused, time.monotonic() - began)

        return on_delivery

    def _poll(self) -> None:
        # Never with a time to wait: that would stall every greenlet of this process.
        while True:
            self._producer.poll(0)
            gevent.sleep(POLLED_EVERY_S)
