"""Dead letters can be looked at whatever is in them, and reading them has a bound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError

from flink_job.endpoints import Kafka
from monitoring.page.letters import BYTES, NEWEST, Letter, Shelf, letter
from monitoring.page.topics import ANSWER_BYTES, PARTITION_BYTES, Watch

ENDPOINT = Kafka(("kafka1:9092",))
DEAD, OTHER = TopicPartition("dead-letters", 0), TopicPartition("dead-letters", 1)
IMPRESSIONS, CLICKS = TopicPartition("impressions", 0), TopicPartition("clicks", 0)


def message(
    offset: int, reason: str = "malformed", *, topic: str = "clicks", at: int | None = None
) -> Any:  # noqa: ANN401 - kafka-python has no types
    at = offset if at is None else at
    headers = {"topic": topic, "partition": "3", "offset": str(at), "reason": reason}
    return SimpleNamespace(
        offset=offset,
        timestamp=at * 1_000,
        value=b"{",
        headers=[(name, text.encode()) for name, text in headers.items()],
    )


@dataclass
class Topics:
    """Partitions and the messages in them; away for so many questions."""

    held: dict[TopicPartition, list[Any]] = field(default_factory=dict)
    begins: dict[TopicPartition, int] = field(default_factory=dict)
    settings: dict[str, object] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    away: int = 0

    def __call__(self, **settings: object) -> Consumer:
        self.settings = settings
        self.fail_while_away()
        return Consumer(self)

    def fail_while_away(self) -> None:
        if self.away:
            self.away -= 1
            raise KafkaConnectionError


class Consumer:
    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self.positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {one.partition for one in self.topics.held if one.topic == topic}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, -1)

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        self.topics.fail_while_away()
        return {one: self.topics.begins.get(one, 0) for one in partitions}

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: len(self.topics.held[one]) for one in partitions}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def resume(self, partition: TopicPartition) -> None:
        self.paused.discard(partition)

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)

    def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms > 0
        found = {}
        for one in self.positions.keys() - self.paused:
            found[one] = self.topics.held[one][self.positions[one] :]
            self.positions[one] = len(self.topics.held[one])
            self.topics.given.append(len(found[one]))
        return found

    def close(self) -> None:
        pass


class Stopping(threading.Event):
    """Does what comes between two looks, and ends the watch after the last."""

    def __init__(self, steps: list[Callable[[], None]]) -> None:
        super().__init__()
        self.steps = steps

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        if not self.steps:
            self.set()
        else:
            self.steps.pop(0)()
        return self.is_set()


def watched(topics: Topics, *steps: Callable[[], None]) -> Watch:
    watch = Watch(ENDPOINT, kafka=topics, clock=lambda: 7.0)
    watch.run(Stopping(list(steps)))
    return watch


def full() -> Topics:
    return Topics({DEAD: [], OTHER: [], IMPRESSIONS: [1, 2, 3], CLICKS: [1]}, {IMPRESSIONS: 1})


def test_the_newest_letters_are_known_in_all_and_by_reason() -> None:
    topics = full()
    topics.held[DEAD] = [message(at) for at in range(80)]
    topics.held[OTHER] = [message(0, "late"), message(1, "unknown_type", at=99)]
    known = watched(topics).known()
    assert known.letters is not None
    assert [one.offset for one in known.letters[""]][:2] == ["99", "79"]
    assert {reason: len(of) for reason, of in known.letters.items()} == {
        "": NEWEST,
        "malformed": NEWEST,
        "late": 1,
        "unknown_type": 1,
    }
    assert (known.read_at, known.problem) == (7.0, None)
    assert known.offsets == {("impressions", 0): (1, 3), ("clicks", 0): (0, 1)}


def test_a_look_reads_what_is_new_and_never_more_than_is_shown() -> None:
    topics = full()
    topics.held[DEAD] = [message(at) for at in range(500)]

    def some() -> None:
        topics.held[DEAD] += [message(at) for at in range(500, 503)]

    def many() -> None:
        topics.held[DEAD] += [message(at) for at in range(503, 900)]

    known = watched(topics, some, lambda: None, many).known()
    assert [one for one in topics.given if one] == [NEWEST, 3, NEWEST]
    assert known.letters is not None
    assert [one.offset for one in known.letters[""]] == [str(at) for at in range(899, 849, -1)]
    assert topics.settings["fetch_max_bytes"] == ANSWER_BYTES
    assert topics.settings["max_partition_fetch_bytes"] == PARTITION_BYTES
    assert not topics.settings.get("group_id")


def test_letters_of_the_canary_are_left_out() -> None:
    topics = full()
    topics.held[DEAD] = [message(0, topic="canary"), message(1)]
    known = watched(topics).known()
    assert known.letters is not None
    assert [one.offset for one in known.letters[""]] == ["1"]


def test_while_kafka_is_away_the_last_letters_are_known_and_it_is_asked_again() -> None:
    topics = full()
    topics.held[DEAD] = [message(0)]
    watch = Watch(ENDPOINT, kafka=topics, clock=lambda: 7.0)
    known = []

    def look() -> None:
        known.append(watch.known())

    def go_away() -> None:
        look()
        topics.away = 2

    watch.run(Stopping([go_away, look, look, look]))
    assert [one.problem is None for one in known] == [True, False, False, True]
    assert "KafkaConnectionError" in str(known[1].problem)
    assert known[1].letters == known[0].letters == known[3].letters


def test_before_kafka_was_read_nothing_is_known() -> None:
    known = Watch(ENDPOINT, kafka=Topics(away=1)).known()
    assert (known.letters, known.offsets, known.read_at, known.problem) == (None, None, None, None)


@given(
    st.none() | st.binary(max_size=2 * BYTES),
    st.lists(
        st.tuples(st.sampled_from(["topic", "offset", "reason", "x"]), st.none() | st.binary())
    ),
)
def test_any_message_with_any_headers_can_be_looked_at(
    value: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    seen = letter(SimpleNamespace(value=value, headers=headers, timestamp=1))
    for text in (seen.reason, seen.topic, seen.partition, seen.offset, seen.text):
        assert text.isprintable()
    assert len(seen.text) <= 4 * BYTES + 1
    assert seen.size == (None if value is None else len(value))


@pytest.mark.parametrize("count", [1, NEWEST, 3 * NEWEST])
def test_a_shelf_keeps_the_newest(count: int) -> None:
    shelf = Shelf()
    for at in range(count):
        shelf.put([Letter("late", "clicks", "0", str(at), at, 1, "{")])
    kept = [one.at for one in shelf.letters()["late"]]
    assert kept == list(range(count - 1, max(-1, count - 1 - NEWEST), -1))
