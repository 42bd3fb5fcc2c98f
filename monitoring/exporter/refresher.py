"""The loop that looks at a source, on a beat that all sources share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Generic

from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import TablesError
from flink_job.loader.service import Clock
from monitoring.exporter.board import Board
from monitoring.exporter.state import Found, State, When
from monitoring.exporter.store import StoreError

log = logging.getLogger(__name__)

BEAT_S = 5.0


@dataclass(slots=True)
class Refresher(Generic[Found]):
    """Looks at one source until it is asked to stop, whatever the source does.

    Attributes:
        name: Of the source.
        opened: Opens a connection, whose looks raise TopicsError, TablesError
            or StoreError.
        board: Where what was found goes.
        seen: The state after a look that succeeded.
        away: The state after one that failed, which took so many seconds.
        stopping: Whether somebody has asked to stop.
        clock: Time.
    """

    name: str
    opened: Callable[[], AbstractContextManager[Callable[[], Found]]]
    board: Board
    seen: Callable[[State, Found, When], State]
    away: Callable[[State, float], State]
    stopping: Callable[[], bool]
    clock: Clock
    _told: bool = False

    def run(self) -> None:
        """Look, and connect anew after each failure."""
        while not self.stopping():
            began = self.clock.monotonic()
            try:
                with self.opened() as look:
                    while not self.stopping():
                        began = self.clock.monotonic()
                        self._take(look(), began)
                        self._rest()
            except (TopicsError, TablesError, StoreError) as problem:
                seconds = self.clock.monotonic() - began
                self.board.change(partial(self._lost, seconds))
                if not self._told:
                    log.warning("%s is away: %s", self.name, problem)
                self._told = True
                self._rest()

    def _take(self, found: Found, began: float) -> None:
        when = When(began, self.clock.now(), self.clock.monotonic() - began)
        self.board.change(lambda state: self.seen(state, found, when))
        if self._told:
            log.info("%s is back", self.name)
        self._told = False

    def _lost(self, seconds: float, state: State) -> State:
        return self.away(state, seconds)

    def _rest(self) -> None:
        """Until the next beat, which is the same moment for all sources."""
        self.clock.wait(BEAT_S - self.clock.monotonic() % BEAT_S, self.stopping)
