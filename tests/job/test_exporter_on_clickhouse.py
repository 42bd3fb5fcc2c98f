"""What the exporter and the canary ask, on ClickHouse's own engine."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from chdb.session import Session

from flink_job.domain import CANARY_PRODUCT, Entry, LedgerKey, Outcome
from flink_job.loader.rows import COUNTS_END, LedgerRow, WindowRow
from monitoring.exporter.canary.flight import Canary
from monitoring.exporter.canary.rows import seen_of
from monitoring.exporter.gaps import gaps
from monitoring.exporter.state import events
from monitoring.exporter.tables import NEAR_S, OLD_AFTER_S, Watch
from tests.job.test_backfill_on_clickhouse import Admin, load
from tests.job.test_loader_on_clickhouse import SCHEMA, Engine

HOUR_S = 3_600


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


def window(product: str, ago_s: int, impressions: int, clicks: int, epoch: int = 0) -> WindowRow:
    """A window that began so many seconds ago, to ten seconds."""
    start = (int(time.time()) - ago_s) // 10 * 10
    version = epoch * COUNTS_END + impressions + clicks
    return WindowRow(product, start, start + 10, impressions, clicks, version)


def booked(outcome: str, ago_s: int, entry: tuple[int, int, int], partition: int = 0) -> LedgerRow:
    """A row of the hour of so many seconds ago: events, first and last offset."""
    hour = (int(time.time()) - ago_s) // HOUR_S * HOUR_S
    return LedgerRow("clicks", partition, outcome, hour, *entry, entry[0])


def test_empty_tables_are_no_events_and_no_row(clickhouse: Admin) -> None:
    found = Watch(clickhouse).look()
    assert (found.ledger, found.newest_row) == ({}, None)
    assert (found.products, found.impressions, found.clicks) == (0, 0, 0)


def test_the_ledger_is_summed_over_all_hours_and_each_row_counts_once(clickhouse: Admin) -> None:
    rows = [
        booked("counted", OLD_AFTER_S + 3 * HOUR_S, (4, 0, 3)),
        booked("counted", OLD_AFTER_S - 3 * HOUR_S, (3, 5, 7)),
        booked("counted", 0, (2, 8, 9)),
        booked("late", 0, (1, 4, 4)),
        booked("late", 0, (6, 0, 9), partition=11),
    ]
    load(clickhouse, [], rows)
    # Written again, and as it was before the last events came: neither changes anything.
    load(clickhouse, [], [rows[0], booked("counted", 0, (1, 8, 8))])
    found = Watch(clickhouse).look().ledger
    assert found == {
        LedgerKey("clicks", 0, Outcome.COUNTED, 0): Entry(9, 0, 9),
        LedgerKey("clicks", 0, Outcome.LATE, 0): Entry(1, 4, 4),
        LedgerKey("clicks", 11, Outcome.LATE, 0): Entry(6, 0, 9),
    }
    assert events(found)["clicks", Outcome.LATE] == 7
    missing = {place: gap.missing for place, gap in gaps({}, found).items()}
    assert missing == {("clicks", 0): 0, ("clicks", 11): 4}


def test_recent_windows_are_those_of_the_business_by_their_highest_version(
    clickhouse: Admin,
) -> None:
    load(clickhouse, [window("p", 20, 5, 2), window("q", 20, 1, 0), window("p", 300, 90, 9)], [])
    load(clickhouse, [window("p", 20, 7, 2), window(f"{CANARY_PRODUCT}03", 20, 1, 0)], [])
    # A recount under a higher epoch may count less.
    load(clickhouse, [window("q", 20, 0, 1, epoch=1)], [])
    found = Watch(clickhouse).look()
    assert (found.products, found.impressions, found.clicks) == (2, 7, 3)


@pytest.mark.parametrize("ago_s", [0, NEAR_S + 60, 5 * 86_400])
def test_the_newest_row_is_found_however_old_its_window_is(clickhouse: Admin, ago_s: int) -> None:
    load(clickhouse, [window("p", ago_s, 1, 0)], [])
    newest = Watch(clickhouse).look().newest_row
    assert newest is not None
    assert abs(newest - time.time()) < 600


def test_a_canary_is_seen_by_its_product_and_window_alone(clickhouse: Admin) -> None:
    here = window(f"{CANARY_PRODUCT}00", 0, 1, 0)
    before = window(f"{CANARY_PRODUCT}01", 30, 1, 0)
    load(clickhouse, [here, here, before, window("p", 0, 5, 0)], [])
    seen = Canary(here.product_id, here.window_start)
    asked = [
        seen,
        Canary(before.product_id, here.window_start),
        Canary(f"{CANARY_PRODUCT}02", here.window_start),
    ]
    assert seen_of(clickhouse, asked) == {seen}
    earlier = Canary(before.product_id, before.window_start)
    assert seen_of(clickhouse, [earlier, seen]) == {earlier, seen}
