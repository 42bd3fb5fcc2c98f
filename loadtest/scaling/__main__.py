"""`python -m loadtest.scaling`: measure TaskManagers and parallelism, and write docs/scaling.md."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from flink_job.embedded import JobFailedError
from flink_job.java import JavaError
from flink_job.loader.service import Clock
from flink_job.outputs import OutputError
from loadtest.benchmark import history
from loadtest.benchmark.about import About, checked_out
from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.command import end_as_by_keyboard, say, whole
from loadtest.benchmark.drain import Backlog, drained
from loadtest.benchmark.history import HistoryError
from loadtest.benchmark.hosts import INVENTORY, ROOT, Hosts, HostsError, PlaybookError, Playbooks
from loadtest.benchmark.lab import LOAD, Lab, LabError
from loadtest.benchmark.step import tried
from loadtest.benchmark.watch import WitnessError
from loadtest.scaling.arranged import Arranged, PutBack
from loadtest.scaling.configuration import USUAL, Configuration, ConfigurationError, in_order
from loadtest.scaling.fleet import THIRD, Fleet
from loadtest.scaling.found import Found, FoundError, Measured
from loadtest.scaling.page import page
from loadtest.scaling.pins import Pins
from loadtest.scaling.simulate import SCENARIOS, simulated
from monitoring.pages import InventoryError, listed

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
# Of each TaskManager: enough for the JVM to be warm behind the first half.
EVENTS, RATE, COLD = 2_000_000, 150_000, 0.5
# Three of them leave something of two cores to brokers, loader and ClickHouse.
CORES, FEWEST_CORES, MOST_CORES = 0.4, 0.1, 64.0
DOCS, BUILD = ROOT / "docs", ROOT / "build" / "scaling"
FAILURES = (PlaybookError, WitnessError, LabError, NoAnswerError, OSError, ValueError)
AGAIN = "run python -m loadtest.scaling --put-back as root."


@dataclass(slots=True)
class Scaling:
    """Measures one configuration after the other, and keeps what there is after each.

    Attributes:
        lab: What is measured.
        fleet: Its TaskManagers.
        pins: Their share of the processors.
        found: What was found out.
        keep: Told after each configuration.
        tell: Told of the progress.
        events: Of a backlog, for each TaskManager.
        cores: Of each TaskManager's host.
        commit: Of the checkout.
        joined: Gives the lab with one TaskManager more.
        clock: Time.
    """

    lab: Lab
    fleet: Fleet
    pins: Pins
    found: Found
    keep: Callable[[], None]
    tell: Callable[[str], None]
    events: int
    cores: float
    commit: str
    joined: Callable[[], Lab]
    clock: Clock = field(default_factory=Clock)
    _third: bool = False

    def all_of(self, configurations: Sequence[Configuration]) -> None:
        """Measure configurations; one that fails is told, and the next one begins."""
        for one in configurations:
            self.tell(f"{time.strftime('%H:%M:%S')} {one.name}")
            self.found.failures.pop(one.name, None)
            try:
                self._measure(one)
            except FAILURES as problem:
                self.found.failures[one.name] = str(problem)
                self.tell(f"  failed: {problem}")
                # The next one would refuse to start beside a load.
                with suppress(PlaybookError):
                    self.lab.stop_load()
            self.keep()

    def _measure(self, one: Configuration) -> None:
        if one.taskmanagers > len(self.fleet.own) and not self._third:
            self.tell(f"  making {THIRD}")
            self.fleet.make_third()
            self.lab, self._third = self.joined(), True
        there = [*self.fleet.own, *([THIRD] if self._third else [])]
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        arranged = Arranged(self.lab, self.fleet, self.pins, one, self.cores, there)
        backlog = Backlog(self.events * one.taskmanagers, RATE, COLD)
        drain = drained(arranged, backlog, self.clock)
        measured = Measured(
            taskmanagers=one.taskmanagers,
            parallelism=one.parallelism,
            cores=self.cores,
            ran_on=tried(arranged.ran_on, drain.problems) or [],
            drain=drain,
            began=began,
            commit=self.commit,
        )
        self.found.measured[str(one)] = measured
        self.tell(
            f"  {drain.events_per_s:,.0f} events/s, TaskManagers {drain.cost.us_taskmanager:.2f} "
            f"us an event, {measured.used:.0%} of what they may have"
            + (f", unexplained {drain.law.unexplained}" if drain.law else "")
        )


@dataclass(frozen=True, slots=True)
class Edges:
    """The lab as this program changes it.

    Attributes:
        lab: It.
        fleet: Its TaskManagers.
        pins: Their share of the processors.
        joined: Gives the lab with one TaskManager more.
    """

    lab: Lab
    fleet: Fleet
    pins: Pins
    joined: Callable[[], Lab]

    @classmethod
    def of(cls, hosts: Hosts) -> Edges:
        """The lab of an inventory."""
        playbooks = Playbooks(BUILD / "logs")
        lab = Lab.of(hosts, playbooks)
        own = Playbooks(BUILD / "logs", folder="loadtest/scaling")
        fleet = Fleet(hosts, lab.flink, own)
        return cls(lab, fleet, Pins(lab.groups), lambda: Lab.of(fleet.with_third(), playbooks))

    def is_there(self, host: str) -> bool:
        """Whether a host runs on this machine."""
        return not self.lab.groups.missing([host])

    def refusal(self, configurations: Sequence[Configuration]) -> str | None:
        """Why these cannot be measured now, in a sentence; None where they can."""
        if (why := self.lab.refusal()) is not None:
            return why
        for one in configurations:
            if (why := one.refusal(self.fleet.slots, self.fleet.most)) is not None:
                return why
        left = [f"{THIRD} is there"] if self.is_there(THIRD) else []
        left += [
            f"{host} may have {held:g} cores only"
            for host in self.fleet.own
            if (held := self.pins.held(host)) is not None
        ]
        return f"A run was cut off before ({', '.join(left)}): {AGAIN}" if left else None

    def put_back(self) -> list[str]:
        """Bring the lab to what its inventory says; what could not be, in sentences."""
        say(f"{time.strftime('%H:%M:%S')} putting back")
        try:
            problems = PutBack(self.lab, self.fleet, self.pins, self.is_there, say).all_of_it()
        except KeyboardInterrupt:
            say(f"Not all was put back: {AGAIN}")
            raise
        for problem in problems:
            say(f"  not put back: {problem}")
        if problems:
            say(f"Mend what is said above, then {AGAIN}")
        return problems


def written(found: Found, into: Path) -> Path:
    """Write the page and its picture; the page."""
    # Drawing needs a library that nothing else does, and takes a second to load.
    from loadtest.scaling.charts import draw  # noqa: PLC0415

    picture = None
    if found.measured:
        picture = draw(found.in_order, into / "images").relative_to(into).as_posix()
    runs = history.read(into / "benchmarks.json") or history.read(DOCS / "benchmarks.json")
    file = into / "scaling.md"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(found, runs, picture), encoding="utf-8")
    return file


def _measured(chosen: argparse.Namespace, found: Found, keep: Callable[[], None]) -> int:
    """Measure what is asked for, and put everything back; the exit status.

    Raises:
        LabError: Nothing can be measured.
    """
    edges = _edges()
    configurations = in_order(chosen.only or USUAL)
    if (why := edges.refusal(configurations)) is not None:
        raise LabError(why)
    say(f"{time.strftime('%H:%M:%S')} the job of this checkout")
    edges.lab.deploy()
    found.about = About.this()
    products, bad = LOAD["load_products"], LOAD["load_bad"]
    found.load = f"{products:,} equally popular products, {bad:.1%} of the events bad"
    scaling = Scaling(
        edges.lab,
        edges.fleet,
        edges.pins,
        found,
        keep,
        say,
        chosen.events,
        chosen.cores,
        checked_out(ROOT),
        edges.joined,
    )
    try:
        scaling.all_of(configurations)
    finally:
        problems = edges.put_back()
    names = {one.name for one in configurations}
    unlawful = [
        one.configuration.name
        for one in found.in_order
        if one.configuration in configurations
        and one.drain.law is not None
        and one.drain.law.unexplained
    ]
    for name in unlawful:
        say(f"not all events are explained after {name}")
    return FAILED if problems or unlawful or names & found.failures.keys() else DONE


def _simulated(found: Found, keep: Callable[[], None]) -> int:
    """Simulate what needs no hosts; the exit status."""
    # What fails, or is ended, is said in a sentence, not in a log.
    logging.basicConfig(handlers=[logging.NullHandler()])
    for one in simulated(SCENARIOS, checked_out(ROOT), say):
        found.simulated[one.name] = one
        keep()
    return FAILED if any(one.unexplained for one in found.simulated.values()) else DONE


def _edges() -> Edges:
    if os.geteuid() != 0:
        raise LabError("The lab's hosts are reached as root: run this as root.")
    return Edges.of(Hosts(listed(INVENTORY)))


def _parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.scaling", description=__doc__)
    add = parser.add_argument
    usual = " ".join(str(one) for one in USUAL)
    add(
        "--only",
        type=_configuration,
        nargs="+",
        metavar="2x4",
        help=f"TaskManagers x parallelism, instead of {usual}",
    )
    add("--events", type=whole, default=EVENTS, metavar="N", help="for each TaskManager")
    add("--cores", type=_cores, default=CORES, help="that each TaskManager's host may have")
    add("--simulate", action="store_true", help="what needs no lab: the embedded job")
    add("--put-back", action="store_true", help="what a run that was killed has left")
    add("--again", action="store_true", help="write the page of what is known, measure nothing")
    add("--into", type=Path, default=DOCS, help="folder of what is written")
    chosen = parser.parse_args(arguments)
    if chosen.simulate + chosen.put_back + chosen.again > 1:
        parser.error("simulate, put-back and again are one at a time.")
    return chosen


def _configuration(text: str) -> Configuration:
    try:
        return Configuration.parse(text)
    except ConfigurationError as problem:
        raise argparse.ArgumentTypeError(str(problem)) from problem


def _cores(text: str) -> float:
    try:
        cores = float(text)
    except ValueError:
        cores = 0.0
    if not FEWEST_CORES <= cores <= MOST_CORES:
        raise argparse.ArgumentTypeError(
            f"must be a number of cores from {FEWEST_CORES:g} on, such as 0.4, not {text}"
        )
    return cores


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line.

    Returns:
        The exit status: 0 done, 1 a part failed, something was not put back or an event is
        unexplained, 2 nothing was done.
    """
    chosen = _parsed(arguments)
    into = chosen.into.absolute()
    file = into / "scaling.json"
    end_as_by_keyboard(signal.SIGTERM, signal.SIGHUP)
    try:
        found = Found.read(file)
        if chosen.put_back:
            return FAILED if _edges().put_back() else DONE
        status = DONE
        if chosen.simulate:
            status = _simulated(found, lambda: found.write(file))
        elif not chosen.again:
            status = _measured(chosen, found, lambda: found.write(file))
        say(str(written(found, into)))
    except (FoundError, HistoryError, InventoryError, HostsError, *FAILURES) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    except (JobFailedError, JavaError, OutputError) as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED
    except KeyboardInterrupt:
        say(f"Ended before its time; what was measured is in {file}.")
        return INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
