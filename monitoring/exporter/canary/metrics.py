"""What the canary tells Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from monitoring.exporter.canary.tally import BOUNDS, Tally, keep, kept

log = logging.getLogger(__name__)


class Metrics(Collector):
    """The series, all there from the start: a rate does not see a series' first value.

    What a scrape is told is in the file before: a process that is started again, however the one
    before has ended, tells nothing lower. Prometheus takes a number that has become lower for one
    that began again at 0, and its whole for the increase.
    """

    def __init__(self, registry: CollectorRegistry = REGISTRY, file: Path | None = None) -> None:
        """Go on from what is kept, and register all series.

        Args:
            registry: Where to register.
            file: Keeps what was told, over restarts; None to begin at 0.
        """
        self._file = file
        self._counting, self._telling = Lock(), Lock()
        self._tally = Tally() if file is None else kept(file)
        self._kept: Tally | None = None
        self._told = False
        registry.register(self)

    @property
    def tally(self) -> Tally:
        """What was counted until now."""
        return self._tally

    def sent(self) -> None:
        """An event was given to Kafka's client."""
        self._count(lambda tally: replace(tally, sent=tally.sent + 1))

    def failed(self, reason: str) -> None:
        """One was not acknowledged, or had no row in time."""
        self._count(lambda tally: tally.with_failed(reason))

    def observed(self, seconds: float) -> None:
        """One has taken so long."""
        self._count(lambda tally: tally.with_observed(seconds))

    def describe(self) -> Iterable[Metric]:
        """The families without a value: none is kept for these."""
        return families(Tally())

    def collect(self) -> Iterator[Metric]:
        """All series of the moment, once they are kept."""
        with self._telling:
            tally = self._tally
            self._keep(tally)
        yield from families(tally)

    def _count(self, change: Callable[[Tally], Tally]) -> None:
        with self._counting:
            self._tally = change(self._tally)

    def _keep(self, tally: Tally) -> None:
        if self._file is None or tally == self._kept:
            return
        try:
            keep(self._file, tally)
        except OSError as problem:
            if not self._told:
                log.warning("%s cannot be written: %s", self._file, problem.strerror)
            self._told = True
            return
        self._kept, self._told = tally, False


def families(tally: Tally) -> list[Metric]:
    """What was counted, in Prometheus' words."""
    seconds = HistogramMetricFamily(
        "ctr_canary_seconds",
        "Seconds from an event's sending to its row in ClickHouse. One that failed, or had no row "
        "within 30 s, is observed as more than 30 s. Looked for every 50 ms.",
    )
    seconds.add_metric([], list(zip(BOUNDS, tally.up_to, strict=True)), tally.sum)
    sent = CounterMetricFamily(
        "ctr_canary_sent",
        "Events that were given to Kafka's client, those that it failed to send among them.",
        value=tally.sent,
    )
    failed = CounterMetricFamily(
        "ctr_canary_failed",
        "Events that Kafka did not acknowledge (kafka), or that had no row within 30 s (late).",
        labels=["reason"],
    )
    for reason, number in tally.failed.items():
        failed.add_metric([reason], number)
    return [seconds, sent, failed]
