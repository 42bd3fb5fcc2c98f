"""One step: a constant load, and what the lab does with it once it is warm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar

from flink_job.loader.service import Clock
from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.cgroups import Used
from loadtest.benchmark.flink import Checkpoint, summed
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.prometheus import Prometheus, highest, rates
from loadtest.benchmark.result import US, Cost, Lag, Latency, Law, Step, memory_of
from loadtest.benchmark.series import at, within
from loadtest.benchmark.watch import Seen, Stand, Watching, WitnessError

# The load goes on for so long behind what is measured, so that nothing of its end is in that.
TAIL_S = 15
BEGINS_WITHIN_S, STANDS_WITHIN_S = 60.0, 20.0
STAND_EVERY_S, LOOK_EVERY_S = 2.0, 5.0
# Flink remembers ten checkpoints, of which there is one in five seconds.
CHECKPOINTS_EVERY = 4
TASK = "flink_taskmanager_job_task"
BACKPRESSURED, BUSY = (f"{TASK}_{what}TimeMsPerSecond" for what in ("backPressured", "busy"))
ROWS = 'ctr_loader_rows_inserted_total{table="ctr_windows"}'
MS = 1_000

Found = TypeVar("Found")


class Loaded(Protocol):
    """What a step needs of the lab; see `Lab`."""

    @property
    def prometheus(self) -> Prometheus:
        """Its Prometheus."""

    def start_load(self, rate: int, seconds: int) -> None:
        """Start a load."""

    def load_ended(self, seconds: int) -> int:
        """Wait for its end."""

    def used(self) -> Used:
        """Processor time so far."""

    def memory(self) -> Mapping[tuple[str, str], int]:
        """Memory of units."""

    def checkpoints(self) -> dict[int, Checkpoint]:
        """The last checkpoints."""

    def law(self) -> Law:
        """Conservation, checked now."""

    def watching(self, seconds: float, every_s: float, *, sends: bool) -> Watching:
        """A witness."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A step as it is asked for.

    Attributes:
        rate: Events a second.
        seconds: To measure.
        warm_up: Seconds of the same load before that.
    """

    rate: int
    seconds: int
    warm_up: int

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.rate:,} events/s"

    @property
    def lasts(self) -> int:
        """Seconds of load."""
        return self.warm_up + self.seconds + TAIL_S


@dataclass(slots=True)
class _Looks:
    """What is looked at again and again while it is measured."""

    lab: Loaded
    clock: Clock
    problems: list[str]
    memory: list[Mapping[tuple[str, str], int]] = field(default_factory=list)
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)

    def until(self, end: float, seen: Seen) -> None:
        """Look until a moment.

        Raises:
            WitnessError: The witness has ended before.
        """
        number = 0
        while (left := end - self.clock.now()) > 0:
            if seen.over:
                raise WitnessError("The probe on the monitoring host has ended in the middle.")
            self.memory.append(self.lab.memory())
            if number % CHECKPOINTS_EVERY == CHECKPOINTS_EVERY - 1:
                self.note()
            number += 1
            self.clock.sleep(min(left, LOOK_EVERY_S))

    def note(self) -> None:
        """Take down the checkpoints that Flink remembers."""
        self.checkpoints |= tried(self.lab.checkpoints, self.problems) or {}


def tried(ask: Callable[[], Found], problems: list[str]) -> Found | None:
    """An answer; where there is none that is noted as a problem, and the figure is missing."""
    try:
        return ask()
    except (NoAnswerError, PlaybookError) as problem:
        if str(problem) not in problems:
            problems.append(str(problem))
        return None


def measured(lab: Loaded, wanted: Wanted, clock: Clock) -> Step:
    """Measure a step.

    Raises:
        PlaybookError: The load does not start.
        WitnessError: What happens cannot be seen.
    """
    problems: list[str] = []
    looks = _Looks(lab, clock, problems)
    lasts = wanted.lasts + 2 * BEGINS_WITHIN_S
    with lab.watching(lasts, STAND_EVERY_S, sends=True) as watching:
        watching.expect(stands, "the probe has seen where the topics end", BEGINS_WITHIN_S)
        before = watching.seen.stands[-1].ends
        lab.start_load(wanted.rate, wanted.lasts)
        watching.expect(
            lambda seen: seen.stands[-1].ends > before, "events arrive in Kafka", BEGINS_WITHIN_S
        )
        loaded = next(one.at for one in watching.seen.stands if one.ends > before)
        _Looks(lab, clock, problems).until(loaded + wanted.warm_up, watching.seen)

        first, begin = lab.used(), clock.now()
        looks.until(begin + wanted.seconds, watching.seen)
        last, end = lab.used(), clock.now()
        looks.note()
        watching.expect(
            lambda seen: seen.stands[-1].at >= end, "the probe has seen the end", STANDS_WITHIN_S
        )
        # Those that were sent last may still become rows; who does not by then is late.
        watching.seen.wait(lambda seen: not any(t <= end for t in seen.stands[-1].away), TAIL_S)
        seen = watching.seen
        told = list(seen.stands)
        took = seen.latencies(begin, end)
    tried(lambda: lab.load_ended(wanted.lasts), problems)
    law = tried(lab.law, problems)

    seconds = end - begin
    events, counted, probe = (
        risen_between(told, what, begin, end) for what in (ends_of, booked_of, worked_of)
    )
    rows, pressed, busy = (
        tried(partial(lab.prometheus.over, name, begin, end), problems) or []
        for name in (ROWS, BACKPRESSURED, BUSY)
    )
    return Step(
        rate=wanted.rate,
        seconds=wanted.seconds,
        warm_up=wanted.warm_up,
        events_per_s=events / seconds,
        counted_per_s=counted / seconds,
        rows_per_s=rates(rows),
        latency=Latency.of(took),
        cost=Cost.of(first, last, seconds, max(1.0, counted)),
        probe_us=probe / max(1.0, counted) * US,
        memory_mb=memory_of(looks.memory),
        backpressure=_share(highest(pressed)),
        busy=_share(highest(busy)),
        checkpoints=summed(looks.checkpoints.values(), begin, end),
        lag=Lag.of(within([(one.at, float(one.lag)) for one in told], begin, end), wanted.rate),
        law=law,
        problems=problems,
    )


def stands(seen: Seen) -> bool:
    """Whether the witness has seen anything."""
    return bool(seen.stands)


def ends_of(stand: Stand) -> int:
    """Where Kafka's topics ended."""
    return stand.ends


def booked_of(stand: Stand) -> int:
    """Where the ledger was."""
    return stand.booked


def worked_of(stand: Stand) -> float:
    """What the witness itself had worked."""
    return stand.worked


def risen_between(
    told: list[Stand], what: Callable[[Stand], float], begin: float, end: float
) -> float:
    """By how much something rose between two moments that the witness has seen."""
    samples = [(one.at, float(what(one))) for one in told]
    return at(samples, end) - at(samples, begin)


def _share(ms: float | None) -> float | None:
    return None if ms is None else ms / MS
