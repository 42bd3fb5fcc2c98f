"""What a run was to send, how it ended, and whether the one came of the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

# A run that went as asked sends each of its events, as what a stall delays is made up for. Less
# than one in a hundred may be lacking where a busy machine holds up a worker until the run ends all
# the same; a worker that is lost, or a load that the machine cannot make, costs far more.
ENOUGH = 0.99
STALLED_AFTER_S = 30.0


class End(StrEnum):
    """What ended a run."""

    DUE = "due"
    STOPPED = "stopped"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its master knows it.

    Attributes:
        rate: Events a second, of all workers together.
        duration: Seconds; 0 is until it is stopped.
        end: What ended it; None while it goes on.
    """

    rate: int
    duration: int
    end: End | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Run:
        """Read what `told` gives."""
        end = told["end"]
        return cls(int(told["rate"]), int(told["duration"]), None if end is None else End(end))

    def told(self) -> dict[str, Any]:
        """The run as JSON has it."""
        return {"rate": self.rate, "duration": self.duration, "end": self.end}

    def ended(self, end: End) -> Run:
        """The run once it has ended; the first word on that holds."""
        return self if self.end is not None else replace(self, end=end)

    @property
    def events(self) -> int:
        """How many it was to send; 0 where nobody said how long it was to go on."""
        return self.rate * self.duration

    def share(self, users: int) -> int:
        """How many each of its users is to send: together no fewer than all."""
        return -(-self.events // users)


@dataclass(slots=True)
class Overtime:
    """How long a run may go on behind its time: what a busy machine delays is still sent.

    Attributes:
        most: Seconds, as long as its events go on being acknowledged.
    """

    most: float
    _booked: int = 0
    _rose: float = 0.0

    def over(self, since: float, booked: int) -> bool:
        """Whether to end without the rest.

        Args:
            since: Seconds since the run was due to end, never fewer than the last time.
            booked: Events acknowledged or failed so far.
        """
        if booked > self._booked:
            self._booked, self._rose = booked, since
        return since > self._rose + STALLED_AFTER_S or since > self.most + STALLED_AFTER_S


def fault(run: Run | None, acknowledged: int, failed: int, problem: str | None) -> str | None:
    """Why a run that is over did not come to what it was started for; None where it did.

    Args:
        run: What the master knows of it; None where it knows of no run.
        acknowledged: Events that Kafka has acknowledged.
        failed: Events that are not in Kafka.
        problem: The most frequent reason of failures.
    """
    if run is None:
        return (
            "The locust master knows of no run: none was started, or the master itself was "
            "restarted, which ends a run; look at its unit locust-master."
        )
    if failed:
        return (
            f"{failed:,} events are not in Kafka; most failed with: {problem or 'no reason told'}."
        )
    if not run.events:
        if run.end is not End.UNASKED:
            return None
        return (
            f"The run ended though nobody had stopped it, after {acknowledged:,} events: its "
            "workers were lost; look at locust-worker-*."
        )
    if acknowledged >= run.events * ENOUGH:
        return None
    why = {
        End.DUE: "workers were lost, or they and Kafka do not keep up; look at locust-worker-*",
        End.STOPPED: f"somebody stopped it before its {run.duration} s were over",
        End.UNASKED: "it lost all its workers; look at locust-worker-*",
        None: "it has not ended",
    }[run.end]
    return (
        f"Kafka has acknowledged {acknowledged:,} of the {run.events:,} events that this run was "
        f"to send: {why}."
    )
