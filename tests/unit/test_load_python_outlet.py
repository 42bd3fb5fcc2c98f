from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import pytest
from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError

from flink_job.endpoints import Kafka
from loadtest import python_outlet
from loadtest.python_outlet import SETTINGS, PythonOutlet
from loadtest.supply import Message

Told = list[tuple[Any, ...]]


class Sending:
    """A future of the library's, which is done when the producer says so."""

    def __init__(self) -> None:
        self.arrived: list[Callable[[object], None]] = []
        self.failed: list[Callable[[Exception], None]] = []

    def add_callback(self, arrived: Callable[[object], None]) -> None:
        self.arrived.append(arrived)

    def add_errback(self, failed: Callable[[Exception], None]) -> None:
        self.failed.append(failed)


class Producer:
    """The library's producer: acknowledges what it was given in a greenlet of its own."""

    def __init__(self, lost: int = 0, refused: int = 0, *, silent: bool = False) -> None:
        self.lost, self.refused, self.silent = lost, refused, silent
        self.values: list[bytes | None] = []
        self.given: dict[str, object] = {}
        self.most = 0

    def __call__(self, **given: object) -> Producer:
        self.given = given
        return self

    def send(self, _: str, *, key: bytes, value: bytes | None) -> Sending:
        assert key
        if self.refused:
            self.refused -= 1
            raise KafkaTimeoutError("no metadata")
        self.values.append(value)
        sending = Sending()
        if not self.silent:
            gevent.spawn(self._answer, sending)
        return sending

    def close(self, timeout: float) -> None:
        assert timeout > 0

    def _answer(self, sending: Sending) -> None:
        if self.lost:
            self.lost -= 1
            sending.failed[0](KafkaTimeoutError("timed out"))
        else:
            sending.arrived[0](None)


def sent(producer: Callable[..., Any], count: int, within: float = 5) -> tuple[Told, Told, int]:
    told: Told = []
    refused: Told = []
    outlet = PythonOutlet(
        Kafka(("kafka1:9092",)),
        told=lambda topic, events, took: told.append((topic, events, took >= 0)),
        refused=lambda topic, events, why: refused.append((topic, events, why)),
        kafka=producer,
    )
    outlet.send("clicks", [])
    outlet.send("clicks", messages(count))
    unknown = outlet.close(within)
    return told, refused, unknown


def messages(count: int) -> list[Message]:
    return [{"key": b"p", "value": None if n == 0 else b"%d" % n} for n in range(count)]


def test_a_batch_is_told_once_when_all_of_it_is_acknowledged() -> None:
    producer = Producer()
    assert sent(producer, 250) == ([("clicks", 250, True)], [], 0)
    assert producer.values == [None, *(b"%d" % n for n in range(1, 250))]


def test_what_did_not_arrive_is_told_with_its_reason() -> None:
    told, refused, unknown = sent(Producer(lost=3, refused=2), 10)
    assert (told, unknown) == ([("clicks", 5, True)], 0)
    ((topic, events, reason),) = refused
    assert (topic, events) == ("clicks", 5)
    assert "timed out" in reason


def test_without_a_broker_every_batch_fails_with_the_reason() -> None:
    def unreachable(**_: object) -> None:
        raise KafkaTimeoutError

    told, refused, unknown = sent(unreachable, 10)
    assert (told, unknown) == ([], 0)
    assert [(topic, events) for topic, events, _ in refused] == [("clicks", 10)]
    assert "KafkaTimeoutError" in refused[0][2]


def test_what_is_never_answered_is_told_as_unknown_and_as_nothing_else() -> None:
    assert sent(Producer(silent=True), 10, within=0.05) == ([], [], 10)


def test_users_wait_while_too_much_is_on_its_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_outlet, "MOST_WAITING", 20)
    producer = Producer(silent=True)
    outlet = PythonOutlet(
        Kafka(("kafka1:9092",)), told=lambda *_: None, refused=lambda *_: None, kafka=producer
    )
    outlet.send("clicks", messages(21))
    user = gevent.spawn(outlet.room)
    assert user.join(0.1) is None
    assert not user.ready()
    outlet.waiting = 20
    user.join(5)
    assert user.ready()
    outlet.close(0)


def test_it_sends_as_safely_as_the_other_client_by_settings_that_the_library_has() -> None:
    assert SETTINGS.keys() <= KafkaProducer.DEFAULT_CONFIG.keys()
    producer = Producer()
    sent(producer, 1)
    assert producer.given["bootstrap_servers"] == ["kafka1:9092"]
    assert (producer.given["acks"], producer.given["enable_idempotence"]) == ("all", True)
    assert producer.given["compression_type"] == "lz4"
