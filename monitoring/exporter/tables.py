"""Looks at ClickHouse: the ledger, and what was written of late."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clickhouse_driver.errors import ServerException

from flink_job.audit.law import Ledger
from flink_job.audit.tables import TablesError, connected
from flink_job.domain import Entry, LedgerKey, Outcome
from flink_job.domain.ledger import missing_offsets
from flink_job.endpoints import ClickHouse
from monitoring.exporter.state import Tables

log = logging.getLogger(__name__)

SQL = Path(__file__).parent

# A server that does not answer holds up this source alone, and not for long.
SETTINGS = {"connect_timeout": 3, "send_receive_timeout": 10, "sync_request_timeout": 3}

# Events are seven days old at most, so that older hours of the ledger change by a recount only.
# They are read now and then: the ledger is kept for ever, and all of it is too much for each look.
OLD_AFTER_S = 9 * 86_400
OLD_EVERY_S = 3_600.0
# Where offsets lack an outcome old hours may have changed, which looks just so.
OLD_AGAIN_AFTER_S = 300.0
END_S = 2**32 - 1

# Rows are written to the newest windows as a rule. Where there are none all that may be written to
# are asked, which reads a column of days.
NEAR_S = 600
FAR_S = 8 * 86_400
FAR_EVERY_S = 60.0

# A server of somebody else's may keep what it tells of itself from us, by these codes of its own:
# no access to the database system, not enough privileges.
FORBIDDEN = (291, 497)
FORBIDDEN_AGAIN_AFTER_S = 300.0


@contextmanager
def watching(endpoint: ClickHouse) -> Iterator[Callable[[], Tables]]:
    """What takes a look at ClickHouse, over a connection that stays for as long as the block lasts.

    Raises:
        TablesError: ClickHouse does not answer in time, or refuses; by a look as well.
    """
    with connected(endpoint, **SETTINGS) as client:
        yield Watch(client).look


@dataclass(slots=True)
class Watch:
    """Takes looks at ClickHouse.

    Attributes:
        client: Of clickhouse-driver, which has no types.
        monotonic: Seconds that only grow.
        now: Seconds since the epoch.
    """

    client: Any
    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    _old: Ledger = field(default_factory=dict)
    _old_before: int = 0
    _old_read: float = float("-inf")
    _far_due: float = float("-inf")
    _parts_due: float = float("-inf")

    def look(self) -> Tables:
        """One look; what clickhouse-driver raises goes on to `connected`."""
        ledger = self._ledger()
        ((products, impressions, clicks),) = self._rows("recent.sql")
        newest_row = self._newest_row()
        return Tables(ledger, newest_row, products, impressions, clicks, self._parts())

    def _ledger(self) -> Ledger:
        """All of the ledger, old hours as they were read last."""
        if self.monotonic() - self._old_read > OLD_EVERY_S:
            self._read_old()
        whole = added(self._old, self._ledger_of(self._old_before, END_S))
        again = self.monotonic() - self._old_read > OLD_AGAIN_AFTER_S
        if again and any(missing_offsets(whole).values()):
            self._read_old()
            whole = added(self._old, self._ledger_of(self._old_before, END_S))
        return whole

    def _read_old(self) -> None:
        before = int(self.now()) - OLD_AFTER_S
        self._old, self._old_before = self._ledger_of(0, before), before
        self._old_read = self.monotonic()

    def _ledger_of(self, since: int, before: int) -> Ledger:
        return {
            LedgerKey(topic, partition, _outcome(outcome), 0): Entry(events, first, last)
            for topic, partition, outcome, events, first, last in self._rows(
                "ledger.sql", since=since, before=before
            )
        }

    def _newest_row(self) -> int | None:
        ((rows, newest),) = self._rows("newest_row.sql", seconds=NEAR_S)
        if not rows and self.monotonic() >= self._far_due:
            self._far_due = self.monotonic() + FAR_EVERY_S
            ((rows, newest),) = self._rows("newest_row.sql", seconds=FAR_S)
        return int(newest) if rows else None

    def _parts(self) -> dict[str, int]:
        """By table, the parts of its fullest partition; none where the user may not know."""
        if self.monotonic() < self._parts_due:
            return {}
        try:
            return dict(self._rows("parts.sql"))
        except ServerException as refusal:
            if refusal.code not in FORBIDDEN:
                raise
            log.warning("parts of tables are not known: grant SELECT ON system.parts to the user")
            self._parts_due = self.monotonic() + FORBIDDEN_AGAIN_AFTER_S
            return {}

    def _rows(self, file: str, **values: int) -> list[tuple[Any, ...]]:
        sql = (SQL / file).read_text(encoding="utf-8").format(**values)
        rows: list[tuple[Any, ...]] = self.client.execute(sql)
        return rows


def added(one: Ledger, other: Ledger) -> dict[LedgerKey, Entry]:
    """Both ledgers in one, which have no event in common."""
    whole = dict(one)
    for key, entry in other.items():
        known = whole.get(key)
        whole[key] = entry if known is None else _together(known, entry)
    return whole


def _outcome(name: str) -> Outcome:
    try:
        return Outcome(name)
    except ValueError:
        raise TablesError(f"The ledger has rows of an outcome {name!r}, which is none.") from None


def _together(one: Entry, other: Entry) -> Entry:
    return Entry(
        one.events + other.events,
        min(one.first_offset, other.first_offset),
        max(one.last_offset, other.last_offset),
    )
