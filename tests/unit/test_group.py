"""How far the job has read, asked of a Java client that is played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from flink_job import group
from flink_job.age import Reached
from flink_job.cluster import ClusterError
from flink_job.endpoints import Kafka
from tests.unit.played import PlayedTime

KAFKA = Kafka(("k:9092",))
Message = tuple[int, int]


@dataclass
class Part:
    """A partition: its messages by offset and append time, and how far they and the job go."""

    messages: Sequence[Message]
    committed: int | None
    begin: int = 0
    end: int | None = None

    @property
    def behind(self) -> int:
        return self.messages[-1][0] + 1 if self.end is None else self.end


class Properties(dict[str, str]):
    """As Java has them."""

    def setProperty(self, key: str, value: str) -> None:  # noqa: N802 - Java's name
        self[key] = value


class Listed(list[Any]):
    """A list of Java's."""

    add = list.append


@dataclass
class Client:
    """A consumer and an admin's client of Java, over some partitions."""

    parts: Mapping[str, Part]
    silent: bool = False
    at: dict[str, int] = field(default_factory=dict)
    paused: set[str] = field(default_factory=set)
    closed: int = 0

    def listConsumerGroupOffsets(self, name: str) -> Any:  # noqa: ANN401, N802
        assert name == group.GROUP
        offsets = {
            one: None if part.committed is None else SimpleNamespace(offset=self.told(one))
            for one, part in self.parts.items()
        }
        found = SimpleNamespace(get=lambda *_: offsets)
        return SimpleNamespace(partitionsToOffsetAndMetadata=lambda: found)

    def told(self, one: str) -> Callable[[], int | None]:
        return lambda: self.parts[one].committed

    def beginningOffsets(self, some: Sequence[str]) -> dict[str, int]:  # noqa: N802
        return {one: self.parts[one].begin for one in some}

    def endOffsets(self, some: Sequence[str]) -> dict[str, int]:  # noqa: N802
        return {one: self.parts[one].behind for one in some}

    def assign(self, some: Sequence[str]) -> None:
        self.at = dict.fromkeys(some, -1)
        self.paused &= set(some)

    def resume(self, some: Sequence[str]) -> None:
        self.paused -= set(some)

    def seek(self, one: str, offset: int) -> None:
        assert self.parts[one].begin <= offset < self.parts[one].behind
        self.at[one] = offset

    def position(self, one: str) -> int:
        return self.at[one]

    def pause(self, some: Sequence[str]) -> None:
        self.paused |= set(some)

    def poll(self, _: float) -> Any:  # noqa: ANN401
        """All that there is of one partition; of one that holds no message its end."""
        for one in [] if self.silent else sorted(self.at.keys() - self.paused):
            part = self.parts[one]
            there = [message for message in part.messages if message[0] >= self.at[one]]
            self.at[one] = part.behind
            if there:
                records = [
                    SimpleNamespace(offset=lambda at=at: at, timestamp=lambda time=time: time)
                    for at, time in there
                ]
                return SimpleNamespace(
                    partitions=lambda one=one: [one], records=lambda _, all_=records: all_
                )
            break
        return SimpleNamespace(partitions=list)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Client], Reached]:
    """How far the job has read, by a client."""
    played = PlayedTime()
    monkeypatch.setattr(group, "time", played)

    def ask(client: Client) -> Reached:
        shaded = SimpleNamespace(
            clients=SimpleNamespace(
                admin=SimpleNamespace(AdminClient=SimpleNamespace(create=lambda _: client)),
                consumer=SimpleNamespace(KafkaConsumer=lambda _: client),
            )
        )
        flink = SimpleNamespace(kafka=SimpleNamespace(shaded=SimpleNamespace(org=None)))
        flink.kafka.shaded.org = SimpleNamespace(apache=SimpleNamespace(kafka=shaded))
        java = SimpleNamespace(
            util=SimpleNamespace(
                Properties=Properties,
                ArrayList=Listed,
                Collections=SimpleNamespace(singleton=lambda one: [one]),
                concurrent=SimpleNamespace(TimeUnit=SimpleNamespace(SECONDS="s")),
            ),
            time=SimpleNamespace(Duration=SimpleNamespace(ofMillis=waiting)),
        )
        org = SimpleNamespace(apache=SimpleNamespace(flink=flink))
        jvm = SimpleNamespace(java=java, org=org)
        monkeypatch.setattr(group, "java_gateway", lambda: SimpleNamespace(jvm=jvm))
        return group.reached(KAFKA)

    def waiting(milliseconds: int) -> int:
        played.sleep(milliseconds / 1_000)
        return milliseconds

    return ask


def messages(*appended: int, first: int = 0) -> list[Message]:
    return [(first + place, time) for place, time in enumerate(appended)]


def test_it_is_told_by_the_newest_message_that_was_read_and_the_oldest_that_was_not(
    asked: Callable[[Client], Reached],
) -> None:
    client = Client(
        {
            "clicks-0": Part(messages(10, 20, 30, 40), committed=2),
            "clicks-1": Part(messages(12, 18, 55), committed=3),
            "impressions-0": Part(messages(11, 35, 36), committed=1),
        }
    )
    assert asked(client) == Reached(newest=55, unread=30)
    assert client.closed == 2


def test_a_job_that_has_read_all_has_nothing_unread(
    asked: Callable[[Client], Reached],
) -> None:
    assert asked(Client({"clicks-0": Part(messages(10, 20), committed=2)})) == Reached(20, None)


def test_partitions_that_were_never_read_or_are_empty_tell_nothing(
    asked: Callable[[Client], Reached],
) -> None:
    parts = {"clicks-0": Part(messages(10), None), "clicks-1": Part([], committed=0, end=0)}
    assert asked(Client(parts)) == Reached(None, None)


def test_what_retention_has_removed_is_neither_read_nor_missed(
    asked: Callable[[Client], Reached],
) -> None:
    kept = Part(messages(50, 60, first=7), committed=3, begin=7)
    assert asked(Client({"clicks-0": kept})) == Reached(None, 50)


def test_the_marker_of_a_transaction_is_no_message(asked: Callable[[Client], Reached]) -> None:
    """The job has read up to a marker, and markers are all that is behind the last message."""
    parts = {
        "clicks-0": Part([(0, 10), (2, 30)], committed=2, end=4),
        "clicks-1": Part([(0, 20)], committed=1, end=2),
    }
    assert asked(Client(parts)) == Reached(newest=20, unread=30)


def test_a_kafka_that_sends_nothing_is_a_sentence(asked: Callable[[Client], Reached]) -> None:
    client = Client({"clicks-0": Part(messages(10, 20), committed=1)}, silent=True)
    with pytest.raises(ClusterError, match=r"not tell how far the job has read: it sent nothing"):
        asked(client)
    assert client.closed == 2


def test_whether_the_job_has_run_is_whether_it_has_committed(
    asked: Callable[[Client], Reached],
) -> None:
    asked(Client({"clicks-0": Part(messages(10), committed=1)}))
    assert group.ran_before(KAFKA)
    asked(Client({}))
    assert not group.ran_before(KAFKA)
