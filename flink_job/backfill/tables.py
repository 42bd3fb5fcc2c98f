"""The tables in ClickHouse: what they have of a range, and its replacement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flink_job.backfill.plan import Plan
from flink_job.backfill.results import Recounted, Results
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.loader.tables import LEDGER, WINDOWS, Table, inserts

SQL = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Tables:
    """The two tables, for the range of a plan.

    Attributes:
        client: Of clickhouse-driver, which has no types; it may drop and make tables.
        plan: Of the recount.
    """

    client: Any
    plan: Plan

    def results(self) -> Results:
        """What is there of the range."""
        return Results(
            {
                WindowKey(product, start * 1_000): Counts(impressions, clicks)
                for product, start, impressions, clicks in self._run("windows.sql")
            },
            {
                LedgerKey(topic, partition, Outcome(outcome), hour * 1_000): Entry(*entry)
                for topic, partition, outcome, hour, *entry in self._run("ledger.sql")
            },
        )

    def dropped(self) -> list[int]:
        """The hours of the range, in ms, whose windows retention has dropped."""
        return [hour * 1_000 for (hour,) in self._run("dropped.sql")]

    def clear(self) -> None:
        """Drop the tables that rows are gathered in, where there are any."""
        for table in (WINDOWS, LEDGER):
            self._run(f"drop_{table.name}.sql")

    def replace(self, recounted: Recounted) -> None:
        """Let the range be what was counted anew; each partition at one stroke.

        Nobody else may write meanwhile: what came between would be lost. Cut off in between, it
        has replaced some partitions, and may be done again.
        """
        self.clear()
        span = self.plan.span
        for table, rows, partitions in (
            (WINDOWS, recounted.windows, span.days),
            (LEDGER, recounted.ledger, span.months),
        ):
            self._run(f"make_{table.name}.sql")
            for insert in inserts(_gathering(table), rows):
                self.client.execute(insert.table.query, insert.columns(), columnar=True)
            for partition in partitions:
                self._run(f"keep_{table.name}.sql", partition=partition)
        # All rows are gathered before the first is replaced.
        for table, partitions in ((WINDOWS, span.days), (LEDGER, span.months)):
            for partition in partitions:
                ((rows_of_it,),) = self._run(f"gathered_{table.name}.sql", partition=partition)
                step = "replace" if rows_of_it else "empty"
                self._run(f"{step}_{table.name}.sql", partition=partition)
        self.clear()

    def _run(self, file: str, **more: str) -> list[tuple[Any, ...]]:
        # Whole numbers only, so that nothing needs quoting. ClickHouse 18.16 takes no parameters.
        statement = (
            (SQL / file)
            .read_text(encoding="utf-8")
            .format(
                start=self.plan.first // 1_000,
                end=self.plan.last // 1_000,
                appended=self.plan.appended.end // 1_000,
                **more,
            )
        )
        rows: list[tuple[Any, ...]] = self.client.execute(statement)
        return rows


def _gathering(table: Table) -> Table:
    """The table that the rows of another are gathered in."""
    name = f"{table.name}_backfill"
    return replace(
        table, name=name, query=table.query.replace(f"ctr.{table.name} ", f"ctr.{name} ")
    )
