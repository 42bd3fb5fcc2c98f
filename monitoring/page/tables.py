"""The questions that the page asks of ClickHouse, as functions with typed answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flink_job.domain import Counts, Entry, LedgerKey, Outcome

SQL = Path(__file__).parent / "sql"
PRODUCTS = 50

# Starts of windows or of longer steps, in seconds since the epoch, and what was counted in each.
Series = Mapping[int, Counts]


class Asked(Protocol):
    """What is needed of ClickHouse."""

    def ask(
        self, question: str, parameters: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that answer a question; raises TablesError."""


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest windows of all products together.

    Attributes:
        windows: By their start.
        written: When the newest row was written, in seconds since the epoch; None without any.
    """

    windows: Series
    written: int | None


@dataclass(frozen=True, slots=True)
class Product:
    """A product and what was counted of it."""

    product_id: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Found:
    """Products whose id begins in one way.

    Attributes:
        products: Their ids, sorted; at most `PRODUCTS`, and the one that is the text itself.
        more: Whether there are more.
    """

    products: tuple[str, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """When a product was in the windows.

    Attributes:
        first: Start of its first window that is kept, in seconds since the epoch.
        last: Start of its last one.
    """

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Booked:
    """The ledger of some hours, without these.

    Attributes:
        ledger: In all; the hour of every key is 0.
        day: Events of the last day, by topic and outcome.
    """

    ledger: Mapping[LedgerKey, Entry] = field(default_factory=dict)
    day: Mapping[tuple[str, Outcome], int] = field(default_factory=dict)

    def __add__(self, other: Booked) -> Booked:
        """That of both, which have no hour in common."""
        ledger, day = dict(self.ledger), dict(self.day)
        for key, entry in other.ledger.items():
            known = ledger.get(key)
            ledger[key] = entry if known is None else _together(known, entry)
        for outcome, events in other.day.items():
            day[outcome] = day.get(outcome, 0) + events
        return Booked(ledger, day)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables; every function may raise TablesError."""

    clickhouse: Asked

    def recent(self) -> Recent:
        """The windows of the last two minutes."""
        rows = self._rows("recent")
        return Recent(
            {start: Counts(seen, clicked) for start, seen, clicked, _ in rows},
            max((written for *_, written in rows), default=None),
        )

    def hour(self) -> Series:
        """The windows of the last hour, all products together."""
        return {start: Counts(seen, clicked) for start, seen, clicked in self._rows("hour")}

    def top(self) -> tuple[Product, ...]:
        """Those products that were seen most often in the last hour, in this order."""
        return tuple(
            Product(one, Counts(seen, clicked)) for one, seen, clicked in self._rows("top")
        )

    def products(self, prefix: str) -> Found:
        """Products whose id begins with this text."""
        rows = self._rows("products", pattern=f"{_literally(prefix)}%", limit=PRODUCTS + 1)
        found = [one for (one,) in rows]
        if len(found) <= PRODUCTS:
            return Found(tuple(sorted(found)), more=False)
        # Of many that begin so, the one that is asked for must not be among the others.
        exact = {prefix} if self.seen(prefix) is not None else set()
        return Found(tuple(sorted(exact.union(found[:PRODUCTS]))), more=True)

    def seen(self, product: str) -> Seen | None:
        """When a product was in the windows; None where it never was."""
        ((rows, first, last),) = self._rows("seen", product=product)
        return Seen(first, last) if rows else None

    def history(self, product: str, step: int, first: int, end: int) -> Series:
        """What was counted of a product, by steps; all in seconds since the epoch.

        Args:
            product: Its id.
            step: Length of a step.
            first: The first second.
            end: The second behind the last.
        """
        rows = self._rows("history", product=product, step=step, first=first, end=end)
        return {start: Counts(seen, clicked) for start, seen, clicked in rows}

    def booked(self, since: int, before: int) -> Booked:
        """The ledger of the hours from one second to before another, both since the epoch."""
        ledger, day = {}, dict[tuple[str, Outcome], int]()
        rows = self._rows("ledger", since=since, before=before)
        for topic, partition, name, events, of_day, first, last in rows:
            outcome = Outcome(name)
            ledger[LedgerKey(topic, partition, outcome, 0)] = Entry(events, first, last)
            day[topic, outcome] = day.get((topic, outcome), 0) + of_day
        return Booked(ledger, day)

    def _rows(self, name: str, **parameters: str | int) -> list[tuple[Any, ...]]:
        question = (SQL / f"{name}.sql").read_text(encoding="utf-8")
        return self.clickhouse.ask(question, parameters or None)


def _together(one: Entry, other: Entry) -> Entry:
    return Entry(
        one.events + other.events,
        min(one.first_offset, other.first_offset),
        max(one.last_offset, other.last_offset),
    )


def _literally(text: str) -> str:
    """A text as LIKE takes it, where two signs and the backslash have a meaning."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
