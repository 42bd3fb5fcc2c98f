"""The outlet by kafka-python, the client that is Python alone: the same events at more CPU."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.queue import Queue
from kafka import KafkaProducer
from kafka.errors import KafkaError

from flink_job.endpoints import Kafka
from loadtest.outlet import POLLED_EVERY_S, Refused, Told
from loadtest.supply import Message

SETTINGS: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "compression_type": "lz4",
    "linger_ms": 100,
    "batch_size": 262_144,
    "delivery_timeout_ms": 120_000,
    "max_block_ms": 10_000,
    "bootstrap_timeout_ms": 5_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
# Its queue has no bound of its own.
MOST_WAITING = 20_000
# It sends by a thread, which is a greenlet here and must have its turn.
TURN_EVERY = 100
CLOSED_WITHIN_S = 2.0


class PythonOutlet:
    """Sends batches, and tells of each what became of it.

    Attributes:
        waiting: Events that are on their way.
    """

    def __init__(
        self,
        endpoint: Kafka,
        *,
        told: Told,
        refused: Refused,
        kafka: Callable[..., Any] = KafkaProducer,
    ) -> None:
        """Connect and send from now on, in a greenlet of its own.

        Args:
            endpoint: How to reach Kafka.
            told: Called with topic, events and seconds when a batch is acknowledged.
            refused: Called with topic, events and reason for what is not in Kafka.
            kafka: Makes the library's producer.
        """
        self._endpoint = endpoint
        self._told = told
        self._refused = refused
        self._kafka = kafka
        self._producer: Any = None
        self._closed = False
        self._queue: Queue[tuple[str, list[Message], float]] = Queue()
        self.waiting = 0
        # Users are killed when a run stops, wherever they wait, and no batch may be cut by that.
        self._sending = gevent.spawn(self._send_all)

    def room(self) -> None:
        """Wait until there is room for more."""
        while self.waiting > MOST_WAITING:
            gevent.sleep(POLLED_EVERY_S)

    def send(self, topic: str, batch: list[Message]) -> None:
        """Send a batch; this never waits."""
        if batch:
            self.waiting += len(batch)
            self._queue.put((topic, batch, time.monotonic()))

    def close(self, within: float) -> int:
        """Wait until nothing is on its way any more, and end the producer.

        Args:
            within: Seconds.

        Returns:
            How many events still are on their way, so that nobody knows what becomes of them.
        """
        deadline = time.monotonic() + within
        while self.waiting and time.monotonic() < deadline:
            gevent.sleep(POLLED_EVERY_S)
        # Closing fails what is left, of which it cannot know.
        self._closed = True
        self._sending.kill()
        if self._producer is not None:
            self._producer.close(timeout=CLOSED_WITHIN_S)
        return self.waiting

    def _send_all(self) -> None:
        while True:
            topic, batch, began = self._queue.get()
            try:
                if self._producer is None:
                    self._producer = self._kafka(**self._endpoint.client_arguments(), **SETTINGS)
            except (KafkaError, OSError) as problem:
                self.waiting -= len(batch)
                self._refused(topic, len(batch), _said(problem))
                continue
            self._send(topic, batch, began)

    def _send(self, topic: str, batch: list[Message], began: float) -> None:
        arrived, failed = self._delivery(topic, len(batch), began)
        for number, message in enumerate(batch):
            if number % TURN_EVERY == 0:
                gevent.sleep(0)
            try:
                sending = self._producer.send(topic, key=message["key"], value=message["value"])
            except KafkaError as problem:
                failed(problem)
                continue
            sending.add_callback(arrived)
            sending.add_errback(failed)

    def _delivery(
        self, topic: str, count: int, began: float
    ) -> tuple[Callable[[object], None], Callable[[Exception], None]]:
        left, refused = count, 0
        reason = ""

        def ended() -> None:
            nonlocal left
            left -= 1
            if left or self._closed:
                return
            self.waiting -= count
            if refused:
                self._refused(topic, refused, reason)
            if refused < count:
                self._told(topic, count - refused, time.monotonic() - began)

        def failed(problem: Exception) -> None:
            nonlocal refused, reason
            refused += 1
            reason = _said(problem)
            ended()

        return lambda _: ended(), failed


def _said(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
