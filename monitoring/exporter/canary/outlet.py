"""The edge to kafka-python's producer, which has no types."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError

from flink_job.domain import CANARY
from flink_job.endpoints import Kafka
from flink_job.loader.backoff import Backoff
from flink_job.loader.service import Clock

log = logging.getLogger(__name__)

# An event that Kafka has not acknowledged by then has failed, long before its row would be late.
DELIVERY_TIMEOUT_MS = 10_000
SETTINGS = {
    "acks": "all",
    # Sent twice it is one row all the same, and an idempotent producer may refuse to go on.
    "enable_idempotence": False,
    "linger_ms": 0,
    "delivery_timeout_ms": DELIVERY_TIMEOUT_MS,
    "request_timeout_ms": 5_000,
    "bootstrap_timeout_ms": 3_000,
    "reconnect_backoff_max_ms": 1_000,
    "metadata_max_age_ms": 30_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
    # Nobody waits for a topic that is missing while others are due.
    "max_block_ms": 500,
}
END_WITHIN_S = 2.0


class Outlet:
    """Sends events to the canary's topic; while Kafka is away each of them fails at once."""

    def __init__(self, endpoint: Kafka, *, kafka: Callable[..., Any] = KafkaProducer) -> None:
        """Send to this Kafka, once `keep_connected` has reached it.

        Args:
            endpoint: How to reach Kafka.
            kafka: Makes the library's producer.
        """
        self._endpoint = endpoint
        self._kafka = kafka
        self._producer: Any = None
        self._failing = False

    def keep_connected(self, stopping: Callable[[], bool], clock: Clock) -> None:
        """Connect, however long that takes, and stay so until somebody asks to stop.

        Once it is made, the library's producer finds brokers again by itself.
        """
        backoff = Backoff()
        while not stopping() and self._producer is None:
            try:
                self._producer = self._kafka(
                    **self._endpoint.client_arguments(), client_id="ctr-canary", **SETTINGS
                )
            except (KafkaError, OSError) as problem:
                self._fails(problem)
                clock.wait(backoff.next(), stopping)
        clock.wait(float("inf"), stopping)
        if self._producer is not None:
            self._producer.close(timeout=END_WITHIN_S)

    def send(self, slot: int, key: str, value: bytes, failed: Callable[[], None]) -> None:
        """Send an event, to the partition whose turn it is.

        Args:
            slot: Its number; the partitions take turns.
            key: Of the message.
            value: Of the message.
            failed: Called once if Kafka does not acknowledge it, from whatever thread.
        """
        if self._producer is None:
            failed()
            return
        try:
            partitions = sorted(self._producer.partitions_for(CANARY))
            sending = self._producer.send(
                CANARY,
                key=key.encode(),
                value=value,
                partition=partitions[slot % len(partitions)],
            )
        except KafkaError as problem:
            self._fails(problem)
            failed()
            return

        def refused(problem: Exception) -> None:
            self._fails(problem)
            failed()

        sending.add_callback(self._works)
        sending.add_errback(refused)

    def _fails(self, problem: Exception) -> None:
        if not self._failing:
            said = str(problem) or type(problem).__name__
            log.warning("Kafka does not take the canary's events: %s", said)
        self._failing = True

    def _works(self, _: object) -> None:
        if self._failing:
            log.info("Kafka takes the canary's events again")
        self._failing = False
