"""What the page says about itself to Prometheus."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from flink_job.audit.tables import TablesError
from monitoring.page.tables import Asked

SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The series of one page."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        """Register all series."""
        self.requests = Counter(
            "ctr_page_requests_total",
            "Requests answered.",
            ["route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "ctr_page_request_seconds",
            "Seconds until a request was answered.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.clickhouse_seconds = Histogram(
            "ctr_page_clickhouse_seconds",
            "Seconds that a question to ClickHouse took, those that failed among them.",
            buckets=SECONDS,
            registry=registry,
        )
        self.clickhouse_errors = Counter(
            "ctr_page_clickhouse_errors_total",
            "Questions that ClickHouse did not answer.",
            registry=registry,
        )


class Measured:
    """ClickHouse, with every question measured."""

    def __init__(self, clickhouse: Asked, metrics: Metrics) -> None:
        """Wrap it."""
        self._clickhouse = clickhouse
        self._metrics = metrics

    def ask(
        self, question: str, parameters: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that answer a question; raises TablesError."""
        began = time.perf_counter()
        try:
            return self._clickhouse.ask(question, parameters)
        except TablesError:
            self._metrics.clickhouse_errors.inc()
            raise
        finally:
            self._metrics.clickhouse_seconds.observe(time.perf_counter() - began)
