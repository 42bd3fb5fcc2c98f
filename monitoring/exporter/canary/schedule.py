"""When a canary is sent, and which: a slot a second."""

from __future__ import annotations

import math
from dataclasses import dataclass

from flink_job.domain import CANARY_PRODUCT
from flink_job.loader.service import Clock

# A slot is used within its second, so that a product comes again after more than eleven seconds:
# never in the same window of ten.
PRODUCTS = 12


def product_of(slot: int) -> str:
    """The product that is sent in a slot."""
    return f"{CANARY_PRODUCT}{slot % PRODUCTS:02d}"


@dataclass(slots=True)
class Schedule:
    """Slots of a second each, numbered by the seconds since the epoch at the start.

    From then on the monotonic clock alone says when one begins: no slot drifts, and none comes
    twice when the clock on the wall is set. After a stall the newest slot is used, and those before
    it are left out with nothing counted for them: a burst would measure the stall of this process.
    A process that was started again goes on with the numbers, so that it sends no product that the
    one before has just sent.

    Attributes:
        clock: Time.
    """

    clock: Clock
    _zero: float
    _next: int

    @classmethod
    def begun(cls, clock: Clock) -> Schedule:
        """A schedule that begins with the next whole second."""
        now = clock.now()
        return cls(clock, clock.monotonic() - now, math.floor(now) + 1)

    def due(self) -> int | None:
        """The slot that has begun and was not used; None where the next is still to come."""
        slot = math.floor(self.clock.monotonic() - self._zero)
        if slot < self._next:
            return None
        self._next = slot + 1
        return slot

    def wait_s(self) -> float:
        """Seconds until the next slot begins; 0 where one has begun."""
        return max(0.0, self._next + self._zero - self.clock.monotonic())
