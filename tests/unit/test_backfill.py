"""A recount held against the tables: what is read of it, what is shown, and when it is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flink_job.audit import tables as audited
from flink_job.backfill import __main__ as command
from flink_job.backfill.claim import Claim, take
from flink_job.backfill.difference import aligned, shown
from flink_job.backfill.plan import Plan
from flink_job.backfill.results import Recounted, Results, read_recounted
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.endpoints import Kafka
from flink_job.loader.rows import COUNTS_END, LedgerRow, WindowRow
from tests.nasty import T

HOUR_MS = 3_600_000
START = T // 1_000
PLAN = Plan(T, T + 2 * HOUR_MS, T - 61_000, None, T + HOUR_MS + 60_000)
KAFKA = Kafka(("k:9092",))


@dataclass(frozen=True)
class Message:
    value: bytes | None


def window(start: int, impressions: int, clicks: int = 0) -> Message:
    place = {"product_id": "p", "window_start": start}
    return Message(json.dumps({**place, "impressions": impressions, "clicks": clicks}).encode())


def entry(outcome: str, hour: int, events: int) -> Message:
    place = {"topic": "clicks", "partition": 0, "outcome": outcome, "hour": hour}
    counts = {"events": events, "first_offset": 0, "last_offset": events}
    return Message(json.dumps({**place, **counts}).encode())


def played(windows: Sequence[Message], ledger: Sequence[Message]) -> Any:  # noqa: ANN401
    """Reads topics that hold these."""
    held = {PLAN.topic("ctr-windows"): windows, PLAN.topic("ctr-ledger"): ledger}

    def read(_: Kafka, topics: Sequence[str]) -> Iterator[Message]:
        for topic in topics:
            yield from held[topic]

    return read


def test_of_each_key_of_the_range_the_highest_count_is_taken() -> None:
    windows = [
        window(T, 1),
        window(T, 3, 2),
        window(T, 2, 2),
        window(T - 10_000, 9),
        window(T + 2 * HOUR_MS, 9),
        Message(None),
    ]
    # The second append hour has not been read in whole.
    ledger = [
        entry("late", T, 4),
        entry("late", T, 3),
        entry("late", T + HOUR_MS, 9),
        entry("counted", T + HOUR_MS, 5),
        entry("counted", T - HOUR_MS, 9),
    ]
    found = read_recounted(KAFKA, PLAN, 1, read=played(windows, ledger))
    assert found.windows == [WindowRow("p", START, START + 10, 3, 2, COUNTS_END + 5)]
    assert found.ledger == [
        LedgerRow("clicks", 0, "late", START, 4, 0, 4, COUNTS_END + 4),
        LedgerRow("clicks", 0, "counted", START + 3_600, 5, 0, 5, COUNTS_END + 5),
    ]
    assert found.results == Results(
        {WindowKey("p", T): Counts(3, 2)},
        {
            LedgerKey("clicks", 0, Outcome.LATE, T): Entry(4, 0, 4),
            LedgerKey("clicks", 0, Outcome.COUNTED, T + HOUR_MS): Entry(5, 0, 5),
        },
    )


def results(impressions: int, late: int = 2) -> Results:
    return Results(
        {WindowKey("p", T): Counts(impressions, 1), WindowKey("q", T): Counts(1, 0)},
        {
            LedgerKey("clicks", 0, Outcome.COUNTED, T): Entry(impressions + 2, 0, 9),
            LedgerKey("clicks", 0, Outcome.LATE, T): Entry(late, 0, 9),
        },
    )


def test_the_difference_is_shown_by_hour_and_by_outcome() -> None:
    lines = shown(PLAN, results(1_500), results(1_000))
    words = [line.split() for line in lines]
    assert words[1] == [
        *("2025-11-24T16:00:00Z", "2", "2", "0"),
        *("1,501", "1,001", "-500", "1", "1", "0"),
    ]
    assert words[2] == ["2025-11-24T17:00:00Z", *["0"] * 9]
    assert ["2025-11-24T16:00:00Z", "late", "2", "2", "0"] in words
    assert ["2025-11-24T16:00:00Z", "counted", "1,502", "1,002", "-500"] in words
    assert lines[-1] == (
        "1 windows and 1 ledger rows differ from 2025-11-24T16:00:00Z to 2025-11-24T18:00:00Z."
    )


def test_where_nothing_differs_it_is_said_in_a_sentence() -> None:
    assert shown(PLAN, results(5), results(5))[-1].startswith("Nothing differs from 2025-11-24T16")


def test_sums_that_agree_do_not_hide_rows_that_differ() -> None:
    one = Results({WindowKey("p", T): Counts(1, 0)}, {})
    other = Results({WindowKey("q", T): Counts(1, 0)}, {})
    assert shown(PLAN, one, other)[-1].startswith("2 windows and 0 ledger rows differ")


def test_columns_stand_below_each_other() -> None:
    assert aligned([["hour", "n"], ["a", "1,000"]]) == ["hour      n", "a     1,000"]


class Client:
    """ClickHouse with one window and a late event, and perhaps an hour that retention dropped."""

    def __init__(self, impressions: int = 5, dropped: Sequence[int] = ()) -> None:
        self.impressions, self.dropped = impressions, dropped
        self.told: list[str] = []

    def execute(
        self, query: str, columns: object = None, *, columnar: bool = False
    ) -> list[tuple[Any, ...]]:
        assert columnar == (columns is not None)
        first = next(line for line in query.splitlines() if not line.startswith("--"))
        self.told.append(first)
        if "FROM ctr.dropped_hours" in query:
            return [(hour // 1_000,) for hour in self.dropped]
        if query.startswith("-- How many rows"):
            return [(1,)]
        if query.startswith("-- What do the windows"):
            return [("p", START, self.impressions, 0)]
        if query.startswith("-- What stands in the ledger"):
            return [("clicks", 0, "counted", START, 5, 0, 4)]
        return []

    def disconnect(self) -> None:
        """Nothing to do."""


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    clickhouse = {"host": "c", "port": 9000, "user": "admin", "password": "", "database": "ctr"}
    kafka = {"bootstrap.servers": "k:9092"}
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps({"kafka": kafka, "clickhouse": clickhouse}))
    claim = tmp_path / "claim.json"
    take(claim, Claim(PLAN.asked, str(PLAN.span), "ann on ctl1", T, T + HOUR_MS))
    return [f"--endpoints={file}", f"--plan={PLAN.json([])}", f"--claim={claim}"]


Rewound = list[tuple[str, int]]


@pytest.fixture
def rewound(monkeypatch: pytest.MonkeyPatch) -> Rewound:
    """A recount of five impressions; how loaders were sent back."""
    told: Rewound = []
    row = WindowRow("p", START, START + 10, 5, 0, 5)
    booked = LedgerRow("clicks", 0, "counted", START, 5, 0, 4, 5)
    monkeypatch.setattr(command, "read_recounted", lambda *_: Recounted([row], [booked]))
    monkeypatch.setattr(command, "rewind", lambda _, group, moment: told.append((group, moment)))
    return told


@pytest.mark.parametrize(
    ("impressions", "status", "sentence"),
    [(5, 0, "Nothing differs"), (9, 1, "1 windows and 0 ledger rows differ")],
)
def test_without_apply_nothing_is_written(  # noqa: PLR0913 - fixtures and a table
    arguments: list[str],
    rewound: Rewound,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    impressions: int,
    status: int,
    sentence: str,
) -> None:
    client = Client(impressions)
    monkeypatch.setattr(audited, "Client", lambda **_: client)
    assert command.main(arguments) == status
    assert sentence in capsys.readouterr().out.splitlines()[-1]
    assert all(told.startswith("SELECT") for told in client.told)
    assert rewound == []


def test_with_apply_all_rows_are_gathered_before_the_first_partition_is_replaced(
    arguments: list[str],
    rewound: Rewound,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = Client(9)
    monkeypatch.setattr(audited, "Client", lambda **_: client)
    assert command.main([*arguments, "--apply", "--group=loaders"]) == 0
    assert capsys.readouterr().out.startswith("replaced: 2025-11-24T16:00:00Z to")
    assert rewound == [("loaders", PLAN.asked - 60_000)]
    asked, *words = [told.split(" (")[0].removesuffix("()") for told in client.told]
    assert asked == "SELECT toUnixTimestamp(hour)"
    assert words == [
        "DROP TABLE IF EXISTS ctr.ctr_windows_backfill",
        "DROP TABLE IF EXISTS ctr.ledger_backfill",
        "CREATE TABLE ctr.ctr_windows_backfill AS ctr.ctr_windows",
        "INSERT INTO ctr.ctr_windows_backfill",
        "INSERT INTO ctr.ctr_windows_backfill",
        "CREATE TABLE ctr.ledger_backfill AS ctr.ledger",
        "INSERT INTO ctr.ledger_backfill",
        "INSERT INTO ctr.ledger_backfill",
        "SELECT count",
        "ALTER TABLE ctr.ctr_windows REPLACE PARTITION ID '20251124' FROM ctr.ctr_windows_backfill",
        "SELECT count",
        "ALTER TABLE ctr.ledger REPLACE PARTITION ID '202511' FROM ctr.ledger_backfill",
        "DROP TABLE IF EXISTS ctr.ctr_windows_backfill",
        "DROP TABLE IF EXISTS ctr.ledger_backfill",
    ]


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_hours_whose_windows_are_gone_are_refused(
    arguments: list[str],
    rewound: Rewound,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    apply: list[str],
) -> None:
    monkeypatch.setattr(audited, "Client", lambda **_: Client(dropped=[T, T + HOUR_MS]))
    assert command.main([*arguments, *apply]) == 2
    assert "dropped the windows of 2 hours of the range, the last of them 2025-11-24T17" in (
        capsys.readouterr().err
    )
    assert rewound == []


@pytest.mark.parametrize("apply", [[], ["--apply"]])
def test_where_another_backfill_has_taken_the_tables_they_are_left_alone(
    arguments: list[str],
    rewound: Rewound,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    apply: list[str],
) -> None:
    """The first was cut off for longer than its claim lasts, and goes on beside the second."""
    client = Client()
    monkeypatch.setattr(audited, "Client", lambda **_: client)
    later = Claim(PLAN.asked + 1, str(PLAN.span), "bob on ctl2", T + HOUR_MS, T + 2 * HOUR_MS)
    take(Path(arguments[-1].removeprefix("--claim=")), later)
    assert command.main([*arguments, *apply]) == 2
    assert "lost its claim to the backfill of" in capsys.readouterr().err
    assert client.told == []
    assert rewound == []
