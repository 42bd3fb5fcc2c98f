"""What a Kafka record is, and what its value says: rules 1 and 2 of the contract."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

CLICK = "click"
EVENT_TYPES = frozenset({"impression", "view", CLICK})
MAX_LEVELS = 1_000
MAX_NUMBER_CHARACTERS = 1_000

# A string that is not closed is one match too: begun anew at each of its quotes, the search would
# take the square of its length.
_BRACKETS_OUTSIDE_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_UNPAIRED_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")


class Malformed(ValueError):  # noqa: N818 - named for the outcome that it is
    """The value is not one strict JSON object, or a field that counts cannot be read."""


class MissingField(ValueError):  # noqa: N818 - named for the outcome that it is
    """A field that counts is absent, null, an object, an array or blank."""


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record.

    Attributes:
        topic: Name of the topic.
        partition: Number of the partition.
        offset: Offset in the partition.
        appended: The broker's append time, ms since the epoch, UTC.
        value: The bytes of the message; None is a tombstone.
    """

    topic: str
    partition: int
    offset: int
    appended: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Event:
    """The four fields that count, as the message says them; timestamp in ms, event time."""

    user_id: str
    product_id: str
    event_type: str
    timestamp: int

    @property
    def is_click(self) -> bool:
        """Whether it counts as a click; impressions and views both count as impressions."""
        return self.event_type == CLICK


def parse(value: bytes | None) -> Event:
    """Read an event out of a message.

    Raises:
        Malformed: By rule 1.
        MissingField: By rule 2, which is asked only of what rule 1 lets through.
    """
    if value is None:
        raise Malformed("a tombstone")
    fields = _json_object(value)
    user, product, kind, time = (
        _text(fields.get(name)) for name in ("userId", "productId", "eventType", "timestamp")
    )
    timestamp = None if time is None else _integer(time)
    if user is None or product is None or kind is None or timestamp is None:
        raise MissingField
    return Event(user, product, kind, timestamp)


def _json_object(value: bytes) -> dict[str, Any]:
    """Exactly one JSON object in strict UTF-8 (RFC 8259); numbers stay the text they are."""
    try:
        text = value.decode()
        if _levels(text) > MAX_LEVELS:
            raise Malformed("nested too deeply")
        with _stack_for(MAX_LEVELS):
            found = _DECODER.decode(text)
    except ValueError as problem:
        raise Malformed(str(problem)) from problem
    if not isinstance(found, dict):
        raise Malformed("not an object")
    return found


def _levels(text: str) -> int:
    """How deep it is nested; 0 where it cannot be deeper than is allowed."""
    if text.count("{") + text.count("[") <= MAX_LEVELS:
        return 0
    deepest = level = 0
    for opens, closes in _BRACKETS_OUTSIDE_STRINGS.findall(text):
        level += bool(opens) - bool(closes)
        deepest = max(deepest, level)
    return deepest


@contextmanager
def _stack_for(levels: int) -> Iterator[None]:
    """The json module recurses once or twice a level; the interpreter's own limit is lower."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 2 * levels)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _number(text: str) -> str:
    if len(text) > MAX_NUMBER_CHARACTERS:
        raise Malformed("a number too long")
    return text


def _no_number(name: str) -> str:
    raise Malformed(f"{name} is no JSON")


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_no_number)


def _text(field: object) -> str | None:
    """What a field says: a string, or a number, true or false as it stands in the message."""
    if isinstance(field, bool):
        return "true" if field else "false"
    if not isinstance(field, str) or not field.strip(" "):
        return None
    if _UNPAIRED_SURROGATE.search(field):
        raise Malformed("an unpaired surrogate")
    return field


def _integer(text: str) -> int:
    if not _PLAIN_INTEGER.fullmatch(text) or not -(2**63) <= int(text) < 2**63:
        raise Malformed("timestamp is not an integer of 64 bits in plain decimal")
    return int(text)
