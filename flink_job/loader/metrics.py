"""What the loader says about itself to Prometheus."""

from __future__ import annotations

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from flink_job.loader.rows import Reason
from flink_job.loader.tables import TABLES

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Metrics:
    """The series of one loader.

    Every series with labels known beforehand is there from the start, at 0: a rate over a series
    that appears with its first failure does not see that failure.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register all series."""
        self.rows_inserted = Counter(
            "ctr_loader_rows_inserted_total",
            "Rows that ClickHouse has taken, repeats among them.",
            ["table"],
            registry=registry,
        )
        self.messages_read = Counter(
            "ctr_loader_messages_read_total",
            "Messages read from a results topic, repeats and unreadable ones among them.",
            ["topic"],
            registry=registry,
        )
        self.messages_unreadable = Counter(
            "ctr_loader_messages_unreadable_total",
            "Messages without a row in them, skipped.",
            ["topic", "reason"],
            registry=registry,
        )
        self.insert_seconds = Histogram(
            "ctr_loader_insert_seconds",
            "Seconds an insert took, successful ones only.",
            ["table"],
            buckets=SECONDS,
            registry=registry,
        )
        self.insert_failures = Counter(
            "ctr_loader_insert_failures_total",
            "Inserts that failed and are tried again.",
            ["table"],
            registry=registry,
        )
        self.commit_failures = Counter(
            "ctr_loader_commit_failures_total",
            "Offsets that Kafka did not take; their rows are in, and may be written again.",
            registry=registry,
        )
        self.kafka_failures = Counter(
            "ctr_loader_kafka_failures_total",
            "Questions that Kafka did not answer, other than commits; each is asked again.",
            registry=registry,
        )
        self.clickhouse_up = Gauge(
            "ctr_loader_clickhouse_up",
            "0 from a failed insert until the next successful one, else 1.",
            registry=registry,
        )
        self.lag = Gauge(
            "ctr_loader_consumer_lag_messages",
            "Offsets of the partition that are not in ClickHouse yet; compaction may have left "
            "fewer messages.",
            ["topic", "partition"],
            registry=registry,
        )
        self.last_insert = Gauge(
            "ctr_loader_last_insert_timestamp_seconds",
            "When the last insert succeeded, by the clock of this host; 0 until the first.",
            registry=registry,
        )
        self.clickhouse_up.set(1)
        for topic, table in TABLES.items():
            self.rows_inserted.labels(table.name)
            self.insert_seconds.labels(table.name)
            self.insert_failures.labels(table.name)
            self.messages_read.labels(topic)
            for reason in Reason:
                self.messages_unreadable.labels(topic, reason)
