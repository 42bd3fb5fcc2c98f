"""What was counted anew, as the loader would bring it into the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from flink_job.audit.topics import read_whole
from flink_job.backfill.plan import Plan
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.endpoints import Kafka
from flink_job.loader.rows import LedgerRow, Row, Unreadable, WindowRow
from flink_job.loader.tables import LEDGER, WINDOWS, Table


@dataclass(frozen=True, slots=True)
class Results:
    """Windows and ledger of a range, as the domain has them."""

    windows: dict[WindowKey, Counts]
    ledger: dict[LedgerKey, Entry]


@dataclass(frozen=True, slots=True)
class Recounted:
    """The rows that a recount gives for a range, one a key."""

    windows: Sequence[WindowRow]
    ledger: Sequence[LedgerRow]

    @property
    def results(self) -> Results:
        """The same as the domain has it."""
        return Results(
            {
                WindowKey(row.product_id, row.window_start * 1_000): Counts(
                    row.impressions, row.clicks
                )
                for row in self.windows
            },
            {
                LedgerKey(row.topic, row.partition, Outcome(row.outcome), row.hour * 1_000): Entry(
                    row.events, row.first_offset, row.last_offset
                )
                for row in self.ledger
            },
        )


Read = Callable[[Kafka, Sequence[str]], Iterable[Any]]


def read_recounted(
    endpoint: Kafka, plan: Plan, epoch: int, *, read: Read = read_whole
) -> Recounted:
    """Read what a recount has written, of each key the highest count.

    Args:
        endpoint: How to reach Kafka.
        plan: Of the recount.
        epoch: The loader's, whose rows these are to be like.
        read: Reads whole topics.

    Raises:
        TopicsError: Kafka cannot be read.
    """

    def rows(table: Table) -> Iterator[Row]:
        for message in read(endpoint, (plan.topic(table.topic),)):
            # What the loader passes over is in no table.
            with suppress(Unreadable):
                yield table.row(message.value, epoch)

    windows = [row for row in highest(rows(WINDOWS)) if isinstance(row, WindowRow)]
    ledger = [row for row in highest(rows(LEDGER)) if isinstance(row, LedgerRow)]
    return Recounted(
        [row for row in windows if row.window_start * 1_000 in plan.span],
        [row for row in ledger if plan.holds(row.outcome, row.hour * 1_000)],
    )


def highest(rows: Iterable[Row]) -> Iterable[Row]:
    """Of each key the row with the highest version."""
    kept: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        known = kept.get(row.key)
        if known is None or row.version >= known.version:
            kept[row.key] = row
    return kept.values()
