"""What `make status` says of the flow, with a Kafka and a ClickHouse that are played."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from clickhouse_driver.errors import NetworkError
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError
from kafka.structs import OffsetAndTimestamp

from flink_job.audit import look, records, tables, topics
from flink_job.audit.flow import Came, Written, told
from flink_job.audit.law import Spans
from flink_job.domain import INPUT
from flink_job.endpoints import Kafka

NOW = 1_764_000_600
OLD = Written(0, 0, 0, NOW - 600, NOW)
FRESH = Written(7, 30, 5, NOW - 1, NOW)
NONE = Written(0, 0, 0, None, NOW)
NEWEST = "the newest is of 2025-11-24 16:00:00 UTC"
LOADER = "look at ctr-loader and clickhouse-server"
QUIET, FLOWING = Came(0, 0, 0), Came(600, 0, 0)


@pytest.mark.parametrize(
    ("came", "written", "events", "rows"),
    [
        (
            FLOWING,
            FRESH,
            "600 in the last 60 s",
            "7 in the last 60 s, 30 impressions, 5 clicks; the newest was written 1 s ago",
        ),
        # A load that has ended is no fault, and does not read like one.
        (
            QUIET,
            OLD,
            "none in the last 60 s, nothing is sent",
            f"{NEWEST}; no event waits",
        ),
        (QUIET, NONE, "none in the last 60 s, nothing is sent", "there is none; no event waits"),
        (
            Came(600, 0, 3),
            OLD,
            "600 in the last 60 s",
            f"{NEWEST}: FAULT, 3 results of the job wait for the loader; {LOADER}",
        ),
        (
            Came(600, 500, 0),
            NONE,
            "600 in the last 60 s",
            "there is none: FAULT, 500 events wait for the job; look at it and its TaskManagers",
        ),
        (
            FLOWING,
            OLD,
            "600 in the last 60 s",
            f"{NEWEST}: all events since then were rejected, late or aborted, see ctr.ledger",
        ),
        ("Kafka is away.", OLD, "Kafka is away.", NEWEST),
        (QUIET, "No.", "none in the last 60 s, nothing is sent", "No."),
    ],
)
def test_what_is_missing_is_told_from_what_was_not_sent(
    came: Came | str, written: Written | str, events: str, rows: str
) -> None:
    assert told(came, written) == [f"events: {events}", f"rows:   {rows}"]


class Consumer:
    """A Kafka whose input ends at 10, of which 4 are of the last minute, and results at 20."""

    loaded: int | None = 20
    ends_in_markers = False

    def __init__(self, **_: object) -> None:
        self.positions: dict[TopicPartition, int] = {}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, 0)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def pause(self, partition: TopicPartition) -> None:
        assert self.positions[partition] == 10

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms > 0
        read = {
            one: [SimpleNamespace(offset=offset) for offset in range(at, 10)]
            for one, at in self.positions.items()
        }
        self.positions = dict.fromkeys(read, 10)
        return {} if self.ends_in_markers else read

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 2)

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: 20 if one.topic in topics.LOADED else 10 for one in partitions}

    def offsets_for_times(self, times: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        impressions, clicks = times
        assert set(times.values()) == {(NOW - 60) * 1_000}
        return {impressions: OffsetAndTimestamp(6, NOW, -1), clicks: None}

    def committed(self, _: TopicPartition, timeout_ms: int) -> int | None:
        assert timeout_ms > 0
        return self.loaded

    def close(self) -> None:
        pass


class Client:
    """A ClickHouse whose ledger and rows are those of the class."""

    reached = 9
    written = OLD
    asked = 0

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        if "ctr.ledger" in statement:
            Client.asked += 1
            return [(topic, 0, self.reached) for topic in INPUT]
        if "inserted_at" in statement:
            return [(1, self.written.newest, self.written.now)]
        return [(self.written.windows, self.written.impressions, self.written.clicks)]

    def disconnect(self) -> None:
        pass


@pytest.fixture
def looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Look at a play of Kafka and ClickHouse; what is printed."""
    file = tmp_path / "endpoints.json"
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    content = {"kafka": {"bootstrap.servers": "k:9092"}, "clickhouse": clickhouse}
    file.write_text(json.dumps(content))
    monkeypatch.setattr(look, "AGAIN_AFTER_S", 0.01)

    def run(consumer: type = Consumer, client: type = Client, within: float = 0) -> str:
        def kafka(endpoint: Kafka, loader: str) -> topics.Stream:
            return topics.stream(endpoint, loader, kafka=consumer, clock=lambda: NOW)

        def waits(endpoint: Kafka, spans: Spans) -> bool:
            return records.any_record(endpoint, spans, kafka=consumer)

        monkeypatch.setattr(look, "stream", kafka)
        monkeypatch.setattr(look, "any_record", waits)
        monkeypatch.setattr(tables, "Client", lambda **_: client())
        assert look.main([f"--endpoints={file}", f"--within={within}"]) == 0
        return capsys.readouterr().out

    return run


def test_events_of_the_last_minute_and_rows_are_told(looked: Callable[..., str]) -> None:
    class Writing(Client):
        written = FRESH

    out = looked(client=Writing)
    assert "events: 4 in the last 60 s\n" in out
    assert "rows:   7 in the last 60 s" in out


def test_a_loader_that_is_behind_is_named(looked: Callable[..., str]) -> None:
    class Behind(Consumer):
        loaded = None

    assert "36 results of the job wait for the loader" in looked(consumer=Behind)


def test_a_job_that_is_behind_is_named(looked: Callable[..., str]) -> None:
    class Behind(Client):
        reached = 5

    assert "12 events wait for the job" in looked(client=Behind)


def test_nobody_waits_for_the_markers_that_a_partition_ends_in(
    looked: Callable[..., str],
) -> None:
    class Behind(Client):
        reached = 8

    class Marked(Consumer):
        ends_in_markers = True

    assert "FAULT, 3 events wait for the job" in looked(client=Behind)
    assert f"rows:   {NEWEST}: all events" in looked(consumer=Marked, client=Behind)


def test_what_is_under_way_has_time_to_arrive(looked: Callable[..., str]) -> None:
    class Arriving(Client):
        def execute(self, statement: str) -> list[tuple[Any, ...]]:
            self.reached = 9 if Client.asked > 1 else 5
            return super().execute(statement)

    Client.asked = 0
    assert "FAULT" not in looked(client=Arriving, within=30)
    assert Client.asked > 1


def test_each_side_is_told_while_the_other_is_away(looked: Callable[..., str]) -> None:
    def nobody(**_: object) -> NoReturn:
        raise KafkaConnectionError

    class Away(Client):
        def execute(self, _: str) -> list[tuple[Any, ...]]:
            raise NetworkError("Connection refused (c:9000)")

    out = looked(consumer=nobody)
    assert "events: Kafka cannot be read: KafkaConnectionError" in out
    assert f"rows:   {NEWEST}\n" in out
    out = looked(client=Away)
    assert "events: 4 in the last 60 s" in out
    assert "rows:   ClickHouse cannot be asked:" in out
