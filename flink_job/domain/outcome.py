"""The seven outcomes, and the rules that give every record exactly one of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from flink_job.domain.event import EVENT_TYPES, Event, Malformed, MissingField, Record, parse
from flink_job.domain.window import LATE_AFTER_MS, window_start

FUTURE_MS = 60_000
OLD_MS = 7 * 24 * 3_600_000


class Outcome(StrEnum):
    """What becomes of a record, in order of precedence: the first that applies."""

    MALFORMED = "malformed"
    MISSING_FIELD = "missing_field"
    UNKNOWN_TYPE = "unknown_type"
    FUTURE_TIMESTAMP = "future_timestamp"
    OLD_TIMESTAMP = "old_timestamp"
    LATE = "late"
    COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one record.

    Attributes:
        outcome: The one outcome.
        event: What the record says; None where it says nothing readable (rules 1 and 2).
        clock: The partition's clock behind this record, event time in ms; None until a first
            record of the partition has passed rules 1 to 5.
    """

    outcome: Outcome
    event: Event | None
    clock: int | None


def judge(record: Record, clock: int | None) -> Verdict:
    """Give one Kafka record its one outcome.

    Pure and total: after the same predecessors in its partition the same record gets the same
    outcome on every replay. No bytes make it raise; bad data is an outcome.

    Args:
        record: The record; its append time is the only "now" there is.
        clock: The partition's clock in front of this record. A record that passes rules 1 to 5
            moves it to max(clock, min(timestamp, append time)) before rule 6 is asked.

    Returns:
        The outcome, the event if the value was one, and the clock for the next record.
    """
    try:
        event = parse(record.value)
    except Malformed:
        return Verdict(Outcome.MALFORMED, None, clock)
    except MissingField:
        return Verdict(Outcome.MISSING_FIELD, None, clock)
    if event.event_type not in EVENT_TYPES:
        return Verdict(Outcome.UNKNOWN_TYPE, event, clock)
    if event.timestamp > record.appended + FUTURE_MS:
        return Verdict(Outcome.FUTURE_TIMESTAMP, event, clock)
    if event.timestamp < record.appended - OLD_MS:
        return Verdict(Outcome.OLD_TIMESTAMP, event, clock)

    # A device whose clock runs ahead cannot make other events late: the append time caps it.
    seen = min(event.timestamp, record.appended)
    clock = seen if clock is None else max(clock, seen)
    late = window_start(event.timestamp) + LATE_AFTER_MS <= min(clock, record.appended)
    return Verdict(Outcome.LATE if late else Outcome.COUNTED, event, clock)
