"""The loader as a member of a consumer group, on the brokers that librdkafka itself simulates."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from flink_job.endpoints import Kafka
from flink_job.loader.batch import Message, Partition
from flink_job.loader.consumer import (
    Consumer,
    ConsumerError,
    KafkaGroup,
    MemberLostError,
    join,
)

WITHIN_S = 30.0
FATAL, STATE = KafkaError._FATAL, KafkaError._STATE  # noqa: SLF001 - how its codes are named
NOT_LET_IN = KafkaError._AUTHENTICATION  # noqa: SLF001
ALL_DOWN = KafkaError._ALL_BROKERS_DOWN  # noqa: SLF001
W0, L0 = Partition("ctr-windows", 0), Partition("ctr-ledger", 0)
NOBODYS = Partition("nobody-reads-this", 3)


@dataclass
class Brokers:
    """Three brokers of this process, and what writes to them."""

    producer: Producer
    kafka: Kafka
    groups: int = 0
    members: list[Consumer] = field(default_factory=list)

    @classmethod
    def started(cls) -> Brokers:
        producer = Producer(
            {"bootstrap.servers": "none", "test.mock.num.brokers": 3, "log_level": 2}
        )
        for partition in (W0, L0):
            producer.produce(partition.topic, b"0", partition=partition.partition)
        producer.flush(WITHIN_S)
        brokers = producer.list_topics(timeout=WITHIN_S).brokers.values()
        return cls(producer, Kafka(tuple(f"{one.host}:{one.port}" for one in brokers)))

    def write(self, partition: Partition, *values: bytes) -> None:
        for value in values:
            self.producer.produce(partition.topic, value, partition=partition.partition)
        assert self.producer.flush(WITHIN_S) == 0

    def group(self) -> str:
        self.groups += 1
        return f"group-{self.groups}"

    def member(self, group: str, *topics: str) -> Consumer:
        member = join(self.kafka, group, topics)
        self.members.append(member)
        return member


@pytest.fixture(scope="module")
def brokers() -> Brokers:
    return Brokers.started()


@pytest.fixture(autouse=True)
def nobody_stays(brokers: Brokers) -> Iterator[None]:
    yield
    for member in brokers.members:
        member.close()
    brokers.members.clear()


def polled(member: Consumer, partition: Partition, count: int) -> list[tuple[int, bytes | None]]:
    """The next messages of a partition, so many of them; others are passed over."""
    got: list[tuple[int, bytes | None]] = []
    deadline = time.monotonic() + WITHIN_S
    while len(got) < count:
        assert time.monotonic() < deadline, got
        records = member.poll(0.1, count - len(got)).get(partition, ())
        got += [(record.offset, record.value) for record in records]
    return got


def assigned(member: Consumer, partition: Partition) -> None:
    """Wait until a member has a partition; messages are passed over."""
    deadline = time.monotonic() + WITHIN_S
    while partition not in member.assignment():
        assert time.monotonic() < deadline
        member.poll(0.1, 1)


def test_a_later_member_goes_on_behind_what_was_committed(brokers: Brokers) -> None:
    group = brokers.group()
    member = brokers.member(group, "ctr-windows", "ctr-ledger")
    start = polled(member, W0, 1)[0][0]
    assert start == 0, "from the beginning"
    brokers.write(W0, b"1", b"2", b"3")
    assert polled(member, W0, 3) == [(1, b"1"), (2, b"2"), (3, b"3")]
    assert W0 in member.assignment()
    assert L0 in member.assignment()
    assert member.position(W0) == 4
    assert member.ends([W0])[W0] == 4
    member.commit({W0: 2})
    brokers.members.remove(member)
    member.close()

    later = brokers.member(group, "ctr-windows", "ctr-ledger")
    assert polled(later, W0, 2) == [(2, b"2"), (3, b"3")]
    later.commit({W0: 4})
    brokers.members.remove(later)
    later.close()

    last = brokers.member(group, "ctr-windows")
    assigned(last, W0)
    assert last.position(W0) == 4, "known before there is a message"
    assert last.position(Partition("ctr-windows", 1)) is None, "of which nothing was committed"


def test_what_is_paused_comes_later_and_what_was_put_back_comes_again(brokers: Brokers) -> None:
    member = brokers.member(brokers.group(), "ctr-ledger")
    polled(member, L0, 1)
    member.pause(member.assignment())
    brokers.write(L0, b"1", b"2", b"3")
    end = member.ends([L0])[L0]
    for _ in range(5):
        assert member.poll(0.1, 10) == {}
    assert member.position(L0) == end - 3, "the lag grows"
    member.resume(member.assignment())
    assert [value for _, value in polled(member, L0, 3)] == [b"1", b"2", b"3"]
    member.seek(L0, end - 2)
    member.pause([L0])
    assert member.position(L0) == end - 2
    member.resume([L0])
    assert [value for _, value in polled(member, L0, 2)] == [b"2", b"3"]


def test_a_poll_hands_out_no_more_than_it_was_asked_for(brokers: Brokers) -> None:
    member = brokers.member(brokers.group(), "ctr-windows")
    brokers.write(W0, *[b"x"] * 50)
    seen = 0
    deadline = time.monotonic() + WITHIN_S
    while seen < 50 and time.monotonic() < deadline:
        handed_out = sum(map(len, member.poll(0.1, 7).values()))
        assert handed_out <= 7
        seen += handed_out
    assert seen >= 50


def test_a_partition_that_is_somebody_elses_is_passed_over(brokers: Brokers) -> None:
    member = brokers.member(brokers.group(), "ctr-ledger")
    member.pause([NOBODYS])
    member.resume([NOBODYS])
    member.seek(NOBODYS, 4)
    assert member.position(NOBODYS) is None
    assert member.ends([]) == {}


def test_a_topic_that_is_not_there_is_told_by_a_poll(brokers: Brokers) -> None:
    member = brokers.member(brokers.group(), "not-there-yet")
    with pytest.raises(ConsumerError, match="not available: not-there-yet"):
        polled(member, W0, 1)


def test_a_commit_that_was_refused_is_told_by_the_next_one(brokers: Brokers) -> None:
    member = brokers.member(brokers.group(), "ctr-ledger")
    polled(member, L0, 1)
    member.commit({NOBODYS: 4})

    def go_on() -> None:
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            member.poll(0.1, 1)
            member.commit({L0: 1})

    with pytest.raises(ConsumerError, match="UNKNOWN_TOPIC_OR_PART"):
        go_on()
    member.commit({L0: 1})


def test_a_member_that_has_left_says_so(brokers: Brokers) -> None:
    member = join(brokers.kafka, brokers.group(), ["ctr-ledger"])
    member.close()
    for call in (
        lambda: member.poll(0.1, 1),
        lambda: member.position(L0),
        lambda: member.ends([L0]),
        lambda: member.commit({L0: 1}),
    ):
        with pytest.raises(ConsumerError, match="closed"):
            cast(Callable[[], object], call)()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("kafka", "why"),
    [
        (lambda: Kafka((f"127.0.0.1:{closed_port()}",)), "Connection refused"),
        (lambda: Kafka(("nowhere.invalid:9092",)), "Failed to resolve 'nowhere.invalid:9092'"),
        (
            lambda: Kafka(("kafka1:9092",), security_protocol="SSL", ssl_ca_location="/no/ca.pem"),
            "ssl.ca.location",
        ),
    ],
    ids=["refused", "no such host", "no authorities"],
)
def test_kafka_that_cannot_be_reached_is_an_error_with_the_reason(
    kafka: Callable[[], Kafka], why: str
) -> None:
    with pytest.raises(ConsumerError, match=why):
        join(kafka(), "ctr-loader", ["ctr-windows"])


class Answer:
    """A message of confluent-kafka, or an error that comes as one."""

    def __init__(self, offset: int = 0, error: KafkaError | None = None) -> None:
        self._offset, self._error = offset, error

    def error(self) -> KafkaError | None:
        return self._error

    def topic(self) -> str:
        return W0.topic

    def partition(self) -> int:
        return W0.partition

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes:
        return b"{}"


class End:
    """TopicPartition as answers have it: with an offset or an error."""

    def __init__(self, topic: str, partition: int, end: int | KafkaError) -> None:
        self.topic, self.partition = topic, partition
        self.error = end if isinstance(end, KafkaError) else None
        self.offset = end if isinstance(end, int) else -1


class Library:
    """Consumer of confluent-kafka as far as polls go, for what brokers cannot be made to do."""

    def __init__(self, *polls: list[Answer]) -> None:
        self.settings: dict[str, Any] = {}
        self.ends: dict[Partition, int | KafkaError] = {}
        self.ends_with: KafkaException | None = None
        self._polls = list(polls)

    def __call__(self, settings: dict[str, Any]) -> Library:
        self.settings = settings
        return self

    def list_topics(self, timeout: float) -> None:
        assert timeout > 0

    def subscribe(self, topics: Sequence[str], on_assign: object) -> None:
        assert list(topics) == ["ctr-windows"]
        assert callable(on_assign)

    def consume(self, messages: int, _: float) -> list[Answer]:
        if messages == 1:
            return self._polls[0][:1]
        if self.ends_with is not None:
            raise self.ends_with
        return self._polls.pop(0)[1:]

    def offsets_for_times(self, asked: list[TopicPartition], timeout: float) -> list[End]:
        assert timeout > 0
        assert {one.offset for one in asked} == {-1}
        return [
            End(one.topic, one.partition, self.ends[Partition(one.topic, one.partition)])
            for one in asked
        ]

    def close(self) -> None:
        pass


def libraries(monkeypatch: pytest.MonkeyPatch, *polls: list[Answer]) -> Library:
    library = Library(*polls)
    monkeypatch.setattr(confluent_kafka, "Consumer", library)
    return library


def offsets(polled: Mapping[Partition, Sequence[Message]]) -> list[int]:
    return [record.offset for record in polled.get(W0, ())]


def test_messages_beside_an_error_are_not_dropped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    libraries(monkeypatch, [Answer(4), Answer(error=error), Answer(5)], [Answer(error=error)])
    group = KafkaGroup({}, ["ctr-windows"])
    assert offsets(group.poll(0.1, 10)) == [4, 5]
    assert "TOPIC_AUTHORIZATION_FAILED" in caplog.text
    with pytest.raises(ConsumerError, match="TOPIC_AUTHORIZATION_FAILED"):
        group.poll(0.1, 10)


def test_a_member_that_is_lost_for_good_is_no_error_to_try_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fenced = KafkaError(FATAL, "another has its name")
    libraries(monkeypatch, [Answer(error=fenced)])
    group = KafkaGroup({}, ["ctr-windows"])
    with pytest.raises(MemberLostError, match="another has its name"):
        group.poll(0.1, 10)


def test_what_was_read_is_not_dropped_for_an_error_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = libraries(monkeypatch, [Answer(4), Answer(5)])
    library.ends_with = KafkaException(KafkaError(STATE))
    group = KafkaGroup({}, ["ctr-windows"])
    assert offsets(group.poll(0.1, 10)) == [4]


def test_ends_are_those_that_are_known_and_none_is_an_error_with_what_was_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = libraries(monkeypatch)
    group = KafkaGroup({}, ["ctr-windows"])
    leaderless = KafkaError(KafkaError.LEADER_NOT_AVAILABLE)
    library.ends = {W0: leaderless, L0: 9}
    library.settings["error_cb"](KafkaError(NOT_LET_IN, "an hour ago"))
    assert group.ends([W0, L0]) == {L0: 9}
    library.ends = {W0: leaderless}
    with pytest.raises(ConsumerError) as unexplained:
        group.ends([W0])
    assert "an hour ago" not in str(unexplained.value), "that was over"
    library.settings["error_cb"](KafkaError(NOT_LET_IN, "wrong password"))
    library.settings["error_cb"](KafkaError(ALL_DOWN, "3/3 brokers are down"))
    with pytest.raises(ConsumerError, match=r"LEADER_NOT_AVAILABLE: .* \(.*wrong password\)"):
        group.ends([W0])
    with pytest.raises(ConsumerError) as again:
        group.ends([W0])
    assert "wrong password" not in str(again.value), "said once"


def test_a_member_commits_by_hand_begins_at_the_beginning_and_keeps_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    library = libraries(monkeypatch)
    join(Kafka(("kafka1:9092",)), "ctr-loader", ["ctr-windows"], "clickhouse1")
    assert library.settings["group.id"] == "ctr-loader"
    assert library.settings["group.instance.id"] == "clickhouse1"
    assert library.settings["enable.auto.commit"] is False
    assert library.settings["auto.offset.reset"] == "earliest"
    assert library.settings["bootstrap.servers"] == "kafka1:9092"
