"""What the canary tells Prometheus."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

SECONDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30)
KAFKA, LATE = "kafka", "late"


class Metrics:
    """The series, all there from the start: a rate does not see a series' first value."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register all series."""
        self.seconds = Histogram(
            "ctr_canary_seconds",
            "Seconds from an event's sending to its row in ClickHouse. One that failed, or had no "
            "row within 30 s, is observed as more than 30 s. Looked for every 50 ms.",
            buckets=SECONDS,
            registry=registry,
        )
        self.sent = Counter(
            "ctr_canary_sent_total",
            "Events that were given to Kafka's client, those that it failed to send among them.",
            registry=registry,
        )
        self.failed = Counter(
            "ctr_canary_failed_total",
            "Events that Kafka did not acknowledge (kafka), or that had no row within 30 s (late).",
            ["reason"],
            registry=registry,
        )
        for reason in (KAFKA, LATE):
            self.failed.labels(reason)
