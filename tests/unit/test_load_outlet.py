from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtest.outlet import EndpointsFileError, Outlet, kafka_section
from loadtest.supply import Message

Delivery = Callable[[Any, Any], None]


class Problem:
    def str(self) -> str:
        return "Message timed out"


class Room:
    """A producer whose queue has room for so many messages until it is polled."""

    def __init__(self, room: int, lost: int = 0) -> None:
        self.room, self.lost = room, lost
        self.queue: list[tuple[Message, Delivery]] = []
        self.arrived: list[Message] = []

    def produce_batch(self, _: str, batch: list[dict[str, Any]], on_delivery: Delivery) -> int:
        free = self.room - len(self.queue)
        self.queue += [(m.copy(), on_delivery) for m in batch[:free]]  # type: ignore[misc]
        for message in batch[free:]:
            message["_error"] = "queue full"
        return min(free, len(batch))

    def poll(self, _: float) -> None:
        for message, told in self.queue:
            failed = self.lost > 0
            self.lost -= failed
            told(Problem() if failed else None, message)
            if not failed:
                self.arrived.append(message)
        self.queue = []


def sent(producer: Room, count: int) -> tuple[list[tuple[str, int]], list[tuple[str, int, str]]]:
    told: list[tuple[str, int]] = []
    refused: list[tuple[str, int, str]] = []
    outlet = Outlet(
        producer,
        told=lambda topic, events, _: told.append((topic, events)),
        refused=lambda topic, events, why: refused.append((topic, events, why)),
    )
    outlet.send("clicks", [{"key": b"p", "value": b"%d" % n} for n in range(count)])
    assert outlet.close(5) == 0
    return told, refused


def test_a_batch_is_told_once_when_all_of_it_is_acknowledged() -> None:
    producer = Room(100)
    assert sent(producer, 10) == ([("clicks", 10)], [])


def test_a_full_queue_loses_nothing_and_doubles_nothing() -> None:
    producer = Room(7)
    assert sent(producer, 50) == ([("clicks", 50)], [])
    assert [m["value"] for m in producer.arrived] == [b"%d" % n for n in range(50)]


def test_what_did_not_arrive_is_told_with_its_reason() -> None:
    assert sent(Room(100, lost=3), 10) == ([("clicks", 7)], [("clicks", 3, "Message timed out")])


def test_an_empty_batch_is_nothing() -> None:
    assert sent(Room(1), 0) == ([], [])


@pytest.mark.parametrize("content", [None, "{", "[]", '{"clickhouse": {}}', '{"kafka": "s3cret"}'])
def test_an_unusable_endpoints_file_is_a_sentence_without_secrets(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "endpoints.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(EndpointsFileError) as refused:
        kafka_section(path)
    assert str(path) in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_the_kafka_section_is_the_configuration_as_it_stands(tmp_path: Path) -> None:
    kafka = {"bootstrap.servers": "kafka1:9092", "sasl.password": "p#w;d\"'$1%&<>\\`"}
    path = tmp_path / "endpoints.json"
    path.write_text(json.dumps({"kafka": kafka, "clickhouse": {}}))
    assert kafka_section(path) == kafka
