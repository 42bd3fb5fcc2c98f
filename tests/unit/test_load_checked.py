from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from flink_job.domain import Entry, LedgerKey, Outcome
from loadtest import checked
from loadtest.checked import Standing, differences, main
from loadtest.swarm import SwarmError

BEFORE = Standing(
    {"impressions": 100, "clicks": 20},
    {"impressions": {"counted": 90, "late": 10}, "clicks": {"counted": 20}},
)
AFTER = Standing(
    {"impressions": 130, "clicks": 25},
    {"impressions": {"counted": 115, "late": 12, "malformed": 3}, "clicks": {"counted": 25}},
)
REPORT: dict[str, Any] = {
    "workers": {"began": 2, "ended": 2},
    "failed": {"impressions": 0, "clicks": 0},
    "unknown": 0,
    "acknowledged": {"impressions": 30, "clicks": 5},
    "outcomes": {
        "impressions": {"counted": 25, "late": 2, "malformed": 3},
        "clicks": {"counted": 5},
    },
    "produce_to_ack_ms": {"max": 240},
}


def test_a_ledger_that_has_gained_what_was_made_differs_in_nothing() -> None:
    assert differences(BEFORE, AFTER, REPORT) == []


def test_an_event_with_another_outcome_is_told() -> None:
    booked = {**AFTER.booked, "clicks": {"counted": 24, "late": 1}}
    assert differences(BEFORE, replace(AFTER, booked=booked), REPORT) == [
        "clicks: 5 events were made to be counted, and the ledger has gained 4.",
        "clicks: 0 events were made to be late, and the ledger has gained 1.",
    ]


def test_who_else_wrote_to_a_topic_is_told() -> None:
    after = Standing({**AFTER.ends, "clicks": 32}, {**AFTER.booked, "clicks": {"counted": 32}})
    first, second = differences(BEFORE, after, REPORT)
    assert "7 offsets more than the run had acknowledged: others wrote to it too" in first
    assert "the ledger has gained 12" in second


def test_a_run_that_does_not_know_what_it_made_proves_nothing() -> None:
    (told,) = differences(BEFORE, AFTER, {**REPORT, "unknown": 1})
    assert "not known to the event" in told


def test_where_events_were_slow_that_is_told_beside_the_difference() -> None:
    slow = {**REPORT, "produce_to_ack_ms": {"max": 12_000}}
    assert differences(BEFORE, AFTER, slow) == []
    booked = {**AFTER.booked, "clicks": {"counted": 24, "late": 1}}
    *_, last = differences(BEFORE, replace(AFTER, booked=booked), slow)
    assert "up to 12.0 s into Kafka" in last


class World:
    """Kafka and ClickHouse as far as a check asks them: the ledger comes behind by and by."""

    def __init__(self, behind: int = 0) -> None:
        self.behind = behind

    def offsets(self, _: object) -> dict[tuple[str, int], tuple[int, int]]:
        return {("impressions", 0): (0, 60), ("impressions", 1): (10, 40), ("clicks", 0): (0, 20),
                ("clicks", 1): (0, 0), ("canary", 0): (0, 999)}  # fmt: skip

    def ledger(self, _: object) -> dict[LedgerKey, Entry]:
        self.behind, behind = max(0, self.behind - 1), self.behind
        return {
            LedgerKey("impressions", 0, Outcome.COUNTED, 0): Entry(50, 0, 49),
            LedgerKey("impressions", 0, Outcome.LATE, 0): Entry(10 - behind, 50, 59 - behind),
            LedgerKey("impressions", 1, Outcome.COUNTED, 0): Entry(40, 0, 39),
            LedgerKey("clicks", 0, Outcome.COUNTED, 0): Entry(20, 0, 19),
            LedgerKey("canary", 0, Outcome.COUNTED, 0): Entry(1, 0, 0),
        }


class Told:
    """A locust master that has a report, or says why not."""

    why: str | None = None

    def __init__(self, url: str) -> None:
        assert url == "http://load1:8089"

    def report(self, within: float) -> dict[str, Any]:
        assert within > 0
        if self.why is not None:
            raise SwarmError(self.why)
        return {**REPORT, "acknowledged": {"impressions": 0, "clicks": 0},
                "outcomes": {"impressions": {}, "clicks": {}}}  # fmt: skip


@pytest.fixture
def endpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    @contextmanager
    def connected(_: object) -> Iterator[None]:
        yield

    place(World(), monkeypatch)
    monkeypatch.setattr(checked, "connected", connected)
    monkeypatch.setattr(checked, "Master", Told)
    monkeypatch.setattr(checked, "AGAIN_AFTER_S", 0)
    Told.why = None
    path = tmp_path / "endpoints.json"
    clickhouse = {"host": "c", "port": 9000, "user": "u", "password": "p", "database": "ctr"}
    kafka = {"bootstrap.servers": "kafka1:9092"}
    path.write_text(json.dumps({"kafka": kafka, "clickhouse": clickhouse}))
    return f"--endpoints={path}"


def place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "input_offsets", world.offsets)
    monkeypatch.setattr(checked, "read_ledger", world.ledger)


STANDING = Standing(
    {"impressions": 100, "clicks": 20},
    {"impressions": {"counted": 90, "late": 10}, "clicks": {"counted": 20}},
)


@pytest.mark.parametrize("behind", [0, 3])
def test_where_all_stands_is_told_once_the_ledger_has_come_to_the_ends(
    endpoints: str,
    behind: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place(World(behind), monkeypatch)
    assert main(["before", endpoints]) == 0
    assert json.loads(capsys.readouterr().out) == asdict(STANDING)


def test_a_ledger_that_stays_behind_is_a_sentence(
    endpoints: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place(World(5), monkeypatch)
    assert main(["before", endpoints, "--within=0"]) == 2
    assert "5 offsets behind Kafka" in capsys.readouterr().err


@pytest.mark.parametrize(("counted", "status"), [(20, 0), (19, 1)])
def test_a_check_says_whether_it_is_exact(
    endpoints: str,
    counted: int,
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = asdict(STANDING)
    before["booked"]["clicks"]["counted"] = counted
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(before)))
    assert main(["after", endpoints, "--master=http://load1:8089/"]) == status
    assert ("has gained exactly the 0 events" in capsys.readouterr().out) == (status == 0)


def test_without_a_report_there_is_no_check(
    endpoints: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Told.why = "The run has no report yet."
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(asdict(STANDING))))
    assert main(["after", endpoints, "--master=http://load1:8089"]) == 2
    assert "no report yet" in capsys.readouterr().err


def test_who_asks_behind_a_run_says_whose(
    endpoints: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["after", endpoints])
    assert "after needs --master" in capsys.readouterr().err
