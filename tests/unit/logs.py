"""Partitions with transactions in them, and a consumer of committed records that reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from kafka import TopicPartition
from kafka.errors import OffsetOutOfRangeError

RECORD, MARKER, ABORTED = "rma"


@dataclass
class Logs:
    """What each partition holds: a letter an offset, from offset 0 on.

    Attributes:
        held: `r` is a record, `m` the marker of a transaction, `a` a record that was aborted.
        begins: Offsets below are gone.
        fetched: How many offsets a consumer is given at once, of each partition.
        retention: What `begins` becomes after so many polls.
    """

    held: Mapping[TopicPartition, str]
    begins: dict[TopicPartition, int] = field(default_factory=dict)
    fetched: int = 3
    retention: dict[int, dict[TopicPartition, int]] = field(default_factory=dict)

    def consumer(self) -> Callable[..., Consumer]:
        """Makes a consumer of kafka-python, as much of it as is used."""
        return lambda **settings: Consumer(self, settings)


class Consumer:
    """Goes over what holds no record, and says so by its position alone, as kafka-python does."""

    def __init__(self, logs: Logs, settings: Mapping[str, object]) -> None:
        assert settings["isolation_level"] == "read_committed"
        self.logs = logs
        self.resets = settings.get("auto_offset_reset") != "none"
        self.polls = 0
        self.positions: dict[TopicPartition, int] = {}
        self.paused: set[TopicPartition] = set()

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {one.partition for one in self.logs.held if one.topic == topic}

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self.logs.begins.get(one, 0) for one in partitions}

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: len(self.logs.held[one]) for one in partitions}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self.positions = dict.fromkeys(partitions, -1)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def seek_to_beginning(self, *partitions: TopicPartition) -> None:
        self.positions |= self.beginning_offsets(list(partitions))

    def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms > 0
        self.polls += 1
        self.logs.begins |= self.logs.retention.get(self.polls, {})
        found = {}
        for partition in self.positions.keys() - self.paused:
            if messages := self._fetched(partition):
                found[partition] = messages
        return found

    def _fetched(self, partition: TopicPartition) -> list[Any]:
        held, at = self.logs.held[partition], self.positions[partition]
        if not self.logs.begins.get(partition, 0) <= at <= len(held):
            if not self.resets:
                raise OffsetOutOfRangeError({partition: at})
            at = len(held)
        self.positions[partition] = min(at + self.logs.fetched, len(held))
        return [
            SimpleNamespace(
                topic=partition.topic,
                partition=partition.partition,
                offset=offset,
                timestamp=0,
                value=b"",
            )
            for offset in range(at, self.positions[partition])
            if held[offset] == RECORD
        ]

    def close(self) -> None:
        pass
