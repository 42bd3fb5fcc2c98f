"""Sends a canary in each slot."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from flink_job.domain import window_start
from flink_job.loader.service import Clock
from monitoring.exporter.canary.flight import Canary, Flight
from monitoring.exporter.canary.schedule import Schedule, product_of

USER = "ctr-canary"
# How long a wish to stop may go unseen.
LOOK_UP_S = 0.5


class Sends(Protocol):
    """What the sender needs of Kafka."""

    def send(self, slot: int, key: str, value: bytes, failed: Callable[[], None]) -> None:
        """See `Outlet.send`."""


@dataclass(slots=True)
class Sender:
    """Sends until it is asked to stop.

    Attributes:
        outlet: Kafka.
        flight: The canaries.
        stopping: Whether somebody has asked to stop.
        clock: Time.
    """

    outlet: Sends
    flight: Flight
    stopping: Callable[[], bool]
    clock: Clock
    _last: dict[str, int] = field(default_factory=dict)

    def run(self) -> None:
        """Send one in each slot."""
        schedule = Schedule.begun(self.clock)
        while not self.stopping():
            slot = schedule.due()
            if slot is not None:
                self.send(slot)
            self.clock.sleep(min(LOOK_UP_S, schedule.wait_s()))

    def send(self, slot: int) -> None:
        """Send the canary of a slot.

        None where the clock on the wall was set back: the row of an earlier event would be taken
        for this one's.
        """
        product, timestamp = product_of(slot), int(self.clock.now() * 1_000)
        window = window_start(timestamp) // 1_000
        if window <= self._last.get(product, -1):
            return
        self._last[product] = window
        canary = Canary(product, window)
        self.flight.sent(canary)
        self.outlet.send(
            slot, product, event(product, timestamp), partial(self.flight.failed, canary)
        )


def event(product: str, timestamp: int) -> bytes:
    """The message; timestamp in ms since the epoch."""
    fields = {
        "userId": USER,
        "productId": product,
        "eventType": "impression",
        "timestamp": timestamp,
    }
    return json.dumps(fields).encode()
