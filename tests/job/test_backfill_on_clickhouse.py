"""A recount takes the place of what is in the tables, on ClickHouse's own engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from chdb.session import Session

from flink_job.backfill.plan import Plan
from flink_job.backfill.results import Recounted
from flink_job.backfill.tables import Tables
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.loader.rows import LedgerRow, WindowRow
from flink_job.loader.tables import LEDGER, WINDOWS, Columns, inserts
from tests.job.test_loader_on_clickhouse import SCHEMA, Client, Engine

HOUR_S, DAY_S = 3_600, 86_400
START = 1_764_000_000  # 16:00 UTC, and a full hour
MIDNIGHT = START // DAY_S * DAY_S + DAY_S
HIGHEST = 2**40 * 3  # of a loader whose epoch was 3


class Admin(Client):
    """As clickhouse-driver's client, on an engine in this process."""

    def execute(
        self, query: str, columns: Columns | None = None, *, columnar: bool = False
    ) -> object:
        if columns is not None:
            return super().execute(query, columns, columnar=columnar)
        return [tuple(row) for row in self.final(query)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    session = Session(str(tmp_path_factory.mktemp("clickhouse")))
    yield session
    session.close()


@pytest.fixture
def clickhouse(engine: Engine) -> Admin:
    engine.query("DROP DATABASE IF EXISTS ctr")
    for file in SCHEMA:
        engine.query(file.read_text())
    return Admin(engine)


def plan(first: int, last: int, read: int | None = None) -> Plan:
    """A range in s since the epoch, that was read to a moment, or in whole."""
    end = None if read is not None else last * 1_000 + 70_001
    return Plan(first * 1_000, last * 1_000, 0, end, (read or last) * 1_000 + 60_000)


def window(product: str, start: int, impressions: int, version: int | None = None) -> WindowRow:
    return WindowRow(product, start, start + 10, impressions, 0, version or impressions)


def booked(outcome: str, hour: int, events: int, version: int | None = None) -> LedgerRow:
    return LedgerRow("clicks", 0, outcome, hour, events, 0, events, version or events)


def load(clickhouse: Admin, windows: list[WindowRow], ledger: list[LedgerRow]) -> None:
    for table, rows in ((WINDOWS, windows), (LEDGER, ledger)):
        for insert in inserts(table, rows):
            clickhouse.execute(insert.table.query, insert.columns(), columnar=True)


def windows(clickhouse: Admin) -> dict[tuple[str, int], int]:
    rows = clickhouse.final(
        "SELECT product_id, toUnixTimestamp(window_start), impressions FROM ctr.ctr_windows FINAL"
    )
    return {(product, start): impressions for product, start, impressions in rows}


def ledger(clickhouse: Admin) -> dict[tuple[str, int], int]:
    rows = clickhouse.final("SELECT outcome, toUnixTimestamp(hour), events FROM ctr.ledger FINAL")
    return {(outcome, hour): events for outcome, hour, events in rows}


def tables(clickhouse: Admin) -> list[list[Any]]:
    return clickhouse.final("SELECT name FROM system.tables WHERE database = 'ctr' ORDER BY name")


def test_a_range_becomes_what_was_counted_anew_and_all_else_stays(clickhouse: Admin) -> None:
    before, behind = START - 10, START + HOUR_S
    load(
        clickhouse,
        [
            window("high", START, 900),
            window("high", START, 950, HIGHEST),
            window("surplus", START + 10, 7),
            window("kept", before, 1),
            window("kept", behind, 2),
        ],
        [
            booked("counted", START, 957),
            booked("late", START, 9),
            booked("malformed", START, 1),
            booked("counted", START - HOUR_S, 1),
            booked("counted", behind, 2),
            booked("late", START - HOUR_S, 3),
        ],
    )
    there = tables(clickhouse)
    recounted = Recounted(
        [window("high", START, 5), window("lost", START + HOUR_S - 10, 6)],
        [booked("counted", START, 11), booked("late", START, 4)],
    )
    wanted_windows = {
        ("high", START): 5,
        ("lost", START + HOUR_S - 10): 6,
        ("kept", before): 1,
        ("kept", behind): 2,
    }
    wanted_ledger = {
        ("counted", START): 11,
        ("late", START): 4,
        ("counted", START - HOUR_S): 1,
        ("counted", behind): 2,
        ("late", START - HOUR_S): 3,
    }
    changed = Tables(clickhouse, plan(START, START + HOUR_S))
    # A second time changes nothing.
    for _ in range(2):
        changed.replace(recounted)
        assert windows(clickhouse) == wanted_windows
        assert ledger(clickhouse) == wanted_ledger
    assert tables(clickhouse) == there
    assert changed.results() == recounted.results


def test_what_is_kept_keeps_its_version_and_when_it_was_written(
    engine: Engine, clickhouse: Admin
) -> None:
    load(clickhouse, [window("kept", START - 10, 1, HIGHEST)], [booked("late", START, 1, HIGHEST)])
    engine.query(
        "ALTER TABLE ctr.ctr_windows UPDATE inserted_at = toDateTime(1764000000) WHERE 1 "
        "SETTINGS mutations_sync = 1"
    )
    asked = (
        "SELECT toString(version), toUnixTimestamp(inserted_at) FROM ctr.ctr_windows "
        "UNION ALL SELECT toString(version), 0 FROM ctr.ledger"
    )
    once = sorted(clickhouse.final(asked))
    Tables(clickhouse, plan(START, START + HOUR_S, read=START)).replace(Recounted([], []))
    assert sorted(clickhouse.final(asked)) == once == [[str(HIGHEST), 0], [str(HIGHEST), START]]


def test_append_hours_that_were_not_read_in_whole_are_left_as_they_are(clickhouse: Admin) -> None:
    second = START + HOUR_S
    load(
        clickhouse,
        [],
        [
            *(booked("late", hour, 9) for hour in (START, second)),
            *(booked("counted", hour, 9) for hour in (START, second)),
        ],
    )
    half = Tables(clickhouse, plan(START, START + 2 * HOUR_S, read=second))
    assert set(half.results().ledger) == {
        LedgerKey("clicks", 0, Outcome.LATE, START * 1_000),
        LedgerKey("clicks", 0, Outcome.COUNTED, START * 1_000),
        LedgerKey("clicks", 0, Outcome.COUNTED, second * 1_000),
    }
    half.replace(Recounted([], [booked("late", START, 1), booked("counted", second, 2)]))
    assert ledger(clickhouse) == {("late", START): 1, ("late", second): 9, ("counted", second): 2}


def test_a_range_over_midnight_replaces_its_part_of_both_days(clickhouse: Admin) -> None:
    starts = [MIDNIGHT - 2 * HOUR_S, MIDNIGHT - 10, MIDNIGHT, MIDNIGHT + 2 * HOUR_S]
    load(clickhouse, [window("p", start, 9) for start in starts], [])
    recounted = Recounted([window("p", start, 1) for start in starts[1:3]], [])
    Tables(clickhouse, plan(MIDNIGHT - HOUR_S, MIDNIGHT + HOUR_S)).replace(recounted)
    assert [windows(clickhouse)["p", start] for start in starts] == [9, 1, 1, 9]


def test_a_day_of_which_nothing_is_left_goes(clickhouse: Admin) -> None:
    load(clickhouse, [window("p", START, 9)], [booked("counted", START, 9)])
    changed = Tables(clickhouse, plan(START, START + HOUR_S))
    for _ in range(2):
        changed.replace(Recounted([], []))
        assert (windows(clickhouse), ledger(clickhouse)) == ({}, {})


def test_what_a_run_that_was_cut_off_has_gathered_is_not_taken_along(
    engine: Engine, clickhouse: Admin
) -> None:
    engine.query("CREATE TABLE ctr.ctr_windows_backfill AS ctr.ctr_windows")
    engine.query(
        "INSERT INTO ctr.ctr_windows_backfill (product_id, window_start, impressions) "
        "VALUES ('left', toDateTime(1764000000), 1)"
    )
    changed = Tables(clickhouse, plan(START, START + HOUR_S))
    changed.replace(Recounted([window("p", START, 1)], []))
    assert windows(clickhouse) == {("p", START): 1}


def test_a_window_that_is_open_still_goes_on_growing(clickhouse: Admin) -> None:
    load(clickhouse, [window("p", START, 90)], [booked("counted", START, 90)])
    changed = Tables(clickhouse, plan(START, START + HOUR_S))
    changed.replace(Recounted([window("p", START, 5)], [booked("counted", START, 5)]))
    # What the loader reads again from before the recount, and what the job has counted since.
    load(clickhouse, [window("p", START, 4)], [booked("counted", START, 4)])
    assert (windows(clickhouse), ledger(clickhouse)) == (
        {("p", START): 5},
        {("counted", START): 5},
    )
    load(clickhouse, [window("p", START, 6)], [booked("counted", START, 6)])
    assert (windows(clickhouse), ledger(clickhouse)) == (
        {("p", START): 6},
        {("counted", START): 6},
    )


def test_dropped_hours_of_the_range_are_told_and_no_others(
    engine: Engine, clickhouse: Admin
) -> None:
    changed = Tables(clickhouse, plan(START, START + HOUR_S))
    drop = "INSERT INTO ctr.dropped_hours (hour, version) VALUES "
    engine.query(drop + f"({START - HOUR_S}, 1), ({START + HOUR_S}, 1)")
    assert changed.dropped() == []
    engine.query(drop + f"({START}, 1)")
    assert changed.dropped() == [START * 1_000]


def test_what_is_there_is_read_as_the_domain_has_it(clickhouse: Admin) -> None:
    load(clickhouse, [window("p", START, 5)], [booked("late", START, 2)])
    there = Tables(clickhouse, plan(START, START + HOUR_S)).results()
    assert there.windows == {WindowKey("p", START * 1_000): Counts(5, 0)}
    assert there.ledger == {LedgerKey("clicks", 0, Outcome.LATE, START * 1_000): Entry(2, 0, 2)}
