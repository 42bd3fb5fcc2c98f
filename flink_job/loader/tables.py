"""The two tables, which topic each is filled from, and how rows become columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from flink_job.loader.rows import LedgerRow, Row, WindowRow, ledger_row, window_row

# The server refuses an insert of rows for more than a hundred partitions
# (max_partitions_per_insert_block), and would do so for ever. Half of that leaves room for spans
# of rows that touch two partitions.
PARTITIONS_AN_INSERT = 50

Columns = list[list[str | int]]


class Client(Protocol):
    """What the loader needs of a ClickHouse client."""

    def execute(self, query: str, columns: Columns, *, columnar: bool) -> object:
        """Insert the columns; raises what the library raises when they are not in."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table and the topic that it is filled from.

    Attributes:
        name: Name of the table without its database, as the metrics have it.
        topic: Name of the results topic.
        row: Reads a message of the topic, given the epoch.
        query: The insert, which names the columns in the order of the row.
    """

    name: str
    topic: str
    row: Callable[[bytes | None, int], Row]
    query: str


WINDOWS = Table(
    name="ctr_windows",
    topic="ctr-windows",
    row=window_row,
    query=f"INSERT INTO ctr.ctr_windows ({', '.join(WindowRow._fields)}) VALUES",
)
LEDGER = Table(
    name="ledger",
    topic="ctr-ledger",
    row=ledger_row,
    query=f"INSERT INTO ctr.ledger ({', '.join(LedgerRow._fields)}) VALUES",
)
TABLES = {table.topic: table for table in (WINDOWS, LEDGER)}


@dataclass(frozen=True, slots=True)
class Insert:
    """Rows of one table that go to ClickHouse in one block."""

    table: Table
    rows: Sequence[Row]

    def columns(self) -> Columns:
        """The rows turned on their side, a list a column; times are integers of seconds."""
        return [list(column) for column in zip(*self.rows, strict=True)]


def inserts(table: Table, rows: Collection[Row]) -> Iterator[Insert]:
    """One insert, or as many as the server's limit of partitions in a block asks for."""
    by_partition: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_partition[row.table_partition].append(row)
    partitions = sorted(by_partition)
    for first in range(0, len(partitions), PARTITIONS_AN_INSERT):
        some = partitions[first : first + PARTITIONS_AN_INSERT]
        yield Insert(table, [row for partition in some for row in by_partition[partition]])
