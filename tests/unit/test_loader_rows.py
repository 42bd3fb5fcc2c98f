"""Messages become rows by rules that no message can break."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import flink_job.loader
from flink_job.domain.ledger import HOUR_MS
from flink_job.domain.window import WINDOW_MS
from flink_job.loader.batch import Batch, Partition
from flink_job.loader.rows import (
    COUNTS_END,
    EPOCHS_END,
    WINDOW_S,
    LedgerRow,
    Reason,
    Row,
    Unreadable,
    WindowRow,
    ledger_row,
    version,
    window_row,
)
from flink_job.loader.tables import LEDGER, PARTITIONS_AN_INSERT, TABLES, WINDOWS, Table, inserts

T = 1_764_000_000_000
WINDOW: dict[str, Any] = {
    "product_id": "p-1",
    "window_start": T,
    "impressions": 5,
    "clicks": 2,
}
ENTRY: dict[str, Any] = {
    "topic": "clicks",
    "partition": 3,
    "outcome": "late",
    "hour": T - T % HOUR_MS,
    "events": 7,
    "first_offset": 0,
    "last_offset": 9,
}
SCHEMA = Path(flink_job.loader.__file__).parent / "schema"


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None


def encoded(message: dict[str, Any], **fields: object) -> bytes:
    return json.dumps(message | fields).encode()


def without(message: dict[str, Any], field: str) -> bytes:
    return json.dumps({name: value for name, value in message.items() if name != field}).encode()


def final(rows: list[Row]) -> dict[tuple[Any, ...], Row]:
    """What FINAL shows: of each key the row with the highest version, or the last of equals."""
    shown: dict[tuple[Any, ...], Row] = {}
    for row in rows:
        if row.key not in shown or row.version >= shown[row.key].version:
            shown[row.key] = row
    return shown


def test_a_window_message_is_a_row_in_seconds() -> None:
    assert window_row(encoded(WINDOW), 0) == WindowRow(
        product_id="p-1",
        window_start=1_764_000_000,
        window_end=1_764_000_010,
        impressions=5,
        clicks=2,
        version=7,
    )


def test_a_ledger_message_is_a_row_in_seconds() -> None:
    assert ledger_row(encoded(ENTRY), 2) == LedgerRow(
        topic="clicks",
        partition=3,
        outcome="late",
        hour=1_764_000_000,
        events=7,
        first_offset=0,
        last_offset=9,
        version=2 * 2**40 + 7,
    )


def test_fields_that_nobody_knows_are_ignored() -> None:
    assert window_row(encoded(WINDOW, more=[1, {"a": None}]), 0) == window_row(encoded(WINDOW), 0)


def test_the_loader_and_the_specification_mean_the_same_window() -> None:
    assert WINDOW_S * 1_000 == WINDOW_MS


def test_any_row_of_a_higher_epoch_wins_and_fits_the_column() -> None:
    assert version(1, 0) > version(0, COUNTS_END - 1)
    assert version(EPOCHS_END - 1, COUNTS_END - 1) == 2**64 - 1


@pytest.mark.parametrize("name", ["héllo", "日本", "🎉", "", " ", 'quote"', "\u0000", "a\\b"])
def test_any_name_that_has_utf8_is_a_product(name: str) -> None:
    row = window_row(encoded(WINDOW, product_id=name), 0)
    assert row.product_id == name


TOO_HIGH = 2**32 * 1_000
UNREADABLE = {
    "no value": (None, Reason.TOMBSTONE),
    "nothing": (b"", Reason.NOT_JSON),
    "no UTF-8": (b'{"product_id": "\xff"}', Reason.NOT_JSON),
    "half": (encoded(WINDOW)[:-1], Reason.NOT_JSON),
    "more": (encoded(WINDOW) + b"{}", Reason.NOT_JSON),
    "deep": (b"[" * 100_000, Reason.NOT_JSON),
    "a number of 5,000 digits": (b"1" * 5_000, Reason.NOT_JSON),
    "null": (b"null", Reason.NOT_JSON),
    "a list": (b"[" + encoded(WINDOW) + b"]", Reason.NOT_JSON),
    **{f"no {field}": (without(WINDOW, field), Reason.MISSING_FIELD) for field in WINDOW},
    **{f"{field} null": (encoded(WINDOW, **{field: None}), Reason.WRONG_TYPE) for field in WINDOW},
    **{f"{field} true": (encoded(WINDOW, **{field: True}), Reason.WRONG_TYPE) for field in WINDOW},
    **{f"{field} list": (encoded(WINDOW, **{field: [1]}), Reason.WRONG_TYPE) for field in WINDOW},
    "product a number": (encoded(WINDOW, product_id=5), Reason.WRONG_TYPE),
    "clicks a text": (encoded(WINDOW, clicks="2"), Reason.WRONG_TYPE),
    "clicks 2.0": (encoded(WINDOW, clicks=2.0), Reason.WRONG_TYPE),
    "clicks NaN": (encoded(WINDOW, clicks=float("nan")), Reason.WRONG_TYPE),
    "clicks below zero": (encoded(WINDOW, clicks=-1), Reason.OUT_OF_RANGE),
    "clicks into the epoch": (encoded(WINDOW, clicks=COUNTS_END), Reason.OUT_OF_RANGE),
    "the sum into the epoch": (encoded(WINDOW, clicks=COUNTS_END - 1), Reason.OUT_OF_RANGE),
    "a surrogate": (b'{"product_id": "\\ud800", ' + encoded(WINDOW)[22:], Reason.OUT_OF_RANGE),
    "before 1970": (encoded(WINDOW, window_start=-WINDOW_MS), Reason.OUT_OF_RANGE),
    "behind DateTime": (encoded(WINDOW, window_start=TOO_HIGH), Reason.OUT_OF_RANGE),
    "end behind DateTime": (encoded(WINDOW, window_start=TOO_HIGH - 6_000), Reason.OUT_OF_RANGE),
    "no whole second": (encoded(WINDOW, window_start=T + 1), Reason.OUT_OF_RANGE),
    "no start of a window": (encoded(WINDOW, window_start=T + 1_000), Reason.OUT_OF_RANGE),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_message_without_a_row_says_why(name: str) -> None:
    value, reason = UNREADABLE[name]
    with pytest.raises(Unreadable) as unreadable:
        window_row(value, 0)
    assert unreadable.value.reason is reason


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        *((field, None, Reason.WRONG_TYPE) for field in ENTRY),
        *((field, True, Reason.WRONG_TYPE) for field in ENTRY),
        *(
            (field, -1, Reason.OUT_OF_RANGE)
            for field in ("partition", "hour", "events", "first_offset", "last_offset")
        ),
        ("partition", 2**31, Reason.OUT_OF_RANGE),
        ("events", COUNTS_END, Reason.OUT_OF_RANGE),
        ("first_offset", 2**63, Reason.OUT_OF_RANGE),
        ("last_offset", 2**63, Reason.OUT_OF_RANGE),
        ("hour", TOO_HIGH, Reason.OUT_OF_RANGE),
        ("hour", ENTRY["hour"] + 10_000, Reason.OUT_OF_RANGE),
        ("outcome", "\ud800", Reason.OUT_OF_RANGE),
    ],
)
def test_a_ledger_message_without_a_row_says_why(field: str, value: object, reason: Reason) -> None:
    with pytest.raises(Unreadable) as unreadable:
        ledger_row(encoded(ENTRY, **{field: value}), 0)
    assert unreadable.value.reason is reason


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
        lambda content: json.dumps(content).encode()
    )
    | st.fixed_dictionaries(
        {}, optional={name: st.integers() | st.text() | st.floats() | st.none() for name in WINDOW}
    ).map(lambda content: json.dumps(content).encode())
)
def test_no_bytes_raise_anything_but_unreadable(value: bytes) -> None:
    for table in TABLES.values():
        try:
            row = table.row(value, EPOCHS_END - 1)
        except Unreadable:
            continue
        assert all(0 <= cell < 2**64 for cell in row if isinstance(cell, int))


def test_of_each_key_only_the_highest_count_goes_to_clickhouse() -> None:
    batch = Batch(epoch=0)
    partition = Partition("ctr-windows", 0)
    for offset, clicks in enumerate([1, 3, 2]):
        batch.add(partition, Record(offset, encoded(WINDOW, clicks=clicks)))
    (insert,) = batch.inserts()
    assert insert.columns() == [["p-1"], [T // 1_000], [T // 1_000 + 10], [5], [3], [8]]
    assert len(batch) == 3
    assert batch.first_offsets == {partition: 0}
    assert batch.next_offsets == {partition: 3}


def test_of_equal_counts_the_last_one_goes_to_clickhouse() -> None:
    batch = Batch(epoch=0)
    for offset, last in enumerate([8, 9]):
        batch.add(Partition("ctr-ledger", 1), Record(offset, encoded(ENTRY, last_offset=last)))
    (insert,) = batch.inserts()
    assert insert.columns()[6] == [9]


def test_a_message_without_a_row_counts_as_read() -> None:
    batch = Batch(epoch=0)
    with pytest.raises(Unreadable):
        batch.add(Partition("ctr-windows", 0), Record(41, b"nonsense"))
    assert batch.next_offsets == {Partition("ctr-windows", 0): 42}
    assert batch.inserts() == []


def test_a_week_of_windows_is_one_insert() -> None:
    rows = [window_row(encoded(WINDOW, window_start=T - day * 86_400_000), 0) for day in range(9)]
    assert len(list(inserts(WINDOWS, rows))) == 1


@given(st.lists(st.integers(0, 2**32 // 3_600 - 1), unique=True))
def test_no_insert_has_more_partitions_than_the_server_takes(hours: list[int]) -> None:
    rows: list[Row] = [ledger_row(encoded(ENTRY, hour=hour * HOUR_MS), 0) for hour in hours]
    split = list(inserts(LEDGER, rows))
    assert sorted(row for insert in split for row in insert.rows) == sorted(rows)
    for insert in split:
        assert insert.rows
        assert len({row.table_partition for row in insert.rows}) <= PARTITIONS_AN_INSERT


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_an_insert_names_columns_that_the_schema_has_in_their_order(table: Table) -> None:
    (file,) = SCHEMA.glob(f"*_{table.name}.sql")
    body = re.sub(r"--.*", "", file.read_text()).split("(", 1)[1].split(") ENGINE", 1)[0]
    columns = [line.split()[0] for line in body.splitlines() if line.strip()]
    into = re.fullmatch(r"INSERT INTO ctr\.(\w+) \(([^)]*)\) VALUES", table.query)
    assert into is not None
    assert into[1] == table.name
    assert into[2].split(", ") == [column for column in columns if column != "inserted_at"]


EVENTS = st.tuples(st.sampled_from(["p-1", "p-2"]), st.integers(0, 2), st.booleans())
READS = st.tuples(st.integers(1, 10), st.integers(0, 12))


def sent_by_the_job(events: list[tuple[str, int, bool]]) -> list[Record]:
    """A message an event (product, window, whether it is a click): counts that only grow."""
    counts: dict[tuple[str, int], list[int]] = {}
    log = []
    for offset, (product, window, click) in enumerate(events):
        of_key = counts.setdefault((product, window), [0, 0])
        of_key[click] += 1
        message = {
            "product_id": product,
            "window_start": T + window * WINDOW_MS,
            "impressions": of_key[0],
            "clicks": of_key[1],
        }
        log.append(Record(offset, json.dumps(message).encode()))
    return log


@given(st.lists(EVENTS, max_size=40), st.lists(READS, max_size=15))
def test_any_split_into_batches_with_any_repeats_gives_the_same_rows(
    events: list[tuple[str, int, bool]], reads: list[tuple[int, int]]
) -> None:
    log = sent_by_the_job(events)
    table: list[Row] = []
    at = 0
    for messages, again in [*reads, (len(log), 0)]:
        batch = Batch(epoch=0)
        for record in log[at : at + messages]:
            batch.add(Partition("ctr-windows", 0), record)
        table += [row for insert in batch.inserts() for row in insert.rows]
        at = max(0, at + messages - again)

    clicks = Counter((product, window) for product, window, click in events if click)
    impressions = Counter((product, window) for product, window, click in events if not click)
    assert {key: (row[3], row[4]) for key, row in final(table).items()} == {
        (product, (T + window * WINDOW_MS) // 1_000): (
            impressions[product, window],
            clicks[product, window],
        )
        for product, window in impressions | clicks
    }
