"""How a load's rate goes over time, as the number of events that are due by each moment. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

BURST_FROM, BURST_TO = 0.45, 0.55


class Kind(StrEnum):
    """The shapes that there are."""

    CONSTANT = "constant"
    STEPS = "steps"
    RAMP = "ramp"
    SPIKE = "spike"
    DAY = "day"


class Shape(Protocol):
    """A rate over time."""

    def at(self, elapsed: float) -> float:
        """Events a second, so many seconds after the start."""

    def due(self, elapsed: float) -> float:
        """Events that are due in these seconds, the integral of `at`; it never falls."""


@dataclass(frozen=True, slots=True)
class Constant:
    """One rate all the time."""

    rate: float

    def at(self, _: float) -> float:
        """The rate."""
        return self.rate

    def due(self, elapsed: float) -> float:
        """Events until then."""
        return self.rate * elapsed


@dataclass(frozen=True, slots=True)
class Steps:
    """One rate after another, each for the same time; the last one goes on.

    Attributes:
        rates: Events a second.
        each: Seconds.
    """

    rates: tuple[int, ...]
    each: float

    def at(self, elapsed: float) -> float:
        """The rate of the step."""
        return self.rates[min(int(elapsed / self.each), len(self.rates) - 1)]

    def due(self, elapsed: float) -> float:
        """Events until then."""
        last = len(self.rates) - 1
        whole = min(int(elapsed / self.each), last)
        before = sum(self.rates[:whole]) * self.each
        return before + self.rates[whole] * (elapsed - whole * self.each)


@dataclass(frozen=True, slots=True)
class Ramp:
    """From nothing to a rate, evenly, and then on at that.

    Attributes:
        top: Events a second at the end of the rise.
        rise: Seconds.
    """

    top: float
    rise: float

    def at(self, elapsed: float) -> float:
        """The rate."""
        return self.top * min(elapsed / self.rise, 1)

    def due(self, elapsed: float) -> float:
        """Events until then."""
        risen = min(elapsed, self.rise)
        return self.top * (risen * risen / (2 * self.rise) + elapsed - risen)


@dataclass(frozen=True, slots=True)
class Spike:
    """A rate with a burst in the middle of each period, a tenth of it long.

    Attributes:
        base: Events a second.
        peak: The same, in a burst.
        period: Seconds from burst to burst.
    """

    base: float
    peak: float
    period: float

    def at(self, elapsed: float) -> float:
        """The rate."""
        part = elapsed / self.period % 1
        return self.peak if BURST_FROM <= part < BURST_TO else self.base

    def due(self, elapsed: float) -> float:
        """Events until then."""
        periods, part = divmod(elapsed / self.period, 1)
        bursting = min(max(part - BURST_FROM, 0), BURST_TO - BURST_FROM)
        bursting += periods * (BURST_TO - BURST_FROM)
        return self.base * elapsed + (self.peak - self.base) * bursting * self.period


@dataclass(frozen=True, slots=True)
class Day:
    """A sine from its lowest rate to its highest and back.

    Attributes:
        low: Events a second, at the start.
        high: The same, half a period later.
        period: Seconds that a day takes.
    """

    low: float
    high: float
    period: float

    def at(self, elapsed: float) -> float:
        """The rate."""
        swing = math.cos(2 * math.pi * elapsed / self.period)
        return (self.high + self.low) / 2 - (self.high - self.low) / 2 * swing

    def due(self, elapsed: float) -> float:
        """Events until then."""
        turn = 2 * math.pi / self.period
        swing = math.sin(turn * elapsed) / turn
        return (self.high + self.low) / 2 * elapsed - (self.high - self.low) / 2 * swing


@dataclass(frozen=True, slots=True)
class Joined:
    """One shape, and from a moment on another one, which begins then.

    Attributes:
        before: The first.
        moment: Seconds after the start.
        after: The second.
    """

    before: Shape
    moment: float
    after: Shape

    def at(self, elapsed: float) -> float:
        """The rate."""
        if elapsed < self.moment:
            return self.before.at(elapsed)
        return self.after.at(elapsed - self.moment)

    def due(self, elapsed: float) -> float:
        """Events until then."""
        if elapsed < self.moment:
            return self.before.due(elapsed)
        return self.before.due(self.moment) + self.after.due(elapsed - self.moment)
