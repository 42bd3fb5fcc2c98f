"""Results as people see them, and the law that is checked before they do."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console
from rich.table import Table

from flink_job.conservation import Conservation
from flink_job.domain import Counts, DeadLetter, Entry, LedgerKey, Outcome, WindowKey
from flink_job.results import (
    ctr_table,
    iso,
    ledger_table,
    write_dead_letter,
    write_ledger,
    write_windows,
)
from tests.nasty import T

HOUR = 3_600_000


def shown(table: Table) -> str:
    screen = Console(file=io.StringIO(), width=100)
    screen.print(table)
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


def booked(*rows: tuple[int, Outcome, Entry]) -> dict[LedgerKey, Entry]:
    return {LedgerKey("clicks", number, outcome, T): entry for number, outcome, entry in rows}


def test_the_conservation_line_adds_up() -> None:
    kept = Conservation(
        consumed={("clicks", 0): 7, ("clicks", 1): 3},
        ledger=booked(
            (0, Outcome.COUNTED, Entry(5, 0, 6)),
            (0, Outcome.LATE, Entry(2, 1, 2)),
            (1, Outcome.MALFORMED, Entry(2, 0, 1)),
            (1, Outcome.OLD_TIMESTAMP, Entry(1, 2, 2)),
        ),
        in_windows=5,
        dead_letters={
            ("clicks", 0, Outcome.LATE): 2,
            ("clicks", 1, Outcome.MALFORMED): 2,
            ("clicks", 1, Outcome.OLD_TIMESTAMP): 1,
        },
    )
    assert str(kept) == "conservation: consumed 10 = counted 5 + rejected 3 + late 2, unexplained 0"
    assert kept.broken() == []


@pytest.mark.parametrize(
    ("consumed", "in_windows", "letters", "sentence"),
    [
        (4, 2, 1, "1 messages of clicks/0 have no outcome in the ledger."),
        (2, 2, 1, "1 messages of clicks/0 have more than one outcome."),
        (3, 1, 1, "The ledger says 2 counted, but the windows hold 1."),
        (3, 2, 0, "The ledger says 1 late of clicks/0, but there are 0 dead letters."),
    ],
)
def test_each_way_to_break_conservation_is_told(
    consumed: int, in_windows: int, letters: int, sentence: str
) -> None:
    ledger = booked((0, Outcome.COUNTED, Entry(2, 0, 2)), (0, Outcome.LATE, Entry(1, 1, 1)))
    place = ("clicks", 0, Outcome.LATE)
    broken = Conservation({("clicks", 0): consumed}, ledger, in_windows, {place: letters})
    assert broken.broken() == [sentence]


def test_too_many_in_one_partition_do_not_make_up_for_too_few_in_another() -> None:
    ledger = booked((0, Outcome.COUNTED, Entry(4, 0, 4)), (1, Outcome.COUNTED, Entry(6, 0, 5)))
    broken = Conservation({("clicks", 0): 5, ("clicks", 1): 5}, ledger, 10, {})
    assert broken.broken() == [
        "1 messages of clicks/0 have no outcome in the ledger.",
        "1 messages of clicks/1 have more than one outcome.",
    ]
    assert str(broken).endswith("unexplained 2")


def test_an_offset_that_was_booked_twice_is_told_though_the_sum_is_right() -> None:
    ledger = booked((0, Outcome.COUNTED, Entry(5, 0, 3)))
    assert Conservation({("clicks", 0): 5}, ledger, 5, {}).broken() == [
        "The ledger has 1 messages of clicks/0 more than offsets."
    ]


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (T, "2025-11-24T16:00:00Z"),
        (T + 1, "2025-11-24T16:00:00.001000Z"),
        (-10_000, "1969-12-31T23:59:50Z"),
        (253_402_300_790_000, "9999-12-31T23:59:50Z"),
    ],
)
def test_times_are_iso_8601_utc(time: int, text: str) -> None:
    assert iso(time) == text


def test_windows_are_csv_in_the_order_of_time_and_product() -> None:
    file = io.StringIO()
    windows = {
        WindowKey("b", T): Counts(1, 2),
        WindowKey('a,"', T): Counts(3, 4),
        WindowKey("c", T - 10_000): Counts(5, 6),
    }
    write_windows(file, windows)
    assert file.getvalue().splitlines() == [
        "product_id,window_start,impressions,clicks",
        "c,2025-11-24T15:59:50Z,5,6",
        '"a,""",2025-11-24T16:00:00Z,3,4',
        "b,2025-11-24T16:00:00Z,1,2",
    ]


def test_the_ledger_is_csv_by_topic_partition_outcome_and_hour() -> None:
    file = io.StringIO()
    ledger = {
        LedgerKey("impressions", 10, Outcome.LATE, T): Entry(1, 7, 7),
        LedgerKey("impressions", 2, Outcome.COUNTED, T + HOUR): Entry(2, 8, 9),
        LedgerKey("impressions", 2, Outcome.COUNTED, T): Entry(3, 0, 6),
    }
    write_ledger(file, ledger)
    assert file.getvalue().splitlines() == [
        "topic,partition,outcome,hour,events,first_offset,last_offset",
        "impressions,2,counted,2025-11-24T16:00:00Z,3,0,6",
        "impressions,2,counted,2025-11-24T17:00:00Z,2,8,9",
        "impressions,10,late,2025-11-24T16:00:00Z,1,7,7",
    ]


@pytest.mark.parametrize("payload", [None, b"", b"x", b"\xff"])
def test_a_dead_letter_is_a_line_with_its_place_reason_and_payload(payload: bytes | None) -> None:
    file = io.StringIO()
    write_dead_letter(file, ("clicks", 3, 9), DeadLetter(Outcome.MALFORMED, payload))
    (line,) = file.getvalue().splitlines()
    letter = json.loads(line)
    said = letter.pop("payload")
    assert letter == {"topic": "clicks", "partition": 3, "offset": 9, "reason": "malformed"}
    assert (None if said is None else said.encode("utf-8", "surrogateescape")) == payload


def test_the_ctr_table_shows_the_newest_rows_the_busiest_first() -> None:
    windows = {WindowKey(f"p{n}", T): Counts(n, 1) for n in range(20)}
    windows[WindowKey("old", T - 10_000)] = Counts(99, 0)
    table = shown(ctr_table(windows))
    assert "the newest 10 of 21 rows" in table
    assert table.index("p19") < table.index("p18")
    assert "old" not in table
    assert "0.0526" in table


def test_a_row_without_impressions_has_no_ctr() -> None:
    assert " - " in shown(ctr_table({WindowKey("p", T): Counts(0, 1)}))


def test_a_products_name_cannot_colour_or_move_the_screen() -> None:
    table = shown(ctr_table({WindowKey("[red]\x1b[2J\u202e", T): Counts(1, 0)}))
    assert "[red]" in table
    assert "\x1b[2J" not in table
    assert "\u202e" not in table


def test_the_ledger_table_adds_up_partitions_and_hours() -> None:
    ledger = {
        LedgerKey("clicks", partition, Outcome.LATE, T + hour): Entry(500, 0, 499)
        for partition in (0, 1, 2)
        for hour in (0, HOUR)
    }
    (row,) = [line for line in shown(ledger_table(ledger)).splitlines() if "late" in line]
    assert row.split("│")[1:5] == [" clicks ", " late    ", "          3 ", "  3,000 "]
