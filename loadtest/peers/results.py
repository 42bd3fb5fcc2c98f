"""What a peer has written so far, and how it differs from the specification's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from flink_job.domain import Counts, DeadLetter, Outcome, WindowKey
from loadtest.peers.broker import PARTITIONS
from loadtest.peers.supplied import CLOSING_PRODUCT
from loadtest.peers.truth import Place, Truth

BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """A message of a windows topic, and when it was appended, ms."""

    window: WindowKey
    counts: Counts
    appended: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How a peer's results differ from the specification's; all 0 is equal.

    Attributes:
        lacking: Events that its windows lack.
        excess: Events that its windows have too many.
        letters_lacking: Messages that have no dead letter, though they were not to be counted.
        letters_excess: Dead letters of messages that were to be counted.
        letters_other: Dead letters with another reason, or with other bytes.
    """

    lacking: int = 0
    excess: int = 0
    letters_lacking: int = 0
    letters_excess: int = 0
    letters_other: int = 0

    @property
    def exact(self) -> bool:
        """Whether the results are equal."""
        return self == Difference()

    def __str__(self) -> str:
        """What differs, in words."""
        said = [
            (self.lacking, "events lacking in windows"),
            (self.excess, "events too many in windows"),
            (self.letters_lacking, "dead letters lacking"),
            (self.letters_excess, "dead letters too many"),
            (self.letters_other, "dead letters other than specified"),
        ]
        return ", ".join(f"{count:,} {what}" for count, what in said if count) or "equal"


def difference(
    truth: Truth, windows: Mapping[WindowKey, Counts], letters: Mapping[Place, DeadLetter]
) -> Difference:
    """How a peer's final results differ from the specification's."""
    lacking = excess = 0
    for key in truth.windows.keys() | windows.keys():
        wanted, found = truth.windows.get(key, Counts()), windows.get(key, Counts())
        for gap in (wanted.impressions - found.impressions, wanted.clicks - found.clicks):
            lacking += max(gap, 0)
            excess += max(-gap, 0)
    both = truth.letters.keys() & letters.keys()
    return Difference(
        lacking,
        excess,
        len(truth.letters) - len(both),
        len(letters) - len(both),
        sum(truth.letters[place] != letters[place] for place in both),
    )


class Results:
    """The topics of a peer, followed as they grow.

    Attributes:
        windows: The highest counts of each window, without the closing events'.
        letters: Dead letters by the place of the message.
        rows: The messages of the windows since the last time that they were asked for.
    """

    def __init__(self, address: str, windows: str, letters: str) -> None:
        """Follow from the beginning.

        Args:
            address: Host:port of the broker.
            windows: Topic of the windows.
            letters: Topic of the dead letters.
        """
        self.windows: dict[WindowKey, Counts] = {}
        self.letters: dict[Place, DeadLetter] = {}
        self.rows: list[Row] = []
        self._events = 0
        self._windows_topic = windows
        self._consumer = Consumer(
            {
                "bootstrap.servers": address,
                "group.id": "peers-results",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
            }
        )
        self._consumer.assign(
            [
                TopicPartition(topic, partition, OFFSET_BEGINNING)
                for topic in (windows, letters)
                for partition in range(PARTITIONS)
            ]
        )

    def follow(self, seconds: float) -> int:
        """Take what has come; how many messages.

        Args:
            seconds: How long to wait for the first.
        """
        messages: list[Any] = self._consumer.consume(BATCH, seconds)
        for message in messages:
            if message.error() is not None:
                raise RuntimeError(f"Results cannot be read: {message.error().str()}")
            if message.topic() == self._windows_topic:
                self.take_window(message.value(), message.timestamp()[1])
            else:
                self.take_letter(message.key(), message.headers(), message.value())
        return len(messages)

    def take_window(self, value: bytes | None, appended: int) -> None:
        """Take a message of the windows; the highest counts of a window are its final ones."""
        if value is None:
            return
        row = orjson.loads(value)
        if row["product_id"].startswith(CLOSING_PRODUCT):
            return
        key = WindowKey(row["product_id"], row["window_start"])
        counts = Counts(row["impressions"], row["clicks"])
        self.rows.append(Row(key, counts, appended))
        before = self.windows.get(key, Counts())
        more = _total(counts) - _total(before)
        if more > 0:
            self.windows[key] = counts
            self._events += more

    def take_letter(
        self, key: bytes, headers: list[tuple[str, bytes]] | None, value: bytes | None
    ) -> None:
        """Take a dead letter."""
        topic, partition, offset = key.decode().rsplit("-", 2)
        reason = dict(headers or [])["reason"].decode()
        self.letters[topic, int(partition), int(offset)] = DeadLetter(Outcome(reason), value)

    def complete(self, truth: Truth) -> bool:
        """Whether it is likely that all is there: a comparison tells."""
        return self._events == truth.counted and len(self.letters) == len(truth.letters)

    def close(self) -> None:
        """Follow no longer."""
        self._consumer.close()


def _total(counts: Counts) -> int:
    return counts.impressions + counts.clicks
