"""`python -m loadtest.benchmark`: measure the installed lab, and write docs/benchmarks.md."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flink_job.loader.service import Clock
from loadtest.benchmark import history
from loadtest.benchmark.about import About, checked_out, kafka_of, known, locked
from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.command import end_as_by_keyboard, say, whole
from loadtest.benchmark.drain import SLOWEST, Backlog, drained
from loadtest.benchmark.history import Comparison, HistoryError, compared
from loadtest.benchmark.hosts import INVENTORY, ROOT, Hosts, HostsError, PlaybookError, Playbooks
from loadtest.benchmark.lab import LOAD, Lab, LabError
from loadtest.benchmark.page import page
from loadtest.benchmark.result import Failure, Run
from loadtest.benchmark.step import Wanted, measured
from loadtest.benchmark.watch import WitnessError
from monitoring.pages import InventoryError, listed

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
RATES, SECONDS, LONG_RATE, LONG_SECONDS, WARM_UP = (
    (1_000, 10_000, 50_000, 100_000),
    60,
    100_000,
    180,
    25,
)
BACKLOG, BACKLOG_RATE = 10_000_000, 150_000
# The JVMs of a lab just installed compile for minutes, which would count against the first steps.
WARM_LAB, WARM_LAB_RATE = 120, 50_000
WITHIN_S = 1_500.0
# Beside the load itself, to see whether there is time for a part: Ansible, the end of the load, the
# check; the deployment, too.
STEP_S, DRAIN_S = 60.0, 150.0
DOCS, BUILD = ROOT / "docs", ROOT / "build" / "benchmark"
FAILURES = (PlaybookError, WitnessError, LabError, NoAnswerError, OSError, ValueError)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, in this order.

    Attributes:
        steps: Constant loads.
        backlog: A backlog; None for none.
        within_s: Seconds for all; what there is no time for is left out.
        usual: Whether it is what `make benchmark` does when nothing is set.
        warm_lab: Seconds of load before all that is measured; 0 for none.
    """

    steps: tuple[Wanted, ...]
    backlog: Backlog | None
    within_s: float
    usual: bool
    warm_lab: int = 0


@dataclass(slots=True)
class Bench:
    """Measures one part after the other, and keeps what there is after each.

    Attributes:
        lab: What is measured.
        run: What was found out.
        keep: Told after each part.
        tell: Told of the progress.
        clock: Time.
    """

    lab: Lab
    run: Run
    keep: Callable[[], None]
    tell: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)

    def all_of(self, plan: Plan) -> None:
        """Measure a plan; a part that fails is told, and the next one begins."""
        began = self.clock.monotonic()
        until = began + plan.within_s
        if plan.warm_lab:
            self._part("the lab warms up", partial(self._warm, plan.warm_lab))
        for step in plan.steps:
            if self._time_for(step.name, step.lasts + STEP_S, until):
                self._part(step.name, partial(self._step, step))
        backlog = plan.backlog
        if backlog is not None:
            lasts = backlog.lasts + backlog.events / (4 * SLOWEST) + DRAIN_S
            if self._time_for(backlog.name, lasts, until):
                self._part(backlog.name, partial(self._drain, backlog))
        self.run.took_s = self.clock.monotonic() - began
        self.keep()

    def _warm(self, seconds: int) -> None:
        self.lab.start_load(WARM_LAB_RATE, seconds)
        self.lab.load_ended(seconds)

    def _step(self, wanted: Wanted) -> None:
        step = measured(self.lab, wanted, self.clock)
        self.run.steps.append(step)
        p99 = "no latency" if step.latency is None else f"p99 {step.latency.p99_s:.2f} s"
        self.tell(
            f"  {step.counted_per_s:,.0f} events/s counted, {p99}, TaskManagers "
            f"{step.cost.us_taskmanager:.2f} and all {step.cost.us:.2f} us an event"
            + (f", unexplained {step.law.unexplained}" if step.law else "")
        )

    def _drain(self, wanted: Backlog) -> None:
        drain = drained(self.lab, wanted, self.clock)
        self.run.drain = drain
        self.tell(
            f"  {drain.events:,} events in {drain.seconds:.1f} s, {drain.events_per_s:,.0f}/s, "
            f"TaskManagers {drain.cost.us_taskmanager:.2f} us an event"
        )

    def _part(self, name: str, measure: Callable[[], None]) -> None:
        self.tell(f"{time.strftime('%H:%M:%S')} {name}")
        try:
            measure()
        except FAILURES as problem:
            self.run.failures.append(Failure(name, str(problem)))
            self.tell(f"  failed: {problem}")
            # The next part would refuse to start beside a load.
            with suppress(PlaybookError):
                self.lab.stop_load()
        self.keep()

    def _time_for(self, name: str, lasts: float, until: float) -> bool:
        if self.clock.monotonic() + lasts <= until:
            return True
        self.run.failures.append(Failure(name, "left out, as there was no time for it any more."))
        self.tell(f"{name}: left out, as there is no time for it any more")
        return False


def plan_of(chosen: argparse.Namespace) -> Plan:
    """What the command line asks for."""
    rates = tuple(chosen.steps or RATES)
    seconds = chosen.seconds
    steps = tuple(
        Wanted(
            rate,
            seconds or (LONG_SECONDS if rate >= LONG_RATE else SECONDS),
            chosen.warm_up,
        )
        for rate in rates
    )
    events = BACKLOG if chosen.backlog is None else chosen.backlog
    backlog = Backlog(events, BACKLOG_RATE) if events else None
    asked = (rates, seconds, events, chosen.warm_up, chosen.warm_lab)
    usual = asked == (RATES, None, BACKLOG, WARM_UP, WARM_LAB)
    return Plan(steps, backlog, chosen.within * 60, usual, chosen.warm_lab)


def command_of(chosen: argparse.Namespace) -> str:
    """The command of `make` that says the same."""
    words = ["make benchmark"]
    if chosen.steps:
        words.append(f"STEPS='{' '.join(str(one) for one in chosen.steps)}'")
    if chosen.seconds:
        words.append(f"SECONDS={chosen.seconds}")
    if chosen.warm_up != WARM_UP:
        words.append(f"WARM_UP={chosen.warm_up}")
    if chosen.warm_lab != WARM_LAB:
        words.append(f"WARM_LAB={chosen.warm_lab}")
    if chosen.backlog is not None:
        words.append(f"BACKLOG={chosen.backlog}")
    return " ".join(words)


def written(run: Run, earlier: Sequence[Run], into: Path) -> Comparison:
    """Write the page and its pictures; how the run compares."""
    # Drawing needs a library that nothing else does, and takes a second to load.
    from loadtest.benchmark.charts import draw  # noqa: PLC0415

    comparison = compared(run, earlier)
    drawn = draw(run, into / "images")
    pictures = [(file.relative_to(into).as_posix(), shows) for file, shows in drawn]
    (into / "benchmarks.md").write_text(page(run, comparison, pictures), encoding="utf-8")
    return comparison


def begun(lab: Lab, command: str) -> Run:
    """A run that has measured nothing yet, with what it is measured on.

    Raises:
        NoAnswerError: A part does not say what version it is.
    """
    lock = (ROOT / "locks" / "load.lock").read_text(encoding="utf-8")
    pom = (ROOT / "roles" / "kafka" / "files" / "pom.xml").read_text(encoding="utf-8")
    with lab.watching(STEP_S, 1.0, sends=False) as watching:
        watching.expect(lambda seen: seen.version is not None, "the probe starts", STEP_S)
        clickhouse = watching.seen.version
    versions = {
        "Kafka": kafka_of(pom),
        **lab.versions(),
        "ClickHouse": clickhouse,
        "locust": locked(lock, "locust"),
        "confluent-kafka": locked(lock, "confluent-kafka"),
    }
    load = ", ".join(
        (
            f"{LOAD['load_products']:,} products",
            f"{LOAD['load_bad']:.1%} bad",
            f"{LOAD['load_disorder']:.1%} out of order",
            f"{LOAD['load_late']:.1%} late",
        )
    )
    now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    return Run(now, command, checked_out(ROOT), About.this(), known(versions), load)


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.benchmark", description=__doc__)
    add = parser.add_argument
    add("--steps", type=whole, nargs="+", metavar="RATE", help="events/s of each step")
    add("--seconds", type=whole, help="of each step, instead of 60, or 180 at 100,000 events/s")
    add("--warm-up", type=whole, default=WARM_UP, metavar="S", help="of each step before that")
    add("--warm-lab", type=int, default=WARM_LAB, metavar="S", help="of load before all; 0: none")
    add("--backlog", type=int, metavar="N", help="events of the backlog; 0 leaves it out")
    add("--within", type=float, default=WITHIN_S / 60, metavar="MINUTES", help="for all of it")
    add(
        "--into",
        type=Path,
        help="folder of what is written: docs, or build/benchmark for other plans",
    )
    add("--strict", action="store_true", help="exit status 1 where a figure has become worse")
    add(
        "--again",
        action="store_true",
        help="write page and pictures of the last run, measure nothing",
    )
    chosen = parser.parse_args(arguments)
    if chosen.warm_lab < 0:
        parser.error("the lab warms up for some seconds, or 0 for none")
    if chosen.backlog is not None and chosen.backlog < 0:
        parser.error("a backlog is some events, or 0 for none")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line.

    Returns:
        The exit status: 0 measured, 1 a part failed, or an event is unexplained or nobody could
        tell, or with --strict a figure has become worse, 2 nothing was measured.
    """
    chosen = _parsed(arguments)
    plan = plan_of(chosen)
    into = (chosen.into or (DOCS if plan.usual else BUILD)).absolute()
    file = into / "benchmarks.json"
    try:
        kept = history.read(file)
        others = [] if into == DOCS else history.read(DOCS / "benchmarks.json")
        run = _last(kept, file) if chosen.again else _measured(chosen, plan, kept, file)
    except (HistoryError, InventoryError, HostsError, *FAILURES) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    except KeyboardInterrupt:
        say(f"Ended before its time; what was measured is in {file}.")
        return INTERRUPTED
    earlier = sorted([*others, *kept], key=lambda one: one.began)
    return _ended(run, earlier, into, strict=chosen.strict)


def _last(kept: Sequence[Run], file: Path) -> Run:
    if not kept:
        raise HistoryError(f"There is no run in {file} to write a page of.")
    return kept[-1]


def _measured(chosen: argparse.Namespace, plan: Plan, kept: Sequence[Run], file: Path) -> Run:
    if os.geteuid() != 0:
        raise LabError("The lab's hosts are reached as root: run this as root.")
    lab = Lab.of(Hosts(listed(INVENTORY)), Playbooks(BUILD / "logs"))
    if (why := lab.refusal()) is not None:
        raise LabError(why)
    say(f"{time.strftime('%H:%M:%S')} the job of this checkout")
    lab.deploy()
    run = begun(lab, command_of(chosen))
    end_as_by_keyboard(signal.SIGTERM, signal.SIGHUP)
    try:
        Bench(lab, run, lambda: history.write(file, [*kept, run]), say).all_of(plan)
    except KeyboardInterrupt:
        with suppress(PlaybookError):
            lab.stop_load()
        raise
    return run


def _ended(run: Run, earlier: Sequence[Run], into: Path, *, strict: bool) -> int:
    comparison = written(run, earlier, into)
    for worse in comparison.worse:
        say(f"worse: {worse}")
    for part in run.unlawful:
        say(f"not all events are explained after {part}")
    for part in run.unchecked:
        say(f"it could not be checked whether all events are explained after {part}")
    say(f"{into / 'benchmarks.md'}")
    wrong = run.failures or run.unlawful or run.unchecked or (strict and comparison.worse)
    return FAILED if wrong else DONE


if __name__ == "__main__":
    sys.exit(main())
