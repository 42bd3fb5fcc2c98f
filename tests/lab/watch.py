"""When counts rose in ClickHouse, watched from outside, so that a silence can be measured."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Self

ASKED_EVERY_S = 0.2


class Watch:
    """Asks for a number that only rises, and keeps when it did.

    An answer that does not come is no rise: what is away is what is measured.
    """

    def __init__(self, count: Callable[[], int | None]) -> None:
        """Say what is asked; None where there is no answer."""
        self._count = count
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.rises: list[float] = []

    def __enter__(self) -> Self:
        """Begin to ask."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ask no more."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        highest: int | None = None
        while not self._ended.wait(ASKED_EVERY_S):
            count = self._count()
            if count is not None and (highest is None or count > highest):
                highest = count
                self.rises.append(time.monotonic())


def silence(rises: Sequence[float], begin: float) -> tuple[float, float] | None:
    """The longest time without a rise that ended after `begin`, as its two ends, in seconds.

    None while there is no rise after `begin`, or none before it to count from.
    """
    gaps = [(one, other) for one, other in pairwise(rises) if other > begin]
    return max(gaps, key=lambda gap: gap[1] - gap[0], default=None)
