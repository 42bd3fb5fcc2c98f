"""The ledger of all hours, of which the old ones are read now and then only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flink_job.domain.ledger import missing_offsets
from monitoring.page.tables import Booked

# Events are seven days old at most, so that older hours change by a recount only. The ledger is
# kept for ever, and all of it is too much for a question that is asked every few seconds.
OLD_AFTER_S = 9 * 86_400
OLD_EVERY_S = 3_600.0
# Where offsets lack an outcome old hours may have changed, which looks just so.
OLD_AGAIN_AFTER_S = 300.0
END_S = 2**32 - 1


@dataclass(slots=True)
class Books:
    """Reads the ledger.

    Attributes:
        booked: What was booked in the hours of a span: of its first second, and of that behind the
            last, since the epoch; raises TablesError.
        clock: Seconds, only forward.
        wall: Seconds since the epoch.
    """

    booked: Callable[[int, int], Booked]
    clock: Callable[[], float]
    wall: Callable[[], float]
    _old: Booked = field(default_factory=Booked)
    _old_before: int = 0
    _old_read: float = float("-inf")

    def read(self) -> Booked:
        """All of it, old hours as they were read last.

        Raises:
            TablesError: ClickHouse does not answer in time, or refuses.
        """
        if self.clock() - self._old_read > OLD_EVERY_S:
            self._read_old()
        whole = self._old + self.booked(self._old_before, END_S)
        again = self.clock() - self._old_read > OLD_AGAIN_AFTER_S
        if again and any(missing_offsets(whole.ledger).values()):
            self._read_old()
            whole = self._old + self.booked(self._old_before, END_S)
        return whole

    def _read_old(self) -> None:
        before = int(self.wall()) - OLD_AFTER_S
        self._old, self._old_before = self.booked(0, before), before
        self._old_read = self.clock()
