"""The page's questions on ClickHouse's own engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from chdb.session import Session
from clickhouse_driver.util.escape import escape_params

import flink_job.loader
from flink_job.domain import Counts, Entry, LedgerKey, Outcome
from monitoring.page.books import END_S
from monitoring.page.tables import PRODUCTS, SQL, Found, Product, Seen, Tables

SCHEMA = sorted((Path(flink_job.loader.__file__).parent / "schema").glob("*.sql"))
NASTY = [
    "a/b",
    "100%",
    "100x",
    "a_b",
    "axb",
    "back\\slash",
    "it's",
    '"><script>alert(1)</script>',
    "%(limit)s {x:String}",
    "line\nend\ttab\0nul\b\f\v\a",
    "Größe 🎉 \u202e",
    "x" * 1_000,
]


class Engine(Protocol):
    """What the tests need of chdb, which has no types."""

    def query(self, sql: str, fmt: str = ...) -> Any:  # noqa: ANN401
        """Run a statement."""


class Asked:
    """The page's ClickHouse, on an engine in this process; parameters are quoted by the driver."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(
        self, question: str, parameters: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        if parameters is not None:
            question %= escape_params(dict(parameters), SimpleNamespace())
        settings = "SETTINGS output_format_json_quote_64bit_integers = 0"
        rows = str(self._engine.query(f"{question} {settings}", "JSONCompactEachRow"))
        return [tuple(json.loads(line)) for line in rows.splitlines()]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the module: a process has one at a time."""
    session = Session(str(tmp_path_factory.mktemp("clickhouse")))
    yield session
    session.close()


@pytest.fixture
def tables(engine: Engine) -> Tables:
    """The page's questions on empty tables."""
    engine.query("DROP DATABASE IF EXISTS ctr")
    for file in SCHEMA:
        engine.query(file.read_text())
    return Tables(Asked(engine))


def count(engine: Engine, product: str, start: int, counts: Counts) -> None:
    seen, clicked = counts.impressions, counts.clicks
    row = [product, start, start + 10, seen, clicked, seen + clicked]
    columns = "(product_id, window_start, window_end, impressions, clicks, version)"
    engine.query(
        f"INSERT INTO ctr.ctr_windows {columns} FORMAT JSONCompactEachRow {json.dumps(row)}"
    )


def book(engine: Engine, *row: str | int) -> None:
    columns = "(topic, partition, outcome, hour, events, first_offset, last_offset, version)"
    engine.query(
        f"INSERT INTO ctr.ledger {columns} FORMAT JSONCompactEachRow {json.dumps([*row, row[4]])}"
    )


def window_of(ago_s: int) -> int:
    return (int(time.time()) - ago_s) // 10 * 10


def test_every_question_is_asked_on_empty_tables(tables: Tables) -> None:
    assert tables.recent().windows == {}
    assert tables.recent().written is None
    assert tables.hour() == {}
    assert tables.top() == ()
    assert tables.products("") == Found((), more=False)
    assert tables.seen("p") is None
    assert tables.history("p", 10, 0, 2**31) == {}
    assert tables.booked(0, END_S).ledger == {}
    assert len(list(SQL.glob("*.sql"))) == 7


def test_a_window_that_was_sent_again_counts_once_and_the_canary_not_at_all(
    engine: Engine, tables: Tables
) -> None:
    start = window_of(30)
    count(engine, "p", start, Counts(5, 1))
    count(engine, "p", start, Counts(8, 2))
    count(engine, "p", start, Counts(7, 2))
    count(engine, "q", start, Counts(1, 1))
    count(engine, "ctr-canary-03", start, Counts(100, 0))
    count(engine, "ctr-canar", start, Counts(10, 0))
    assert tables.recent().windows == tables.hour() == {start: Counts(19, 3)}
    assert abs((tables.recent().written or 0) - time.time()) < 60
    assert tables.top() == (
        Product("ctr-canar", Counts(10, 0)),
        Product("p", Counts(8, 2)),
        Product("q", Counts(1, 1)),
    )
    assert tables.products("ctr") == Found(("ctr-canar",), more=False)
    assert tables.seen("ctr-canary-03") is None


def test_two_minutes_and_an_hour_end_where_they_should(engine: Engine, tables: Tables) -> None:
    newest, recent, older, old = (window_of(ago) for ago in (20, 40, 1_000, 3_700))
    for start in (newest, recent, older, old):
        count(engine, "p", start, Counts(1, 0))
    count(engine, "p", window_of(-60), Counts(1, 0))
    assert sorted(tables.recent().windows) == [recent, newest]
    assert sorted(tables.hour()) == [older, recent, newest]
    assert tables.top() == (Product("p", Counts(3, 0)),)


def test_a_history_is_by_steps_and_of_its_product_alone(engine: Engine, tables: Tables) -> None:
    minute = window_of(600) // 60 * 60
    for product in ("p", "pp"):
        for offset in (0, 10, 70):
            count(engine, product, minute + offset, Counts(2, 1))
    count(engine, "p", minute, Counts(3, 1))
    assert tables.history("p", 60, minute, minute + 120) == {
        minute: Counts(5, 2),
        minute + 60: Counts(2, 1),
    }
    assert tables.history("p", 10, minute + 10, minute + 70) == {minute + 10: Counts(2, 1)}
    assert tables.seen("p") == Seen(minute, minute + 70)


@pytest.mark.parametrize("product", NASTY)
def test_an_id_of_any_content_is_found_as_it_is(
    engine: Engine, tables: Tables, product: str
) -> None:
    start = window_of(30)
    for one in NASTY:
        count(engine, one, start, Counts(3, 1))
    assert tables.products(product).products == (product,)
    assert product in tables.products(product[:1]).products
    assert tables.seen(product) == Seen(start, start)
    assert tables.history(product, 10, start, start + 10) == {start: Counts(3, 1)}
    assert product in {one.product_id for one in tables.top()}


def test_of_more_products_than_are_shown_it_is_said_that_there_are_more(
    engine: Engine, tables: Tables
) -> None:
    start = window_of(30)
    for number in range(PRODUCTS):
        count(engine, f"p{number}", start, Counts(1, 0))
    assert not tables.products("p").more
    count(engine, "p", start, Counts(1, 0))
    found = tables.products("p")
    assert found.more
    assert "p" in found.products
    assert len(tables.top()) == 20


def test_the_ledger_is_told_without_its_hours_and_without_the_canary(
    engine: Engine, tables: Tables
) -> None:
    now, before = window_of(0) // 3_600 * 3_600, window_of(0) // 3_600 * 3_600 - 30 * 3_600
    book(engine, "clicks", 0, "counted", now, 5, 10, 20)
    book(engine, "clicks", 0, "counted", now, 7, 10, 22)
    book(engine, "clicks", 0, "counted", before, 9, 0, 9)
    book(engine, "clicks", 1, "late", now, 1, 3, 3)
    book(engine, "canary", 0, "counted", now, 50, 0, 49)
    booked = tables.booked(0, END_S)
    assert booked.ledger == {
        LedgerKey("clicks", 0, Outcome.COUNTED, 0): Entry(16, 0, 22),
        LedgerKey("clicks", 1, Outcome.LATE, 0): Entry(1, 3, 3),
    }
    assert booked.day == {("clicks", Outcome.COUNTED): 7, ("clicks", Outcome.LATE): 1}
    # No hour is in two spans that meet, nor in none.
    assert tables.booked(0, now) + tables.booked(now, END_S) == booked
