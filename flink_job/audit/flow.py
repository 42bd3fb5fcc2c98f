"""Whether data flows, and which part holds it up where it does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

LATELY_S = 60


@dataclass(frozen=True, slots=True)
class Written:
    """What ClickHouse has of late of the business; the canary is left out.

    Attributes:
        windows: Rows of the windows that began in the last minute.
        impressions: In these.
        clicks: In these.
        newest: When a row was last written, in seconds since the epoch; None without any row.
        now: The server's clock then.
    """

    windows: int
    impressions: int
    clicks: int
    newest: int | None
    now: int

    @property
    def age(self) -> int | None:
        """Seconds since a row was last written; None without any row."""
        return None if self.newest is None else max(0, self.now - self.newest)

    @property
    def fresh(self) -> bool:
        """Whether a row was written of late."""
        return self.age is not None and self.age <= LATELY_S


@dataclass(frozen=True, slots=True)
class Came:
    """What Kafka has of late.

    Attributes:
        events: Offsets of the last minute: events, and what transactions leave beside them; those
            of the canary are left out.
        uncounted: Events that the ledger in ClickHouse does not reach, of all inputs.
        unloaded: Messages of the results topics that the loader has not committed.
    """

    events: int
    uncounted: int
    unloaded: int


def told(came: Came | str, written: Written | str) -> list[str]:
    """What an operator is to know: two lines, the second of which names the part at fault.

    No row is no fault where no event came, which is why events are told first.

    Args:
        came: What Kafka has of late, or why it cannot be told.
        written: What ClickHouse has of late, or why it cannot be told.
    """
    return [f"events: {_events(came)}", f"rows:   {_rows(came, written)}"]


def held_up(came: Came, written: Written) -> str | None:
    """Which part keeps rows from being written; None where none does."""
    if written.fresh:
        return None
    # The loader first: while it is behind, nothing in ClickHouse says how far the job has come.
    if came.unloaded:
        return (
            f"FAULT, {came.unloaded:,} results of the job wait for the loader; look at ctr-loader "
            "and clickhouse-server"
        )
    if came.uncounted:
        return f"FAULT, {came.uncounted:,} events wait for the job; look at it and its TaskManagers"
    return None


def _events(came: Came | str) -> str:
    if isinstance(came, str):
        return came
    if not came.events:
        return f"none in the last {LATELY_S} s, nothing is sent"
    return f"{came.events:,} in the last {LATELY_S} s"


def _rows(came: Came | str, written: Written | str) -> str:
    if isinstance(written, str):
        return written
    if written.fresh:
        return (
            f"{written.windows:,} in the last {LATELY_S} s, {written.impressions:,} impressions, "
            f"{written.clicks:,} clicks; the newest was written {written.age} s ago"
        )
    newest = "there is none" if written.newest is None else f"the newest is of {_time(written)}"
    if isinstance(came, str):
        return newest
    if (part := held_up(came, written)) is not None:
        return f"{newest}: {part}"
    if came.events:
        return f"{newest}: all events since then were rejected, late or aborted, see ctr.ledger"
    return f"{newest}; no event waits"


def _time(written: Written) -> str:
    return f"{datetime.fromtimestamp(written.newest or 0, UTC):%Y-%m-%d %H:%M:%S} UTC"
