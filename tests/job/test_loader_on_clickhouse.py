"""The schema and the loader's inserts on ClickHouse's own engine."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from chdb.session import Session

import flink_job.audit
import flink_job.loader
from flink_job.loader.batch import Batch, Partition
from flink_job.loader.retention.__main__ import FEWEST_DAYS, main, retire
from flink_job.loader.tables import TABLES, Columns, Insert

T = 1_764_000_000_000
DAY_MS = 86_400_000
SCHEMA = sorted((Path(flink_job.loader.__file__).parent / "schema").glob("*.sql"))
QUESTIONS = Path(flink_job.audit.__file__).parent
WINDOWS, LEDGER = Partition("ctr-windows", 0), Partition("ctr-ledger", 0)


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None


class Engine(Protocol):
    """What the tests need of chdb, which has no types."""

    def query(self, sql: str, fmt: str = ...) -> Any:  # noqa: ANN401
        """Run a statement."""


class Client:
    """The loader's client, on an engine in this process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, query: str, columns: Columns, *, columnar: bool) -> object:
        assert columnar
        insert = query.removesuffix("VALUES")
        rows = "\n".join(json.dumps(row) for row in zip(*columns, strict=True))
        return self._engine.query(f"{insert} FORMAT JSONCompactEachRow {rows}")

    def final(self, sql: str) -> list[list[Any]]:
        rows = str(self._engine.query(sql, "JSONCompactEachRow"))
        return [json.loads(line) for line in rows.splitlines()]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One engine for the module: a process has one at a time."""
    session = Session(str(tmp_path_factory.mktemp("clickhouse")))
    yield session
    session.close()


@pytest.fixture
def clickhouse(engine: Engine) -> Client:
    """The loader's tables, as its schema makes them, empty."""
    engine.query("DROP DATABASE IF EXISTS ctr")
    for file in SCHEMA:
        engine.query(file.read_text())
    return Client(engine)


def window(product: str, impressions: int, clicks: int, start: int = T) -> bytes:
    place = {"product_id": product, "window_start": start}
    return json.dumps(place | {"impressions": impressions, "clicks": clicks}).encode()


def entry(events: int, last: int) -> bytes:
    place = {"topic": "clicks", "partition": 0, "outcome": "late", "hour": T}
    return json.dumps(place | {"events": events, "first_offset": 0, "last_offset": last}).encode()


def batch(partition: Partition, *values: bytes, epoch: int = 0) -> list[Insert]:
    gathered = Batch(epoch)
    for offset, value in enumerate(values):
        gathered.add(partition, Record(offset, value))
    return gathered.inserts()


def load(clickhouse: Client, inserts: list[Insert]) -> None:
    for insert in inserts:
        clickhouse.execute(insert.table.query, insert.columns(), columnar=True)


def windows(clickhouse: Client) -> list[list[Any]]:
    return clickhouse.final(
        "SELECT product_id, toUnixTimestamp(window_start), toUnixTimestamp(window_end), "
        "impressions, clicks FROM ctr.ctr_windows FINAL ORDER BY product_id, window_start"
    )


def ledger(clickhouse: Client) -> list[list[Any]]:
    return clickhouse.final(
        "SELECT topic, partition, outcome, toUnixTimestamp(hour), events, first_offset, "
        "last_offset FROM ctr.ledger FINAL ORDER BY topic, partition, outcome, hour"
    )


def test_the_schema_may_be_applied_again_and_keeps_the_rows(
    engine: Engine, clickhouse: Client
) -> None:
    load(clickhouse, batch(WINDOWS, window("p-1", 5, 2)))
    for file in SCHEMA:
        engine.query(file.read_text())
    assert windows(clickhouse) == [["p-1", T // 1_000, T // 1_000 + 10, 5, 2]]


def test_an_insert_fills_every_column_and_the_server_says_when(clickhouse: Client) -> None:
    load(clickhouse, batch(WINDOWS, window("p-1", 5, 2), epoch=1))
    load(clickhouse, batch(LEDGER, entry(7, 9), epoch=1))
    assert clickhouse.final(
        "SELECT toString(version), inserted_at > now() - 60 FROM ctr.ctr_windows"
    ) == [[str(2**40 + 7), 1]]
    assert clickhouse.final("SELECT toString(version) FROM ctr.ledger") == [[str(2**40 + 7)]]
    assert ledger(clickhouse) == [["clicks", 0, "late", T // 1_000, 7, 0, 9]]


def test_the_same_batch_twice_is_the_same_table(clickhouse: Client) -> None:
    inserts = batch(WINDOWS, window("p-1", 5, 2), window("p-2", 1, 0))
    inserts += batch(LEDGER, entry(7, 9))
    load(clickhouse, inserts)
    once = windows(clickhouse), ledger(clickhouse)
    load(clickhouse, inserts)
    assert (windows(clickhouse), ledger(clickhouse)) == once


def test_an_older_batch_behind_a_newer_one_changes_nothing(clickhouse: Client) -> None:
    load(clickhouse, batch(WINDOWS, window("p-1", 5, 2)) + batch(LEDGER, entry(7, 9)))
    load(clickhouse, batch(WINDOWS, window("p-1", 4, 2)) + batch(LEDGER, entry(6, 8)))
    assert [row[3:] for row in windows(clickhouse)] == [[5, 2]]
    assert [row[4:] for row in ledger(clickhouse)] == [[7, 0, 9]]


def test_a_smaller_count_of_a_higher_epoch_wins_and_stays(clickhouse: Client) -> None:
    load(clickhouse, batch(WINDOWS, window("p-1", 500, 200)))
    load(clickhouse, batch(WINDOWS, window("p-1", 1, 0), epoch=1))
    load(clickhouse, batch(WINDOWS, window("p-1", 501, 200)))
    assert [row[3:] for row in windows(clickhouse)] == [[1, 0]]


def test_a_week_of_late_events_goes_in_by_one_insert(clickhouse: Client) -> None:
    values = [window("p-1", 1, 0, T - day * DAY_MS) for day in range(8)]
    inserts = batch(WINDOWS, *values)
    assert len(inserts) == 1
    load(clickhouse, inserts)
    assert len(windows(clickhouse)) == 8


def test_a_topic_that_spans_years_goes_in_all_the_same(clickhouse: Client) -> None:
    values = [window("p-1", 1, 0, T - day * DAY_MS) for day in range(0, 4_000, 7)]
    load(clickhouse, batch(WINDOWS, *values))
    assert len(windows(clickhouse)) == len(values)
    hours = [json.loads(entry(1, 0)) | {"hour": month * 28 * DAY_MS} for month in range(1, 500)]
    load(clickhouse, batch(LEDGER, *(json.dumps(hour).encode() for hour in hours)))
    assert len(ledger(clickhouse)) == len(hours)


def test_the_bounds_of_a_row_are_within_those_of_the_columns(clickhouse: Client) -> None:
    last = (2**32 - 20) // 10 * 10_000
    load(
        clickhouse,
        batch(WINDOWS, window("é\u0000\\'\n🎉", 2**40 - 1, 0, last), window("", 0, 0, 0)),
    )
    assert windows(clickhouse) == [
        ["", 0, 10, 0, 0],
        ["é\u0000\\'\n🎉", last // 1_000, last // 1_000 + 10, 2**40 - 1, 0],
    ]


def test_any_split_of_the_topic_gives_the_same_table_before_and_after_merges(
    engine: Engine, clickhouse: Client
) -> None:
    chance = random.Random(7)  # noqa: S311 - not a secret
    counts: dict[str, list[int]] = {}
    log = []
    for _ in range(500):
        product = f"p-{chance.randrange(20)}"
        of_product = counts.setdefault(product, [0, 0])
        of_product[chance.randrange(2)] += 1
        log.append(window(product, *of_product))
    at = 0
    while at < len(log):
        until = at + chance.randint(1, 60)
        load(clickhouse, batch(WINDOWS, *log[at:until]))
        at = until - chance.choice([0, 0, 20])
        at = max(at, 0)
    truth = [[product, *counts[product]] for product in sorted(counts)]
    assert [[row[0], *row[3:]] for row in windows(clickhouse)] == truth
    engine.query("OPTIMIZE TABLE ctr.ctr_windows FINAL")
    assert [[row[0], *row[3:]] for row in windows(clickhouse)] == truth


def test_the_schema_has_a_file_for_the_database_and_for_each_table() -> None:
    assert [file.name for file in SCHEMA] == [
        "01_database.sql",
        "02_ctr_windows.sql",
        "03_ledger.sql",
        "04_dropped_hours.sql",
    ]
    assert {table.name for table in TABLES.values()} == {"ctr_windows", "ledger"}


def test_status_reads_how_fresh_the_rows_are(clickhouse: Client) -> None:
    def asked(name: str) -> list[list[Any]]:
        return clickhouse.final((QUESTIONS / name).read_text())

    assert asked("lately.sql") == [[0, 0, 0]]
    assert asked("newest.sql")[0][0] == 0
    now = int(time.time()) // 10 * 10_000
    load(
        clickhouse, batch(WINDOWS, window("p", 5, 2, now - 10_000), window("p", 9, 9, now - 90_000))
    )
    load(clickhouse, batch(WINDOWS, window("p", 6, 2, now - 10_000)) + batch(LEDGER, entry(7, 9)))
    assert asked("lately.sql") == [[1, 6, 2]]
    rows, newest, clock = asked("newest.sql")[0]
    assert rows == 3
    assert 0 <= clock - newest < 60
    assert asked("reached.sql") == [["clicks", 0, 9]]


def days_ago(days: int) -> int:
    """Noon, so many days before today (UTC), in ms since the epoch."""
    return (int(time.time()) // 86_400 - days) * DAY_MS + DAY_MS // 2


def rest(engine: Engine) -> None:
    """Let all windows have been written two days ago."""
    engine.query(
        "ALTER TABLE ctr.ctr_windows UPDATE inserted_at = now() - 2 * 86400 WHERE 1 "
        "SETTINGS mutations_sync = 1"
    )


def hours(clickhouse: Client) -> dict[int, int]:
    rows = clickhouse.final((QUESTIONS / "windows_by_hour.sql").read_text())
    return {int(hour): int(events) for hour, events in rows}


def retired(engine: Engine) -> list[str]:
    """Days of windows that retention has dropped, as 30 are kept."""
    return list(retire(lambda sql: str(engine.query(sql, "TabSeparated")), 30))


def test_exactly_the_days_that_are_older_than_is_kept_go(
    engine: Engine, clickhouse: Client
) -> None:
    ages = (0, 1, 29, 30, 31, 40, 400)
    load(clickhouse, batch(WINDOWS, *(window("p", age + 1, 1, days_ago(age)) for age in ages)))
    load(clickhouse, batch(LEDGER, entry(7, 9)))
    rest(engine)
    before = hours(clickhouse)

    assert len(retired(engine)) == 3
    assert [row[3] - 1 for row in windows(clickhouse)] == [30, 29, 1, 0]
    # What is gone is still known by its sums, and the ledger is whole, so that both still agree.
    assert hours(clickhouse) == before
    assert len(ledger(clickhouse)) == 1
    dropped = clickhouse.final((QUESTIONS / "dropped.sql").read_text())
    assert {hour for (hour,) in dropped} == {days_ago(age) // 1_000 for age in (31, 40, 400)}
    assert retired(engine) == []


def test_a_dropped_day_that_is_loaded_anew_counts_once_and_goes_again(
    engine: Engine, clickhouse: Client
) -> None:
    first, second = window("p", 5, 2, days_ago(40)), window("q", 9, 0, days_ago(40))
    load(clickhouse, batch(WINDOWS, first, second))
    for _ in range(2):
        rest(engine)
        assert hours(clickhouse) == {days_ago(40) // 1_000: 16}
        assert len(retired(engine)) == 1
        assert hours(clickhouse) == {days_ago(40) // 1_000: 16}
        load(clickhouse, batch(WINDOWS, first))


def test_a_day_that_is_being_loaded_does_not_go_by_halves(
    engine: Engine, clickhouse: Client
) -> None:
    first, second = window("p", 5, 2, days_ago(40)), window("q", 9, 0, days_ago(40))
    load(clickhouse, batch(WINDOWS, first))
    assert retired(engine) == []
    load(clickhouse, batch(WINDOWS, second))
    rest(engine)
    assert len(retired(engine)) == 1
    assert hours(clickhouse) == {days_ago(40) // 1_000: 16}


def test_what_cannot_be_asked_is_told_without_the_password(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    login = tmp_path / "login.json"
    login.write_text('{"url": "http://127.0.0.1:9/", "user": "admin", "password": "secret"}')
    assert main([f"--login={login}", "--days=30"]) == 1
    told = capsys.readouterr().err
    assert "ClickHouse cannot be asked" in told
    assert "secret" not in told
    login.write_text('{"password": "secret"}')
    assert main([f"--login={login}", "--days=30"]) == 1
    assert "is not JSON with url, user, password" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([f"--login={login}", f"--days={FEWEST_DAYS - 1}"])
