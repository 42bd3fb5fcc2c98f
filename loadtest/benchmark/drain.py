"""A backlog: made while the job is stopped, and counted by it from where it had stopped."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from flink_job.loader.service import Clock
from loadtest.benchmark.cgroups import Used
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.lab import DEPLOY_WITHIN_S, Deploying, LabError
from loadtest.benchmark.result import Cost, Drain, Law
from loadtest.benchmark.series import at
from loadtest.benchmark.step import BEGINS_WITHIN_S, booked_of, stands, tried
from loadtest.benchmark.watch import Seen, Stand, Watching, WitnessError

STAND_EVERY_S, ASKED_EVERY_S = 0.5, 1.0
# A job that counts fewer a second than this is far too slow to wait for.
SLOWEST = 25_000


class Stoppable(Protocol):
    """What a drain needs of the lab; see `Lab`."""

    def stop_job(self) -> str:
        """Stop the job with a savepoint."""

    def deploy(self) -> None:
        """Have it run, whatever has become of it."""

    def deploying(self) -> Deploying:
        """Start it again."""

    def dispose(self, savepoint: str) -> None:
        """Delete a savepoint."""

    def start_load(self, rate: int, seconds: int) -> None:
        """Start a load."""

    def load_ended(self, seconds: int) -> int:
        """Wait for its end."""

    def used(self) -> Used:
        """Processor time so far."""

    def law(self) -> Law:
        """Conservation, checked now."""

    def watching(self, seconds: float, every_s: float, *, sends: bool) -> Watching:
        """A witness."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """A backlog as it is asked for.

    Attributes:
        events: How many, at least.
        rate: Events a second that it is made at.
        cold: The share of it that is counted before anything is measured, while programs that have
            just started are compiled.
    """

    events: int
    rate: int
    cold: float = 0.0

    @property
    def name(self) -> str:
        """For people."""
        return f"a backlog of {self.events:,} events"

    @property
    def lasts(self) -> int:
        """Seconds of load."""
        return math.ceil(self.events / self.rate)


@dataclass(frozen=True, slots=True)
class _Counted:
    """What was seen of it; `warm` is where the ledger is when it begins to be measured."""

    told: list[Stand]
    base: Stand
    began: float
    first: tuple[Used, float]
    last: tuple[Used, float]
    warm: float


def drained(lab: Stoppable, wanted: Backlog, clock: Clock) -> Drain:
    """Measure a drain; whatever happens, the job runs again behind it.

    Raises:
        LabError: The job is not stopped, or not started again.
        PlaybookError: The load fails.
        WitnessError: What happens cannot be seen, or takes far too long.
    """
    problems: list[str] = []
    try:
        saved = lab.stop_job()
        lab.start_load(wanted.rate, wanted.lasts)
        tried(lambda: lab.load_ended(wanted.lasts), problems)
        counted = _counted(lab, wanted, clock)
    except BaseException:
        _again(lab)
        raise
    law = tried(lab.law, problems)
    try:
        lab.dispose(saved)
    except LabError as problem:
        problems.append(str(problem))

    start = next(one for one in counted.told if one.booked > counted.base.booked)
    warm = next(one for one in counted.told if one.booked > counted.warm)
    end = next(one for one in counted.told if one.at > warm.at and one.lag == 0)
    seconds = max(end.at - warm.at, STAND_EVERY_S)
    samples = [(one.at, float(booked_of(one))) for one in counted.told]
    (used, when), (used_last, when_last) = counted.first, counted.last
    return Drain(
        events=counted.base.lag,
        first_row_s=start.at - counted.began,
        seconds=seconds,
        events_per_s=(end.booked - warm.booked) / seconds,
        cost=Cost.of(used, used_last, when_last - when, max(1.0, end.booked - at(samples, when))),
        curve=[
            (round(one.at - counted.began, 2), float(one.booked - counted.base.booked))
            for one in counted.told
            if one.at >= counted.began
        ],
        law=law,
        problems=problems,
    )


def _counted(lab: Stoppable, wanted: Backlog, clock: Clock) -> _Counted:
    """Start the job, and see it through."""
    within_s = DEPLOY_WITHIN_S + wanted.events / SLOWEST
    with lab.watching(within_s + BEGINS_WITHIN_S, STAND_EVERY_S, sends=False) as watching:
        watching.expect(stands, "the probe has seen the backlog", BEGINS_WITHIN_S)
        base = watching.seen.stands[-1]
        warm = base.booked + wanted.cold * base.lag
        began, going = clock.now(), lab.deploying()
        deadline = clock.monotonic() + within_s

        def wait(until: Callable[[Seen], bool], what: str) -> None:
            while not watching.seen.wait(until, ASKED_EVERY_S):
                if watching.seen.over:
                    watching.expect(until, what, 0)
                if clock.monotonic() > deadline:
                    raise WitnessError(f"Not within {within_s:.0f} s: {what}.")
                if not going.goes_on:
                    going.ended(0)

        try:
            wait(lambda seen: seen.stands[-1].booked > warm, "the job counts a backlog")
            first = lab.used(), clock.now()
            wait(
                lambda seen: seen.stands[-1].lag == 0 and seen.stands[-1].at > first[1],
                "the job has counted a backlog",
            )
            last = lab.used(), clock.now()
            told = list(watching.seen.stands)
        except BaseException:
            # Beside a deployment that goes on there can be no other.
            with suppress(PlaybookError):
                going.ended(DEPLOY_WITHIN_S)
            raise
        going.ended(DEPLOY_WITHIN_S)
    return _Counted(told, base, began, first, last, warm)


def _again(lab: Stoppable) -> None:
    """Have the job run, after a drain that was cut off.

    Raises:
        LabError: It does not.
    """
    try:
        lab.deploy()
    except PlaybookError as problem:
        raise LabError(
            f"The job was stopped for the backlog and does not run again: {problem} Run "
            "ansible/job.yml, which starts it from where it stopped."
        ) from problem
