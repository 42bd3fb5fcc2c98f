"""Where what is known stands: the threads that look write it, and a scrape reads it."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from monitoring.exporter.state import State


class Board:
    """The one state; each change takes the place of the one before."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._state = State()
        self._writing = Lock()

    @property
    def state(self) -> State:
        """What is known now; whoever reads it waits for nobody."""
        return self._state

    def change(self, change: Callable[[State], State]) -> None:
        """Let what follows from the state take its place."""
        with self._writing:
            self._state = change(self._state)
