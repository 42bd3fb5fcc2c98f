"""Rules 1 to 5 of the contract for the peers in Python: quick for what most messages are.

A message of the usual form is read by orjson, which is strict where the contract is. All others are
left to the specification, so that no message of whatever form is judged otherwise.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import orjson

from flink_job.domain import Outcome, Record, judge
from flink_job.domain.event import CLICK, EVENT_TYPES
from flink_job.domain.outcome import FUTURE_MS, OLD_MS
from flink_job.domain.window import LATE_AFTER_MS, WINDOW_MS

# A shorter one has no number too long and is not nested too deeply.
SHORT = 1_000


class Fact(NamedTuple):
    """What a message that is not rejected says; times in ms."""

    product: str
    click: bool
    timestamp: int


Said: TypeAlias = Fact | Outcome


def said(value: bytes | None, appended: int) -> Said:
    """What a message says, or the outcome by which it is rejected.

    Args:
        value: Its bytes; None is a tombstone.
        appended: The broker's append time, ms.
    """
    if value is None or len(value) > SHORT:
        return _by_specification(value, appended)
    try:
        fields = orjson.loads(value)
        user, product, kind, time = (
            fields["userId"],
            fields["productId"],
            fields["eventType"],
            fields["timestamp"],
        )
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return _by_specification(value, appended)
    if (
        kind in EVENT_TYPES
        and type(time) is int
        and appended - OLD_MS <= time <= appended + FUTURE_MS
        and type(user) is type(product) is str
        and user.strip(" ")
        and product.strip(" ")
    ):
        return Fact(product, kind == CLICK, time)
    return _by_specification(value, appended)


def _by_specification(value: bytes | None, appended: int) -> Said:
    verdict = judge(Record("", 0, 0, appended, value), None)
    event = verdict.event
    if event is None or verdict.outcome not in {Outcome.COUNTED, Outcome.LATE}:
        return verdict.outcome
    return Fact(event.product_id, event.is_click, event.timestamp)


def start_of(timestamp: int) -> int:
    """The start of the window of an event time."""
    return timestamp - timestamp % WINDOW_MS


def is_late(timestamp: int, clock: int, appended: int) -> bool:
    """Rule 6: whether an event is late, by its partition's clock and its own append time."""
    return start_of(timestamp) + LATE_AFTER_MS <= min(clock, appended)
