"""A batch: the rows of some messages, one a key, and where reading goes on behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from flink_job.loader.rows import Row
from flink_job.loader.tables import TABLES, Insert, Table, inserts


class Partition(NamedTuple):
    """A partition of a results topic."""

    topic: str
    partition: int


class Message(Protocol):
    """What the loader needs of a Kafka record."""

    @property
    def offset(self) -> int:
        """The offset in its partition."""

    @property
    def value(self) -> bytes | None:
        """The bytes of the message; None is a tombstone."""


class Batch:
    """Messages that go to ClickHouse together and are committed together."""

    def __init__(self, epoch: int, tables: Mapping[str, Table] = TABLES) -> None:
        """Begin an empty batch of rows of this epoch."""
        self._epoch = epoch
        self._tables = tables
        self._rows: dict[str, dict[tuple[Any, ...], Row]] = {topic: {} for topic in tables}
        self._first: dict[Partition, int] = {}
        self._next: dict[Partition, int] = {}
        self._messages = 0

    def __len__(self) -> int:
        """How many messages are in it, those without a row among them."""
        return self._messages

    @property
    def first_offsets(self) -> Mapping[Partition, int]:
        """The offset of the first message, by partition."""
        return self._first

    @property
    def next_offsets(self) -> Mapping[Partition, int]:
        """The offset behind the last message, by partition: what to commit."""
        return self._next

    def add(self, partition: Partition, message: Message) -> None:
        """Take a message in; of each key the row with the highest version stays, or the last.

        A message without a row counts as read all the same, so that it is never read again.

        Raises:
            Unreadable: There is no row in it.
        """
        self._messages += 1
        self._first.setdefault(partition, message.offset)
        self._next[partition] = message.offset + 1
        row = self._tables[partition.topic].row(message.value, self._epoch)
        rows = self._rows[partition.topic]
        known = rows.get(row.key)
        if known is None or row.version >= known.version:
            rows[row.key] = row

    def inserts(self) -> list[Insert]:
        """What to insert, table by table; nothing for a table without rows."""
        return [
            insert
            for topic, table in self._tables.items()
            for insert in inserts(table, self._rows[topic].values())
        ]
