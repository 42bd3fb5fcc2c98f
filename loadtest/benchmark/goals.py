"""What the pipeline is to reach, and whether a run has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from loadtest.benchmark.result import Run, Step

HELD, MISSED, UNMEASURED = "held", "**missed**", "not measured"
# Of the rate that was asked for: batches begin and end across the edges of what is measured.
SUSTAINED = 0.99


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of one step.

    Attributes:
        rate: Of the step.
        what: For people.
        most: What must not be exceeded.
        unit: Of it.
        figure: What was measured of it; None where it was not.
    """

    rate: int
    what: str
    most: float
    unit: str
    figure: Callable[[Step], float | None]

    def told(self, run: Run) -> tuple[str, str, str]:
        """What was wanted, what was measured, and whether it is held."""
        wanted = f"at most {self.most:g} {self.unit}"
        step = next((one for one in run.steps if one.rate == self.rate), None)
        figure = None if step is None else self.figure(step)
        if figure is None:
            return wanted, "-", UNMEASURED
        return wanted, f"{figure:.2f} {self.unit}", HELD if figure <= self.most else MISSED


def _p99(step: Step) -> float | None:
    return None if step.latency is None else step.latency.p99_s


GOALS = (
    Goal(50_000, "event to row, p99", 0.4, "s", _p99),
    Goal(100_000, "event to row, p99", 0.5, "s", _p99),
    Goal(
        100_000,
        "CPU of the TaskManagers",
        4.5,
        "us an event",
        lambda step: step.cost.us_taskmanager,
    ),
    Goal(100_000, "CPU of all, the load among it", 13.0, "us an event", lambda step: step.cost.us),
)


def sustained(step: Step) -> bool:
    """Whether the rate was held, into Kafka and out of it, with a lag that does not grow."""
    least = step.rate * SUSTAINED
    return step.events_per_s >= least and step.counted_per_s >= least and step.lag.flat


def goals(run: Run) -> list[tuple[str, str, str, str]]:
    """Rows of a table: the goal, what was wanted, what was measured, and whether it is held."""
    rows = [
        (
            f"{step.name} for {step.seconds} s",
            "the rate held, the lag flat",
            f"{step.counted_per_s:,.0f} a second, lag {_change(step)}",
            HELD if sustained(step) else MISSED,
        )
        for step in run.steps
    ]
    rows += [(f"{goal.what}, at {goal.rate:,} events/s", *goal.told(run)) for goal in GOALS]
    return [*rows, ("conservation, after each part", "unexplained 0", *_conservation(run))]


def _conservation(run: Run) -> tuple[str, str]:
    laws, parts = run.laws, len(run.parts)
    if not laws:
        return "-", UNMEASURED
    unexplained = sum(abs(law.unexplained) for law in laws)
    told = f"unexplained {unexplained} after {len(laws)} of {parts}"
    return told, MISSED if unexplained else HELD if len(laws) == parts else UNMEASURED


def _change(step: Step) -> str:
    return "flat" if step.lag.flat else "growing"
