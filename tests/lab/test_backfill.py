"""A range of time is counted anew: what was wrong in the tables is right, and events go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.lab.fleet import Lab, eventually
from tests.lab.test_pipeline import WINDOW_MS, a_window, event, name, rows, wait_for_rows

HOUR_MS = 3_600_000


@pytest.fixture(scope="module", autouse=True)
def _only_what_is_sent_here(lab: Lab) -> Iterator[None]:
    """Without the canary, whose events of the hour that goes on would differ from a recount too."""
    lab.on("monitor1", "systemctl stop ctr-canary")
    yield
    lab.on("monitor1", "systemctl start ctr-canary")


def told(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1_000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def around(window: int) -> tuple[str, ...]:
    """The hour that it is and that of a window, as the playbook is told."""
    now = int(time.time() * 1_000)
    return ("-e", f"from={told(now - now % HOUR_MS)}", "-e", f"to={told(window + WINDOW_MS)}")


def too_high(lab: Lab, product: str, window: int, impressions: int) -> None:
    """Let a row be as a wrong version would have counted it."""
    start = window // 1_000
    lab.as_admin(
        "INSERT INTO ctr.ctr_windows (product_id, window_start, window_end, impressions, clicks, "
        f"version) VALUES ('{product}', {start}, {start + WINDOW_MS // 1_000}, {impressions}, 0, "
        f"{impressions})",
    )


def tables(lab: Lab) -> set[str]:
    return {
        row["name"] for row in lab.query("SELECT name FROM system.tables WHERE database = 'ctr'")
    }


def topics(lab: Lab) -> str:
    return lab.on("kafka1", "kafka-topics --bootstrap-server kafka1:9092 --list")


def left_nothing(lab: Lab) -> bool:
    jobs = {job["name"] for job in lab.flink("/jobs/overview")["jobs"] if job["state"] == "RUNNING"}
    return (
        "-backfill" not in topics(lab)
        and not any(table.endswith("_backfill") for table in tables(lab))
        and jobs == {"ctr"}
    )


def test_a_row_that_was_counted_too_high_is_right_again_and_an_open_window_goes_on(
    lab: Lab,
) -> None:
    product, job, window = name(), lab.running_job(), a_window()
    lab.send([event(product, "impression", window + number) for number in range(20)])
    wait_for_rows(lab, product, [(window, 20, 0)])
    too_high(lab, product, window, 900)
    wait_for_rows(lab, product, [(window, 900, 0)])

    shown = lab.playbook("backfill", *around(window))
    assert "-880" in shown.said
    assert not shown.changed["clickhouse1"]
    assert rows(lab, product) == [(window, 900, 0)], "without apply nothing is changed"
    assert left_nothing(lab)

    # A window that is open until after the backfill: its events come before and behind it.
    growing = a_window() + 2 * WINDOW_MS
    lab.send([event(product, "click", growing)])
    applied = lab.playbook("backfill", *around(window), "-e", "apply=true")
    assert "replaced:" in applied.said
    assert applied.changed["clickhouse1"]
    assert "unexplained 0" in applied.said
    wait_for_rows(lab, product, [(window, 20, 0), (growing, 0, 1)])

    later = a_window() + WINDOW_MS
    lab.send([event(product, "click", later)])
    wait_for_rows(lab, product, [(window, 20, 0), (growing, 0, 1), (later, 0, 1)])
    assert lab.all_is_as_specified()
    assert lab.running_job() == job
    assert left_nothing(lab)


@pytest.mark.thorough
def test_rows_that_were_lost_come_back_and_done_again_nothing_differs(lab: Lab) -> None:
    product, window = name(), a_window()
    lab.send([event(product, "impression", window)])
    wait_for_rows(lab, product, [(window, 1, 0)])
    day = f"{datetime.fromtimestamp(window / 1_000, UTC):%Y%m%d}"
    lab.as_admin(f"ALTER TABLE ctr.ctr_windows DROP PARTITION ID '{day}'")
    eventually(lambda: True if rows(lab, product) == [] else None, "the day's windows are lost")

    # All hours of the day that have been: what is lost of others is not asked for here.
    begin = int(time.time() * 1_000) // (24 * HOUR_MS) * 24 * HOUR_MS
    whole = ("-e", f"from={told(begin)}", "-e", f"to={told(window + HOUR_MS)}")
    assert lab.playbook("backfill", *whole, "-e", "apply=true").changed["clickhouse1"]
    wait_for_rows(lab, product, [(window, 1, 0)])
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()

    again = lab.playbook("backfill", *around(window), "-e", "apply=true")
    assert "Nothing differs" in again.said
    assert not again.changed["clickhouse1"]
    assert left_nothing(lab)


@pytest.mark.thorough
def test_an_event_that_comes_to_an_open_window_behind_a_backfill_is_counted_with_it(
    lab: Lab,
) -> None:
    """The clock of a silent partition stands still, and with it the window is open for ever."""
    product, window = name(), a_window()
    (first,) = lab.send([event(product, "impression", window)])
    wait_for_rows(lab, product, [(window, 1, 0)])
    too_high(lab, product, window, 50)
    assert lab.playbook("backfill", *around(window), "-e", "apply=true").changed["clickhouse1"]
    wait_for_rows(lab, product, [(window, 1, 0)])
    (second,) = lab.send([event(product, "impression", window)])
    assert (first.topic, first.partition) == (second.topic, second.partition)
    wait_for_rows(lab, product, [(window, 2, 0)])
    assert lab.all_is_as_specified()
