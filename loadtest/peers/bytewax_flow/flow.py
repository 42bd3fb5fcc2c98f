"""Judged by partition, counted by product and window, both in state that is recovered.

The windows of the framework close by a clock of each key, and its source reads topics as fast as
they come: on a backlog one topic is far ahead of the other, and would close what the other has not
yet sent. So both are written with the stateful step that its windows are made of.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic

from flink_job.domain import BUSINESS, Outcome
from loadtest.peers.rules import is_late, said, start_of
from loadtest.peers.told import Told
from loadtest.peers.written import letter, window_key, window_value

BATCH = 10_000
EMIT = timedelta(milliseconds=300)
KEPT = timedelta(minutes=10)

Fact = tuple[str, int, bool]


class Partition(StatefulBatchLogic[Any, Any, int]):  # type: ignore[misc]  # bytewax is not here
    """A partition's clock: each message becomes a fact to count, or a dead letter."""

    def __init__(self, clock: int | None) -> None:
        """Go on from a clock; None at the beginning."""
        self.clock = clock or 0

    def on_batch(self, values: list[Any]) -> tuple[Iterable[Any], bool]:
        """Judge messages in the order of their offsets."""
        return [self._judged(message) for message in values], self.RETAIN

    def _judged(self, message: KafkaSourceMessage[Any, Any]) -> Any:  # noqa: ANN401 - either of two
        appended = message.timestamp[1]
        fact = said(message.value, appended)
        if not isinstance(fact, Outcome):
            product, click, timestamp = fact
            self.clock = max(self.clock, min(timestamp, appended))
            if not is_late(timestamp, self.clock, appended):
                return product, start_of(timestamp), click
            fact = Outcome.LATE
        place = message.topic, message.partition, message.offset
        return KafkaSinkMessage(**letter(*place, fact, message.value))

    def snapshot(self) -> int:
        """What is kept."""
        return self.clock


class Window(StatefulBatchLogic[Any, Any, Any]):  # type: ignore[misc]  # bytewax is not here
    """Counts of a product in a window; a row each time that they have grown, 300 ms later."""

    def __init__(self, kept: tuple[str, int, int, int] | None) -> None:
        """Go on from what was kept."""
        self.product, self.start, self.impressions, self.clicks = kept or ("", 0, 0, 0)
        self.due = datetime.now(UTC) + EMIT
        self.grown = False

    def on_batch(self, values: list[Fact]) -> tuple[Iterable[Any], bool]:
        """Count."""
        self.product, self.start, _ = values[0]
        clicks = sum(click for _, _, click in values)
        self.clicks += clicks
        self.impressions += len(values) - clicks
        if not self.grown:
            self.grown, self.due = True, datetime.now(UTC) + EMIT
        return (), self.RETAIN

    def on_notify(self) -> tuple[Iterable[Any], bool]:
        """Emit what has grown; what has not for long is forgotten."""
        if not self.grown:
            return (), self.DISCARD
        self.grown, self.due = False, datetime.now(UTC) + KEPT
        value = window_value(self.product, self.start, self.impressions, self.clicks)
        return [KafkaSinkMessage(window_key(self.product, self.start), value)], self.RETAIN

    def notify_at(self) -> datetime:
        """When to ask again."""
        return self.due

    def snapshot(self) -> tuple[str, int, int, int]:
        """What is kept."""
        return self.product, self.start, self.impressions, self.clicks


def flow() -> Dataflow:
    """The flow of this entrant."""
    told = Told.by()
    client = {"linger.ms": "5", "compression.type": "lz4"}
    dataflow = Dataflow("ctr")
    source = KafkaSource(
        [told.kafka],
        BUSINESS,
        add_config={"isolation.level": "read_committed"},
        batch_size=BATCH,
    )
    messages = op.input("messages", dataflow, source)
    by_partition = op.key_on("by-partition", messages, lambda one: f"{one.topic}-{one.partition}")
    judged = op.key_rm("judged", op.stateful_batch("judge", by_partition, Partition))
    parts = op.branch("counted", judged, lambda one: type(one) is tuple)
    op.output("letters", parts.falses, KafkaSink([told.kafka], told.letters, client))
    by_window = op.key_on("by-window", parts.trues, lambda fact: f"{fact[0]}@{fact[1]}")
    rows = op.key_rm("rows", op.stateful_batch("count", by_window, Window))
    op.output("windows", rows, KafkaSink([told.kafka], told.windows, client))
    return dataflow
