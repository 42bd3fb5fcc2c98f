"""How many events are due: a rate that is held in total, whatever single moments are like. Pure."""

from __future__ import annotations

from dataclasses import dataclass

# After a stall what was missed is made up for, at no more than this many times the rate: all of it
# at once would be a load that nobody asked for.
CATCHING_UP = 2.0
LONGEST_TICK_S = 0.5


@dataclass(slots=True)
class Pace:
    """A rate from a moment on.

    Attributes:
        rate: Events a second.
        events: How many in all; None is without end.
        sent: Events so far.
    """

    rate: float
    events: int | None = None
    sent: int = 0
    _asked: float = 0.0

    def due(self, elapsed: float) -> int:
        """How many events to send now; they count as sent.

        Args:
            elapsed: Seconds since the start, never fewer than the last time.
        """
        most = max(1, int(min(elapsed - self._asked, LONGEST_TICK_S) * self.rate * CATCHING_UP))
        wanted = int(elapsed * self.rate)
        if self.events is not None:
            wanted = min(wanted, self.events)
        count = max(0, min(wanted - self.sent, most))
        self._asked = elapsed
        self.sent += count
        return count

    @property
    def done(self) -> bool:
        """Whether all have been sent."""
        return self.events is not None and self.sent >= self.events
