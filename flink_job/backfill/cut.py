"""How much of a partition tells all that there is of a range: see the package. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from flink_job.domain import Record, judge
from flink_job.domain.outcome import FUTURE_MS
from flink_job.domain.window import LATE_AFTER_MS, WINDOW_MS

# So long before a range its first events may be appended; a second more than need be.
BEFORE_MS = FUTURE_MS + 1_000
# By less than this do the clocks of brokers differ, and append times of a partition step back.
STEP_BACK_MS = 60_000
# A clock this far behind the end of a range has closed it.
BEHIND_MS = LATE_AFTER_MS - WINDOW_MS + STEP_BACK_MS


@dataclass(frozen=True, slots=True)
class Passed:
    """Where a partition's clock came to a time for the first time.

    Attributes:
        offset: Of the record that brought it there.
        appended: The highest append time up to it, ms: the append times of others may be less.
    """

    offset: int
    appended: int


@dataclass(slots=True)
class Watch:
    """Waits for a partition's clock, record by record.

    Attributes:
        clock: The time in ms that it waits for.
    """

    clock: int
    _appended: int = 0

    def look(self, record: Record) -> Passed | None:
        """Take the next record; where it is the first that brings the clock there, so it says."""
        self._appended = max(self._appended, record.appended)
        # Without a past the clock is what this record alone would move it to.
        seen = judge(record, None).clock
        if seen is None or seen < self.clock:
            return None
        return Passed(record.offset, self._appended)
