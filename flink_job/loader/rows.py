"""A message of a results topic, and the row that it is. Pure: bytes in, a row or a reason out."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, NamedTuple

WINDOW_S = 10

# A version is epoch * 2^40 + count in 64 bits, which leaves 24 bits for the epoch.
COUNTS_END = 2**40
EPOCHS_END = 2**24

_DATETIME_END_S = 2**32
_KAFKA_PARTITIONS_END = 2**31
_KAFKA_OFFSETS_END = 2**63
_DAY_S = 86_400
_FOUR_WEEKS_S = 28 * _DAY_S


class Reason(StrEnum):
    """Why there is no row in a message."""

    TOMBSTONE = "tombstone"
    NOT_JSON = "not_json"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"


class Unreadable(ValueError):  # noqa: N818 - it is the message that is unreadable, no error of ours
    """There is no row in the message.

    Attributes:
        reason: Why, in the words of the metrics.
    """

    def __init__(self, reason: Reason, what: str) -> None:
        """Say why, and what of the message it is."""
        super().__init__(what)
        self.reason = reason


class WindowRow(NamedTuple):
    """A row of ctr.ctr_windows; times in seconds since the epoch."""

    product_id: str
    window_start: int
    window_end: int
    impressions: int
    clicks: int
    version: int

    @property
    def key(self) -> tuple[Any, ...]:
        """What the table sorts by: rows with the same key are one row."""
        return self.product_id, self.window_start

    @property
    def table_partition(self) -> int:
        """The day, which is the partition of the table."""
        return self.window_start // _DAY_S


class LedgerRow(NamedTuple):
    """A row of ctr.ledger; hour in seconds since the epoch."""

    topic: str
    partition: int
    outcome: str
    hour: int
    events: int
    first_offset: int
    last_offset: int
    version: int

    @property
    def key(self) -> tuple[Any, ...]:
        """What the table sorts by: rows with the same key are one row."""
        return self.topic, self.partition, self.outcome, self.hour

    @property
    def table_partition(self) -> int:
        """The hour's four weeks, of which none touches more than two months.

        The partition of the table is the month; this is close enough to stay below its limits.
        """
        return self.hour // _FOUR_WEEKS_S


Row = WindowRow | LedgerRow


def version(epoch: int, count: int) -> int:
    """The version of a row: of two rows with one key the higher one stays.

    Counts of a key only grow, so the highest count is the newest. Rows of a higher epoch win over
    all of a lower one, also where they count less.
    """
    return epoch * COUNTS_END + count


def window_row(value: bytes | None, epoch: int) -> WindowRow:
    """Read a message of ctr-windows; its window_start is in ms since the epoch.

    Raises:
        Unreadable: There is no row in it.
    """
    fields = _Fields.of(value)
    start = fields.seconds("window_start", span=WINDOW_S)
    impressions = fields.count("impressions")
    clicks = fields.count("clicks")
    return WindowRow(
        product_id=fields.text("product_id"),
        window_start=start,
        window_end=start + WINDOW_S,
        impressions=impressions,
        clicks=clicks,
        version=version(epoch, _counted(impressions + clicks)),
    )


def ledger_row(value: bytes | None, epoch: int) -> LedgerRow:
    """Read a message of ctr-ledger; its hour is in ms since the epoch.

    Raises:
        Unreadable: There is no row in it.
    """
    fields = _Fields.of(value)
    events = fields.count("events")
    return LedgerRow(
        topic=fields.text("topic"),
        partition=fields.integer("partition", end=_KAFKA_PARTITIONS_END),
        outcome=fields.text("outcome"),
        hour=fields.seconds("hour", span=3_600),
        events=events,
        first_offset=fields.integer("first_offset", end=_KAFKA_OFFSETS_END),
        last_offset=fields.integer("last_offset", end=_KAFKA_OFFSETS_END),
        version=version(epoch, events),
    )


class _Fields(dict[str, Any]):
    """The fields of one message, each of them checked when it is asked for."""

    @classmethod
    def of(cls, value: bytes | None) -> _Fields:
        if value is None:
            raise Unreadable(Reason.TOMBSTONE, "there is no value")
        try:
            content = json.loads(value)
        except (ValueError, RecursionError):
            raise Unreadable(Reason.NOT_JSON, "the value is not JSON") from None
        if not isinstance(content, dict):
            raise Unreadable(Reason.NOT_JSON, "the value is not a JSON object")
        return cls(content)

    def __missing__(self, name: str) -> None:
        raise Unreadable(Reason.MISSING_FIELD, f"there is no {name}")

    def text(self, name: str) -> str:
        value = self[name]
        if type(value) is not str:
            raise Unreadable(Reason.WRONG_TYPE, f"{name} is not a text")
        # An unpaired surrogate has no UTF-8: the insert would fail, again and again.
        if not value.isascii() and not _has_utf8(value):
            raise Unreadable(Reason.OUT_OF_RANGE, f"{name} has an unpaired surrogate")
        return value

    def integer(self, name: str, *, end: int) -> int:
        value = self[name]
        if type(value) is not int:  # which also keeps true and false out
            raise Unreadable(Reason.WRONG_TYPE, f"{name} is not an integer")
        if not 0 <= value < end:
            raise Unreadable(Reason.OUT_OF_RANGE, f"{name} is not within 0 and {end - 1}")
        return value

    def count(self, name: str) -> int:
        return self.integer(name, end=COUNTS_END)

    def seconds(self, name: str, *, span: int) -> int:
        """A time in ms as seconds; it and its span fit DateTime, and it begins such a span."""
        value = self.integer(name, end=(_DATETIME_END_S - span) * 1_000)
        seconds, rest = divmod(value, 1_000)
        if rest or seconds % span:
            raise Unreadable(Reason.OUT_OF_RANGE, f"{name} does not begin a span of {span} s")
        return seconds


def _counted(count: int) -> int:
    if count >= COUNTS_END:
        raise Unreadable(Reason.OUT_OF_RANGE, f"the counts are above {COUNTS_END - 1} in all")
    return count


def _has_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
