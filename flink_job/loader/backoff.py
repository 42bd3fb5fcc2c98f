"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

FIRST_S = 0.2
LONGEST_S = 10.0


@dataclass(slots=True)
class Backoff:
    """Waits that double from 0.2 s to 10 s, each shortened at random by up to a half.

    The chance keeps several loaders from knocking at the same moment when ClickHouse is back.

    Attributes:
        chance: Gives a number from 0 up to 1.
    """

    chance: Callable[[], float] = random.random
    _next_s: float = FIRST_S

    def next(self) -> float:
        """Seconds to wait now; the next answer is longer."""
        wait = self._next_s * (1 - self.chance() / 2)
        self._next_s = min(LONGEST_S, self._next_s * 2)
        return wait

    def reset(self) -> None:
        """Begin anew after a success."""
        self._next_s = FIRST_S
