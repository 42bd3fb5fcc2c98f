"""What a recount reads and writes, found in one place and told to others as JSON. Pure."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from flink_job.backfill.cut import STEP_BACK_MS
from flink_job.backfill.span import Span
from flink_job.domain import Outcome
from flink_job.domain.ledger import hour_of


@dataclass(frozen=True, slots=True)
class Plan:
    """Which part of the topics tells all of a range; times in ms since the epoch.

    Attributes:
        first: The range's begin.
        last: The range's end.
        start: Append time from which on the topics are read.
        end: Append time up to which they are read; None is all that there is.
        asked: When Kafka was asked, which names the topics of this one recount, too.
    """

    first: int
    last: int
    start: int
    end: int | None
    asked: int

    @classmethod
    def parsed(cls, text: str) -> Plan:
        """Read one from JSON, which may say more."""
        content = json.loads(text)
        return cls(**{name: content[name] for name in cls.__slots__})

    def json(self, told: list[str]) -> str:
        """This as JSON, with sentences for the operator."""
        return json.dumps({**asdict(self), "told": told})

    @property
    def span(self) -> Span:
        """The range."""
        return Span(self.first, self.last)

    @property
    def appended(self) -> Span:
        """The hours of append time whose messages are all read: rejected and late stand in these.

        What is read up to a moment may lack messages of the time by which append times step back.
        """
        read = (self.asked if self.end is None else self.end) - STEP_BACK_MS
        return Span(self.first, max(self.first, min(self.last, hour_of(read))))

    @property
    def emitted(self) -> int:
        """What the job has said from this moment on may know more than the recount."""
        return self.asked - STEP_BACK_MS

    def holds(self, outcome: str, hour: int) -> bool:
        """Whether the ledger's row of an outcome and hour (ms) is counted anew."""
        return hour in (self.span if outcome == Outcome.COUNTED else self.appended)

    def topic(self, name: str) -> str:
        """The topic that the recount writes to instead of the job's of this name."""
        return f"{name}-backfill-{self.asked}"
