"""An answer that is kept for all users together, and outlives an outage of whoever gave it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from flink_job.audit.tables import TablesError

T = TypeVar("T")

RETRY_S = 1.0

Later = Callable[[Callable[[], None]], object]


def in_a_thread(work: Callable[[], None]) -> None:
    """Do some work beside the request that asked for it."""
    threading.Thread(target=work, daemon=True).start()


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What is known.

    Attributes:
        value: The newest answer; None where none was ever given.
        age_s: Seconds since it was given; 0 without any.
        problem: Why there is no newer one, a sentence; None where all is well.
    """

    value: T | None
    age_s: float
    problem: str | None


class Kept(Generic[T]):
    """One question, asked at most once in a while whoever wants to know.

    An answer is given again while it is fresh. For a grace after that it is given once more, and
    the question is asked meanwhile, so that nobody waits for what takes long. Nobody waits either
    for a question that failed the last time.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        fresh_s: float = 1.0,
        grace_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        later: Later = in_a_thread,
    ) -> None:
        """Ask nothing yet.

        Args:
            ask: Answers, or raises TablesError.
            fresh_s: Seconds for which an answer is not asked for again; a failure is asked for
                again after `RETRY_S` at the latest.
            grace_s: Seconds after that in which an answer is still good enough.
            clock: Seconds, only forward.
            later: Does some work beside the request.
        """
        self._ask = ask
        self._fresh_s = fresh_s
        self._grace_s = grace_s
        self._clock = clock
        self._later = later
        self._state = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._value: T | None = None
        self._given_at: float | None = None
        self._asked_at: float | None = None
        self._problem: str | None = None
        self._asking = False

    def get(self) -> Answer[T]:
        """What is known, asked for if it must be."""
        with self._state:
            now = self._clock()
            if self._is_fresh(now):
                return self._answer(now)
            if self._problem is not None or self._is_good_enough(now):
                begin = not self._asking
                self._asking = True
                answer = self._answer(now)
            else:
                begin, answer = False, None
        if begin:
            self._later(self._refresh)
        if answer is not None:
            return answer
        self._ask_once()
        with self._state:
            return self._answer(self._clock())

    def _refresh(self) -> None:
        try:
            self._ask_once()
        finally:
            with self._state:
                self._asking = False

    def _ask_once(self) -> None:
        with self._one_at_a_time:
            with self._state:
                # Somebody else has asked while this one waited.
                if self._is_fresh(self._clock()):
                    return
            try:
                value = self._ask()
            except TablesError as problem:
                with self._state:
                    self._problem, self._asked_at = str(problem), self._clock()
                return
            with self._state:
                self._value, self._problem = value, None
                self._given_at = self._asked_at = self._clock()

    def _is_fresh(self, now: float) -> bool:
        if self._asked_at is None:
            return False
        fresh_s = self._fresh_s if self._problem is None else min(self._fresh_s, RETRY_S)
        return now - self._asked_at < fresh_s

    def _is_good_enough(self, now: float) -> bool:
        return self._given_at is not None and now - self._given_at < self._fresh_s + self._grace_s

    def _answer(self, now: float) -> Answer[T]:
        age = 0.0 if self._given_at is None else max(0.0, now - self._given_at)
        return Answer(self._value, age, self._problem)
