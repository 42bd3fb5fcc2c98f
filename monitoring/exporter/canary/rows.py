"""Looks for the canaries' rows in ClickHouse."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flink_job.audit.tables import TablesError
from flink_job.loader.backoff import Backoff
from flink_job.loader.service import Clock
from monitoring.exporter.canary.flight import Canary, Flight

log = logging.getLogger(__name__)

SQL = Path(__file__).with_name("seen.sql").read_text(encoding="utf-8")

SETTINGS = {"connect_timeout": 2, "send_receive_timeout": 5, "sync_request_timeout": 2}
EVERY_S = 0.05
LOOK_UP_S = 0.5
# While ClickHouse is away no row comes, and its return is seen a moment late.
AGAIN_WITHIN_S = 1.0


def seen_of(client: Any, canaries: Sequence[Canary]) -> set[Canary]:  # noqa: ANN401 - no types
    """Those that have a row; one question for all of them.

    What clickhouse-driver raises goes on to `connected`.
    """
    windows = [canary.window for canary in canaries]
    sql = SQL.format(
        products=", ".join(f"'{product}'" for product in sorted({one.product for one in canaries})),
        first=min(windows),
        last=max(windows),
    )
    return {Canary(*row) for row in client.execute(sql)} & set(canaries)


@dataclass(slots=True)
class Lookout:
    """Looks until it is asked to stop, whatever ClickHouse does.

    Attributes:
        opened: Opens a connection, whose client raises TablesError through it.
        flight: The canaries.
        stopping: Whether somebody has asked to stop.
        clock: Time.
    """

    opened: Callable[[], AbstractContextManager[Any]]
    flight: Flight
    stopping: Callable[[], bool]
    clock: Clock
    backoff: Backoff = field(default_factory=Backoff)
    _told: bool = False

    def run(self) -> None:
        """Look, and connect anew after each failure."""
        while not self.stopping():
            try:
                with self.opened() as client:
                    while not self.stopping():
                        self._look(client)
            except TablesError as problem:
                if not self._told:
                    log.warning("rows cannot be looked for: %s", problem)
                self._told = True
                # Time goes on: what is under way becomes late all the same.
                self.flight.seen(())
                self.clock.wait(min(self.backoff.next(), AGAIN_WITHIN_S), self.stopping)

    def _look(self, client: Any) -> None:  # noqa: ANN401
        canaries = self.flight.under_way(LOOK_UP_S)
        if not canaries:
            return
        self.flight.seen(seen_of(client, canaries))
        if self._told:
            log.info("rows are looked for again")
        self._told = False
        self.backoff.reset()
        self.clock.sleep(EVERY_S)
