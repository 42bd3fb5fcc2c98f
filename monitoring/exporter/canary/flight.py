"""The canaries that are under way: each is counted once, as seen, late or failed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Condition
from typing import NamedTuple

from flink_job.loader.service import Clock
from monitoring.exporter.canary.metrics import Metrics
from monitoring.exporter.canary.tally import KAFKA, LATE

LATE_S = 30.0
# What is observed for an event that was never seen: any number in the last bucket.
NEVER_S = 30.1


class Canary(NamedTuple):
    """An event by the row that it becomes.

    Attributes:
        product: Of the event.
        window: The start of its window, in seconds since the epoch.
    """

    product: str
    window: int


@dataclass(slots=True)
class Flight:
    """What was sent and has not been counted; shared by those who send and who look.

    Attributes:
        metrics: Where to count.
        clock: Time.
    """

    metrics: Metrics
    clock: Clock
    _sent: dict[Canary, float] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def sent(self, canary: Canary) -> None:
        """One sets out."""
        with self._changed:
            self._sent[canary] = self.clock.monotonic()
            self.metrics.sent()
            self._changed.notify_all()

    def failed(self, canary: Canary) -> None:
        """Kafka has not taken it. One whose row was seen all the same is counted as seen, too."""
        with self._changed:
            self.metrics.failed(KAFKA)
            if self._sent.pop(canary, None) is not None:
                self.metrics.observed(NEVER_S)

    def under_way(self, wait_s: float = 0.0) -> list[Canary]:
        """Those that are looked for; where there is none, waits so many seconds for one."""
        with self._changed:
            if not self._sent and wait_s > 0:
                self._changed.wait(wait_s)
            return list(self._sent)

    def seen(self, rows: Iterable[Canary]) -> None:
        """These are in ClickHouse now; others that have been under way for too long are late."""
        with self._changed:
            now = self.clock.monotonic()
            for canary in rows:
                began = self._sent.pop(canary, None)
                if began is not None:
                    self._observe(now - began)
            for canary, began in list(self._sent.items()):
                if now - began > LATE_S:
                    del self._sent[canary]
                    self._observe(max(NEVER_S, now - began))

    def _observe(self, seconds: float) -> None:
        self.metrics.observed(seconds)
        if seconds > LATE_S:
            self.metrics.failed(LATE)
