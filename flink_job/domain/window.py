"""Ten-second windows of event time, and what is counted in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

WINDOW_MS = 10_000
OUT_OF_ORDER_MS = 5_000
ALLOWED_LATENESS_MS = 5_000
LATE_AFTER_MS = WINDOW_MS + OUT_OF_ORDER_MS + ALLOWED_LATENESS_MS


class WindowKey(NamedTuple):
    """A product and the start of a window, ms since the epoch."""

    product_id: str
    window_start: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Impressions and clicks of one product in one window; both only ever grow."""

    impressions: int = 0
    clicks: int = 0

    def plus(self, *, click: bool) -> Counts:
        """These counts and one event more."""
        return Counts(self.impressions + (not click), self.clicks + click)

    def __add__(self, other: Counts) -> Counts:
        """Both together."""
        return Counts(self.impressions + other.impressions, self.clicks + other.clicks)

    @property
    def ctr(self) -> float | None:
        """Clicks for an impression; None where there was no impression."""
        return self.clicks / self.impressions if self.impressions else None


def window_start(timestamp: int) -> int:
    """The start of the window that an event time (ms) falls into, also before 1970."""
    return timestamp - timestamp % WINDOW_MS
