"""SIGTERM and SIGINT: a wish to stop, and a last moment by which the process is gone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

GRACE_S = 10


class Stop:
    """Whether somebody has asked the process to stop; asked by calling it.

    From the first signal on a timer runs, in a thread of its own: whatever blocks then, a library
    in C or a name that does not resolve, the process ends with status 0 in time. That is safe at
    any point, since offsets are committed behind the rows and rows may be written twice.
    """

    def __init__(
        self, *, grace_s: float = GRACE_S, end: Callable[[int], object] = os._exit
    ) -> None:
        """Nobody has asked yet.

        Args:
            grace_s: Seconds between the signal and the end that nothing holds up.
            end: Ends the process with this status at once.
        """
        self._asked = False
        self._end = end
        self._timer = threading.Timer(grace_s, self._out_of_time)
        self._timer.daemon = True
        self._before: dict[signal.Signals, Any] = {}

    def __call__(self) -> bool:
        """Whether to stop."""
        return self._asked

    def __enter__(self) -> Self:
        """Listen to the signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """The end was in time: no timer, and the handlers that were there before."""
        self._timer.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if not self._asked:
            self._asked = True
            self._timer.start()

    def _out_of_time(self) -> None:
        # No logging here: what blocks may have its lock.
        os.write(2, b"WARNING the end took too long, leaving as it is\n")
        self._end(0)
