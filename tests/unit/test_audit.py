"""Audit and reconcile, with a Kafka and a ClickHouse that are played."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from clickhouse_driver.errors import NetworkError
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from flink_job.audit import __main__ as audit
from flink_job.audit import reading, reconcile, tables, topics
from flink_job.audit.law import Partition, Seen, Spans
from flink_job.domain import INPUT, DeadLetter, Outcome, Record, fold
from flink_job.endpoints import Kafka
from flink_job.job import SERVING, statement
from tests.nasty import T, event

ENDPOINT = Kafka(("kafka1:9092",))
PLACE = TopicPartition("impressions", 0)


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Consumer:
    """As much of kafka-python's consumer as whole topics need."""

    def __init__(self, messages: Iterable[Message], begins: Mapping[TopicPartition, int]) -> None:
        self.messages = list(messages)
        self.begins = begins
        self.closed = False
        self.polled = False

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0} if topic in {*INPUT, "dead-letters"} else set()

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.begins.get(one, 0) for one in partitions}

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        ends = {one: self.begins.get(one, 0) for one in partitions}
        for message in self.messages:
            place = TopicPartition(message.topic, message.partition)
            if place in ends:
                ends[place] = max(ends[place], message.offset + 1)
        self.ends = ends
        return ends

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.assigned = partitions

    def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        if not partitions:
            raise ValueError("No partitions are currently assigned")
        assert list(partitions) == self.assigned

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Message]]:
        assert timeout_ms > 0
        found: dict[TopicPartition, list[Message]] = {}
        for message in () if self.polled else self.messages:
            place = TopicPartition(message.topic, message.partition)
            if place in self.assigned:
                found.setdefault(place, []).append(message)
        self.polled = True
        return found

    def position(self, partition: TopicPartition) -> int:
        return self.ends[partition] if self.polled else self.begins.get(partition, 0)

    def pause(self, partition: TopicPartition) -> None:
        assert partition in self.assigned

    def close(self) -> None:
        self.closed = True


def playing(
    *messages: Message, begins: Mapping[TopicPartition, int] | None = None
) -> Callable[..., Consumer]:
    return lambda **_: Consumer(messages, begins or {})


def letter(value: bytes | None, offset: int = 3, reason: str = "malformed") -> Message:
    headers = {"topic": "clicks", "partition": "0", "offset": str(offset), "reason": reason}
    pairs = tuple((name, text.encode()) for name, text in headers.items())
    return Message("dead-letters", 0, offset, T, value, pairs)


def test_the_input_is_read_in_whole() -> None:
    first, second = (Message("impressions", 0, offset, T, b"x") for offset in (0, 1))
    read = list(topics.read_input(ENDPOINT, kafka=playing(first, second)))
    assert read == [Record("impressions", 0, offset, T, b"x") for offset in (0, 1)]


def test_shares_of_the_input_are_whole_partitions_and_together_all_of_it() -> None:
    sent = [Message(topic, 0, offset, T, b"x") for topic in INPUT for offset in (0, 1)]
    read = [list(topics.read_input(ENDPOINT, share, 2, kafka=playing(*sent))) for share in (0, 1)]
    assert [{record.topic for record in records} for records in read] == [
        {"impressions", "canary"},
        {"clicks"},
    ]
    assert [len(records) for records in read] == [4, 2]


def test_a_machine_may_have_more_cores_than_there_are_partitions() -> None:
    assert list(topics.read_input(ENDPOINT, 2, 3, kafka=playing())) == []


def test_the_topics_are_read_as_the_job_reads_them() -> None:
    said: dict[str, object] = {}

    def play(**arguments: object) -> Consumer:
        said.update(arguments)
        return Consumer([], {})

    list(topics.read_input(ENDPOINT, kafka=play))
    isolation = f"'properties.isolation.level' = '{said['isolation_level']}'"
    assert isolation in statement("kafka/incoming.sql", {**SERVING, "kafka_properties": ""})


def test_the_job_and_its_checks_read_the_same_topics() -> None:
    assert f"'topic' = '{';'.join(INPUT)}'" in statement(
        "kafka/incoming.sql", {**SERVING, "kafka_properties": ""}
    )


def test_offsets_are_told_by_partition() -> None:
    play = playing(Message("clicks", 0, 8, T, b"x"), begins={TopicPartition("clicks", 0): 5})
    assert topics.input_offsets(ENDPOINT, kafka=play) == {
        ("impressions", 0): (0, 0),
        ("clicks", 0): (5, 9),
        ("canary", 0): (0, 0),
    }


def test_a_dead_letter_that_is_written_twice_is_one() -> None:
    read = topics.read_dead_letters(ENDPOINT, kafka=playing(letter(b"{"), letter(b"{")))
    assert read == {("clicks", 0, 3): DeadLetter(Outcome.MALFORMED, b"{")}


def test_two_letters_of_one_offset_that_differ_are_refused() -> None:
    with pytest.raises(reading.TopicsError, match="Two dead letters of clicks/0 offset 3 differ"):
        topics.read_dead_letters(ENDPOINT, kafka=playing(letter(b"{"), letter(b"[")))


def test_topics_without_their_beginning_cannot_be_audited() -> None:
    play = playing(Message("impressions", 0, 9, T, b"x"), begins={PLACE: 4})
    with pytest.raises(reading.TopicsError, match="removed the first 4 messages"):
        list(topics.read_input(ENDPOINT, kafka=play))


def test_a_kafka_that_does_not_answer_is_a_sentence() -> None:
    def nobody(**_: object) -> NoReturn:
        raise KafkaConnectionError

    with pytest.raises(reading.TopicsError, match="Kafka cannot be read: KafkaConnectionError"):
        topics.input_offsets(ENDPOINT, kafka=nobody)


class Client:
    """ClickHouse with the tables that a fold of the records gives."""

    dropped: tuple[int, ...] = ()

    def __init__(self, records: list[Record], *, lost: int = 0) -> None:
        self.tables = fold(records)
        self.lost = lost

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        if "ctr.ledger" in statement:
            return [
                (*(key.topic, key.partition, key.outcome.value, key.hour // 1_000), *entry)
                for key, row in self.tables.ledger.items()
                for entry in [(row.events, row.first_offset, row.last_offset)]
            ]
        if "SELECT toUnixTimestamp(hour)\n" in statement:
            return [(hour // 1_000,) for hour in self.dropped]
        windows = self.tables.windows.items()
        if "toStartOfHour" in statement:
            sums: dict[int, int] = {}
            for key, row in windows:
                hour = key.window_start // 3_600_000 * 3_600
                sums[hour] = sums.get(hour, 0) + row.impressions + row.clicks - self.lost
            return list(sums.items())
        return [
            (key.product_id, key.window_start // 1_000, row.impressions - self.lost, row.clicks)
            for key, row in windows
        ]

    def disconnect(self) -> None:
        """Nothing to do."""


@pytest.fixture
def endpoints(tmp_path: Path) -> str:
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    file = tmp_path / "endpoints.json"
    file.write_text(
        json.dumps({"kafka": {"bootstrap.servers": "k:9092"}, "clickhouse": clickhouse})
    )
    return f"--endpoints={file}"


RECORDS = [Record("impressions", 0, 0, T, event()), Record("impressions", 0, 1, T, b"{")]


def play(monkeypatch: pytest.MonkeyPatch, *, lost: int = 0) -> None:
    monkeypatch.setattr(tables, "Client", lambda **_: Client(RECORDS, lost=lost))
    monkeypatch.setattr(audit, "read_input", lambda _, share, shares: iter(RECORDS[share::shares]))
    letters = fold(RECORDS).dead_letters
    monkeypatch.setattr(audit, "read_dead_letters", lambda _: letters)
    monkeypatch.setattr(
        reconcile, "input_offsets", lambda _: {("impressions", 0): (0, 2), ("clicks", 0): (0, 0)}
    )


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (
            reconcile.main,
            "conservation: consumed 2 = counted 1 + rejected 1 + late 0, unexplained 0\n",
        ),
        (
            audit.main,
            "audit: 2 messages, 1 windows, 2 ledger rows, 1 dead letters: all as specified\n",
        ),
    ],
)
def test_what_is_right_is_told_in_a_line(
    command: Callable[[list[str]], int],
    line: str,
    endpoints: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(monkeypatch)
    assert command([endpoints]) == 0
    assert capsys.readouterr().out == line


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (reconcile.main, "the ledger has 1 counted events more than the windows."),
        (audit.main, "windows: 1 rows are wrong, such as"),
    ],
)
def test_a_lost_event_is_told_when_the_time_is_up(
    command: Callable[[list[str]], int],
    sentence: str,
    endpoints: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(monkeypatch, lost=1)
    assert command([endpoints, "--within=0"]) == 1
    assert sentence in capsys.readouterr().out


def third_offset(monkeypatch: pytest.MonkeyPatch, seen: Seen) -> list[Spans]:
    """Let Kafka have one offset that the ledger lacks, of which this is seen; what is asked for."""
    asked: list[Spans] = []

    def seen_in(_: Kafka, spans: Spans, shares: int) -> dict[Partition, Seen]:
        assert shares > 0
        asked.append(spans)
        return {("impressions", 0): seen}

    monkeypatch.setattr(
        reconcile, "input_offsets", lambda _: {("impressions", 0): (0, 3), ("clicks", 0): (0, 0)}
    )
    monkeypatch.setattr(reconcile, "seen_in", seen_in)
    return asked


def test_a_marker_behind_the_last_record_is_read_and_told(
    endpoints: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    asked = third_offset(monkeypatch, Seen(without_record=1))
    assert reconcile.main([endpoints, "--within=0"]) == 0
    assert asked == [{("impressions", 0): (2, 3)}]
    assert capsys.readouterr().out == (
        "conservation: consumed 2 = counted 1 + rejected 1 + late 0, unexplained 0; "
        "1 offsets hold no record\n"
    )


def test_a_record_that_the_job_lacks_is_read_once_and_told(
    endpoints: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch)
    asked = third_offset(monkeypatch, Seen(newest=2))
    monkeypatch.setattr(reconcile, "AGAIN_AFTER_S", 0.01)
    assert reconcile.main([endpoints, "--within=0.1"]) == 1
    assert len(asked) == 1
    assert "1 of 3 events of impressions partition 0 have no outcome" in capsys.readouterr().out


@pytest.mark.parametrize("command", [reconcile.main, audit.main])
def test_a_clickhouse_that_does_not_answer_is_a_sentence(
    command: Callable[[list[str]], int],
    endpoints: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    play(monkeypatch)

    class Away(Client):
        def execute(self, _: str) -> list[tuple[Any, ...]]:
            raise NetworkError("Connection refused (c:9000)")

    monkeypatch.setattr(tables, "Client", lambda **_: Away(RECORDS))
    assert command([endpoints]) == 2
    assert "ClickHouse cannot be asked:" in capsys.readouterr().err


def test_windows_that_retention_has_dropped_are_not_wanted(
    endpoints: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    play(monkeypatch, lost=1)
    monkeypatch.setattr(Client, "dropped", (T - T % 3_600_000,))
    assert audit.main([endpoints, "--within=0"]) == 0
    assert "all as specified" in capsys.readouterr().out
