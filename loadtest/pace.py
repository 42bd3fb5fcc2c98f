"""How many events are due: rates that are held in total, whatever single moments are like. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.shape import Shape

# After a stall what was missed is made up for, at no more than this many times the rate: all of it
# at once would be a load that nobody asked for.
CATCHING_UP = 2.0
LONGEST_TICK_S = 0.5


@dataclass(slots=True)
class Pace:
    """A part of a load from a moment on.

    Attributes:
        shape: Of the whole load.
        users: How many share it alike.
        events: How many this one is to send in all; None is without end.
        sent: Events so far.
    """

    shape: Shape
    users: int = 1
    events: int | None = None
    sent: int = 0
    _asked: float = 0.0

    def due(self, elapsed: float) -> int:
        """How many events to send now; they count as sent.

        Args:
            elapsed: Seconds since the start, never fewer than the last time.
        """
        due = self.shape.due(elapsed)
        lately = due - self.shape.due(max(self._asked, elapsed - LONGEST_TICK_S))
        most = max(1, int(lately / self.users * CATCHING_UP))
        wanted = int(due / self.users)
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
