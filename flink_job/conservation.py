"""The first law: every message ends in exactly one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flink_job.domain import Outcome


@dataclass(frozen=True, slots=True)
class Conservation:
    """The first law: every message ends in exactly one outcome.

    Attributes:
        consumed: Messages that went in.
        outcomes: Messages by outcome, from the ledger.
        in_windows: Impressions and clicks of all windows.
        dead_letters: Messages by reason, from the dead letters.
    """

    consumed: int
    outcomes: Mapping[Outcome, int]
    in_windows: int
    dead_letters: Mapping[Outcome, int]

    @property
    def unexplained(self) -> int:
        """Messages without an outcome; below zero, some have more than one."""
        return self.consumed - sum(self.outcomes.values())

    def broken(self) -> list[str]:
        """What does not add up, a sentence each; empty when the law is kept."""
        problems = []
        if self.unexplained:
            problems.append(f"{self.unexplained} messages have no outcome in the ledger.")
        counted = self.outcomes.get(Outcome.COUNTED, 0)
        if counted != self.in_windows:
            problems.append(
                f"The ledger says {counted} counted, but the windows hold {self.in_windows}."
            )
        problems += [
            f"The ledger says {self.outcomes.get(outcome, 0)} {outcome}, "
            f"but there are {self.dead_letters.get(outcome, 0)} dead letters."
            for outcome in Outcome
            if outcome is not Outcome.COUNTED
            and self.outcomes.get(outcome, 0) != self.dead_letters.get(outcome, 0)
        ]
        return problems

    def __str__(self) -> str:
        """The line that every run ends with."""
        return conservation_line(self.consumed, self.outcomes, self.unexplained)


def conservation_line(consumed: int, outcomes: Mapping[Outcome, int], unexplained: int) -> str:
    """The first law in a line."""
    counted = outcomes.get(Outcome.COUNTED, 0)
    late = outcomes.get(Outcome.LATE, 0)
    rejected = sum(outcomes.values()) - counted - late
    return (
        f"conservation: consumed {consumed} = counted {counted} + rejected {rejected} "
        f"+ late {late}, unexplained {unexplained}"
    )
