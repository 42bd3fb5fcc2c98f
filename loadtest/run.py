"""What a run was to send, how it ended, and whether the one came of the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

# A run that went as asked sends each of its events, as what a stall delays is made up for. Less
# than one in a hundred may be lacking where a busy machine holds up a worker until the run ends all
# the same; a worker that is lost, or a load that the machine cannot make, costs far more.
ENOUGH = 0.99
STALLED_AFTER_S = 30.0
# Workers tell the master every three seconds what was acknowledged, and one may be held up once.
BEHIND_S, BEHIND_FOR_S = 8.0, 6.0


class End(StrEnum):
    """What ended a run."""

    DUE = "due"
    SATURATED = "saturated"
    STOPPED = "stopped"
    UNASKED = "unasked"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, as its master knows it.

    Attributes:
        events: How many it was to send; 0 where nobody said how long it was to go on.
        duration: Seconds; 0 is until it is stopped.
        end: What ended it; None while it goes on.
        report: The name of its report; None until that is written.
    """

    events: int
    duration: int
    end: End | None = None
    report: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Run:
        """Read what `told` gives."""
        end = told["end"]
        return cls(
            events=int(told["events"]),
            duration=int(told["duration"]),
            end=None if end is None else End(end),
            report=told["report"],
        )

    def told(self) -> dict[str, Any]:
        """The run as JSON has it."""
        return asdict(self)

    def ended(self, end: End) -> Run:
        """The run once it has ended; the first word on that holds."""
        return self if self.end is not None else replace(self, end=end)

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


@dataclass(slots=True)
class Saturation:
    """Whether what is acknowledged has fallen behind what is due, and stays there."""

    _since: float | None = None

    def reached(self, elapsed: float, due: float, booked: int, rate: float) -> bool:
        """Whether it has.

        Args:
            elapsed: Seconds since the start, never fewer than the last time.
            due: Events that were due by then.
            booked: Events acknowledged or failed, as far as the master has been told.
            rate: Events a second now.
        """
        if due - booked <= rate * BEHIND_S:
            self._since = None
        elif self._since is None:
            self._since = elapsed
        return self._since is not None and elapsed - self._since >= BEHIND_FOR_S


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
    # A ramp that ends itself has found what it was started for.
    if run.end is End.SATURATED or acknowledged >= run.events * ENOUGH:
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
