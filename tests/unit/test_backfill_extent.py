"""Which part of the topics tells all of a range, asked of a Kafka that is played."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from flink_job.backfill.extent import main
from flink_job.backfill.plan import Plan
from flink_job.backfill.rewind import rewind
from flink_job.endpoints import Kafka
from tests.nasty import T, event

HOUR_MS = 3_600_000
FROM, TO = "2025-11-24T16:00:00Z", "2025-11-24T17:00:00Z"
END = T + HOUR_MS
NOW = T + 30 * HOUR_MS
ONE, OTHER = TopicPartition("impressions", 0), TopicPartition("clicks", 0)
CANARY = TopicPartition("canary", 0)


@dataclass(frozen=True)
class Message:
    topic: str
    partition: int
    offset: int
    timestamp: int
    value: bytes


@dataclass(frozen=True)
class Place:
    offset: int


def sent(partition: TopicPartition, *times: tuple[int, int], first: int = 0) -> list[Message]:
    """Messages by append time and event time; an event time of 0 is none that counts."""
    return [
        Message(
            partition.topic,
            partition.partition,
            offset,
            appended,
            event(time=str(time)) if time else b"{",
        )
        for offset, (appended, time) in enumerate(times, start=first)
    ]


def flow(start: int, end: int, step: int = 30_000) -> list[tuple[int, int]]:
    return [(time, time - 1_000) for time in range(start, end, step)]


class Consumer:
    """As much of kafka-python's consumer as looking for offsets takes; one message a poll."""

    def __init__(self, messages: Sequence[Message], begins: Mapping[TopicPartition, int]) -> None:
        self.messages = {
            one: [each for each in messages if (each.topic, each.partition) == one]
            for one in (ONE, OTHER, CANARY)
        }
        self.begins = {ONE: 0, OTHER: 0, CANARY: 0} | dict(begins)
        self.positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()
        self.silent = False
        self.read = 0

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.begins[one] for one in partitions}

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.begins[one] + len(self.messages[one]) for one in partitions}

    def offsets_for_times(
        self, times: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, Place | None]:
        assert all(time >= 0 for time in times.values()), "below zero are other questions"
        return {
            one: next(
                (Place(each.offset) for each in self.messages[one] if each.timestamp >= time), None
            )
            for one, time in times.items()
        }

    def assign(self, partitions: list[TopicPartition]) -> None:
        assert partitions
        self.positions, self.paused = {}, set()

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Message]]:
        assert timeout_ms > 0
        found = {}
        for one in [] if self.silent else self.positions.keys() - self.paused:
            at = self.positions[one] - self.begins[one]
            found[one] = self.messages[one][at : at + 1]
            self.positions[one] += 1
            self.read += 1
        return found

    def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def endpoints(tmp_path: Path) -> str:
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    kafka = {"bootstrap.servers": "k:9092"}
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps({"kafka": kafka, "clickhouse": clickhouse}))
    return f"--endpoints={file}"


Asked = tuple[int, str, str]
Ask = Callable[..., Asked]


@pytest.fixture
def ask(endpoints: str, capsys: pytest.CaptureFixture[str]) -> Ask:
    def asked(
        *messages: Message,
        begins: Mapping[TopicPartition, int] | None = None,
        first: str = FROM,
        last: str = TO,
        consumer: Consumer | None = None,
    ) -> Asked:
        played = consumer or Consumer(messages, begins or {})
        arguments = [endpoints, f"--from={first}", f"--to={last}"]
        status = main(arguments, kafka=lambda **_: played, clock=lambda: NOW / 1_000)
        told = capsys.readouterr()
        return status, told.out, told.err

    return asked


def test_a_range_in_the_midst_of_all_is_read_from_a_minute_before_it_until_all_clocks_are_behind(
    ask: Ask,
) -> None:
    # The clock of the other comes behind the range an hour later: so long the first is read, too.
    status, out, err = ask(
        *sent(ONE, *flow(T - HOUR_MS, END + 2 * HOUR_MS)),
        *sent(OTHER, *flow(T - HOUR_MS, T + 60_000), (END + HOUR_MS, END + HOUR_MS)),
    )
    assert (status, err) == (0, "")
    assert Plan.parsed(out) == Plan(T, END, T - 61_000, END + HOUR_MS + 1, NOW)
    assert json.loads(out)["told"] == []


def test_where_a_clock_is_not_known_it_goes_further_back(ask: Ask) -> None:
    quiet = [(T - 400_000, T - 400_000), (T + 5_000, T - 86_400_000), (END + 70_000, END + 70_000)]
    status, out, _ = ask(
        *sent(ONE, *flow(T - HOUR_MS, END + HOUR_MS)),
        *sent(OTHER, (T - HOUR_MS, T - HOUR_MS), *quiet),
    )
    assert status == 0
    assert Plan.parsed(out).start == T - 8 * 61_000


def test_a_partition_without_a_message_in_the_range_needs_no_clock(ask: Ask) -> None:
    status, out, _ = ask(
        *sent(ONE, *flow(T - HOUR_MS, END + HOUR_MS)),
        *sent(OTHER, (T - 2 * HOUR_MS, T - 2 * HOUR_MS), (END + 70_000, END + 70_000)),
    )
    assert (status, Plan.parsed(out).start) == (0, T - 61_000)


def test_a_partition_that_is_read_in_whole_needs_no_clock(ask: Ask) -> None:
    status, out, _ = ask(*sent(ONE, (T + 1, T - 86_400_000), (END + 80_000, END + 80_000)))
    assert status == 0
    assert Plan.parsed(out) == Plan(T, END, T - 61_000, END + 80_001, NOW)


def test_where_a_clock_has_not_passed_the_range_all_is_read_and_it_is_told(ask: Ask) -> None:
    status, out, _ = ask(
        *sent(ONE, *flow(T, END + HOUR_MS)), *sent(OTHER, *flow(T, END), (NOW - 1, 0))
    )
    assert (status, Plan.parsed(out).end) == (0, None)
    (sentence,) = json.loads(out)["told"]
    assert "The clocks of clicks/0 have not passed the end of the range" in sentence


def test_topics_without_a_message_are_an_empty_range(ask: Ask) -> None:
    status, out, _ = ask()
    assert status == 0
    assert Plan.parsed(out) == Plan(T, END, T - 61_000, None, NOW)


def test_a_range_that_is_widened_is_told(ask: Ask) -> None:
    _, out, _ = ask(first="2025-11-24T16:30:00Z")
    assert json.loads(out)["told"] == [f"The range is widened to whole hours: {FROM} to {TO}."]


def test_no_more_is_read_than_tells(ask: Ask) -> None:
    consumer = Consumer(sent(ONE, *flow(T - 10 * HOUR_MS, T + 20 * HOUR_MS)), {})
    status, _, _ = ask(consumer=consumer)
    assert status == 0
    assert consumer.read < 10


def test_what_retention_has_removed_is_refused_with_the_first_hour_that_is_possible(
    ask: Ask,
) -> None:
    messages = sent(ONE, *flow(T - 30_000, END + 2 * HOUR_MS), first=7)
    status, out, err = ask(*messages, begins={ONE: 7})
    assert (status, out) == (2, "")
    assert "Retention has removed messages of impressions/0" in err
    assert "begin at 2025-11-24T17:00:00Z or later." in err
    assert ask(*messages, begins={ONE: 7}, first=TO, last="2025-11-24T18:00:00Z")[0] == 0


def test_what_retention_has_removed_before_the_range_is_not_missed(ask: Ask) -> None:
    messages = sent(ONE, *flow(T - HOUR_MS, END + HOUR_MS), first=7)
    assert ask(*messages, begins={ONE: 7})[0] == 0


def test_a_partition_that_has_lost_all_its_messages_is_refused(ask: Ask) -> None:
    status, _, err = ask(*sent(ONE, *flow(T - HOUR_MS, END + HOUR_MS)), begins={OTHER: 5})
    assert status == 2
    assert "Retention has removed all messages of clicks/0" in err


def test_a_kafka_that_sends_nothing_is_a_sentence(ask: Ask) -> None:
    consumer = Consumer(sent(ONE, *flow(T - HOUR_MS, END + HOUR_MS)), {})
    consumer.silent = True
    status, _, err = ask(consumer=consumer)
    assert (status, err) == (2, "Kafka sent nothing for 30 s.\n")


def test_what_is_no_range_is_refused_before_kafka_is_asked(
    endpoints: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(**_: object) -> None:
        pytest.fail("Kafka was asked")

    assert main([endpoints, f"--from={TO}", f"--to={FROM}"], kafka=never) == 2
    assert "nothing is between them" in capsys.readouterr().err


class Group(Consumer):
    """A consumer group that has read up to some offsets, and whose topics begin at offset 10."""

    def __init__(self, since: int | None, committed: int | None) -> None:
        super().__init__([], {})
        self.since, self.known = since, committed
        self.committed_anew: dict[TopicPartition, int] = {}

    def offsets_for_times(
        self, times: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, Place | None]:
        assert {one.topic for one in times} == {"ctr-windows", "ctr-ledger"}
        return dict.fromkeys(times, None if self.since is None else Place(self.since))

    def committed(self, _: TopicPartition) -> int | None:
        return self.known

    def assign(self, partitions: list[TopicPartition]) -> None:
        assert partitions

    def commit(self, offsets: Mapping[TopicPartition, Place]) -> None:
        self.committed_anew = {one: place.offset for one, place in offsets.items()}


@pytest.mark.parametrize(
    ("since", "committed", "anew"),
    [(5, 9, 5), (9, 5, None), (None, 9, None), (5, None, None), (5, 5, None)],
)
def test_loaders_go_back_and_never_forward(
    since: int | None, committed: int | None, anew: int | None
) -> None:
    group = Group(since, committed)
    said: dict[str, object] = {}

    def play(**arguments: object) -> Group:
        said.update(arguments)
        return group

    rewind(Kafka(("k:9092",)), "ctr-loader", T, kafka=play)
    assert said["group_id"] == "ctr-loader"
    assert set(group.committed_anew.values()) == (set() if anew is None else {anew})
    assert len(group.committed_anew) == (0 if anew is None else 2)


def test_a_kafka_that_is_away_is_a_sentence(
    endpoints: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def nobody(**_: object) -> None:
        raise KafkaConnectionError

    assert main([endpoints, f"--from={FROM}", f"--to={TO}"], kafka=nobody) == 2
    assert "Kafka cannot be read" in capsys.readouterr().err
