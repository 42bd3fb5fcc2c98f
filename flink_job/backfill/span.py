"""The range of time that is counted anew: whole hours. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flink_job.domain.ledger import HOUR_MS, hour_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SpanError(Exception):
    """The range cannot be counted anew; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of time, ms since the epoch, UTC; its end is behind it."""

    start: int
    end: int

    def __contains__(self, time: int) -> bool:
        """Whether a time (ms) is in it."""
        return self.start <= time < self.end

    @property
    def hours(self) -> range:
        """The starts of its hours, ms."""
        return range(self.start, self.end, HOUR_MS)

    @property
    def days(self) -> list[str]:
        """The partitions of ctr.ctr_windows that it touches, by ID."""
        return sorted({f"{_time(hour):%Y%m%d}" for hour in self.hours})

    @property
    def months(self) -> list[str]:
        """The partitions of ctr.ledger that it touches, by ID."""
        return sorted({f"{_time(hour):%Y%m}" for hour in self.hours})

    def __str__(self) -> str:
        """The range as one reads it."""
        return f"{told(self.start)} to {told(self.end)}"


def told(time: int) -> str:
    """A time in ms since the epoch as ISO 8601, UTC, to the second."""
    return f"{_time(time):%Y-%m-%dT%H:%M:%SZ}"


def span_of(first: str, last: str, now: int) -> Span:
    """The whole hours that hold a range.

    Args:
        first: Its begin, ISO 8601 in UTC.
        last: Its end, the same.
        now: The time in ms.

    Raises:
        SpanError: It is no range, or there is nothing of it yet.
    """
    start, end = _parsed("from", first), _parsed("to", last)
    if start >= end:
        raise SpanError(f"from={first} is not before to={last}: nothing is between them.")
    if start >= now:
        raise SpanError(f"from={first} is in the future: there is nothing to count yet.")
    return Span(hour_of(start), hour_of(end + HOUR_MS - 1))


def is_exact(span: Span, first: str, last: str) -> bool:
    """Whether the range that was named is whole hours itself."""
    return (span.start, span.end) == (_parsed("from", first), _parsed("to", last))


def _parsed(name: str, text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.utcoffset() != timedelta(0):
        raise SpanError(
            f"{name}={text} is no time in UTC: give it as in {name}=2026-11-27T09:00:00Z."
        )
    if time < EPOCH:
        raise SpanError(f"{name}={text} is before 1970: no window is as old as that.")
    return (time - EPOCH) // timedelta(milliseconds=1)


def _time(time: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time)
