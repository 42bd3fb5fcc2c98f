"""The lab in one configuration, as a drain sees it, and the lab as it was before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from flink_job.cluster import ClusterError
from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.cgroups import Used
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.lab import DEPLOY_WITHIN_S, Deploying, Lab, LabError
from loadtest.benchmark.result import Law
from loadtest.benchmark.watch import Watching
from loadtest.scaling.configuration import Configuration
from loadtest.scaling.fleet import THIRD, Fleet
from loadtest.scaling.pins import Pins


@dataclass(frozen=True, slots=True)
class Arranged:
    """A lab that is brought into a configuration while its job is stopped; see `drain.Stoppable`.

    Attributes:
        lab: It.
        fleet: Its TaskManagers.
        pins: Their share of the processors.
        configuration: What is wanted.
        cores: Of each TaskManager's host.
        there: All hosts that have a TaskManager.
    """

    lab: Lab
    fleet: Fleet
    pins: Pins
    configuration: Configuration
    cores: float
    there: Sequence[str]

    def stop_job(self) -> str:
        """Stop the job with a savepoint, and arrange the TaskManagers.

        Raises:
            LabError: One or the other was not done.
        """
        saved = self.lab.stop_job()
        wanted = self.fleet.names(self.configuration.taskmanagers)
        # At what they may have they would start for minutes.
        for host in wanted:
            self.pins.free(host)
        self.fleet.only(wanted, self.there)
        for host in wanted:
            self.pins.hold(host, self.cores)
        return saved

    def deploy(self) -> None:
        """Have the job run at its parallelism.

        Raises:
            PlaybookError: It does not.
        """
        self.deploying().ended(DEPLOY_WITHIN_S)

    def deploying(self) -> Deploying:
        """The same, without waiting for its end."""
        return self.lab.playbooks.start("job", ctr_job_parallelism=self.configuration.parallelism)

    def dispose(self, savepoint: str) -> None:
        """Delete a savepoint."""
        self.lab.dispose(savepoint)

    def start_load(self, rate: int, seconds: int) -> None:
        """Start a load that no partition has more of than others.

        The one with the most popular product would be counted alone in the end, by one slot.
        """
        self.lab.start_load(rate, seconds, load_skew=0)

    def load_ended(self, seconds: int) -> int:
        """Wait for its end."""
        return self.lab.load_ended(seconds)

    def used(self) -> Used:
        """Processor time so far."""
        return self.lab.used()

    def law(self) -> Law:
        """Conservation, checked now."""
        return self.lab.law()

    def watching(self, seconds: float, every_s: float, *, sends: bool) -> Watching:
        """A witness."""
        return self.lab.watching(seconds, every_s, sends=sends)

    def ran_on(self) -> list[str]:
        """The hosts that the job runs on.

        Raises:
            NoAnswerError: Flink does not answer.
        """
        try:
            job = self.lab.running_job()
        except ClusterError as problem:
            raise NoAnswerError(str(problem)) from problem
        return [] if job is None else self.fleet.runs_on(job)


@dataclass(frozen=True, slots=True)
class PutBack:
    """Brings the lab to what its inventory says, whatever has become of it.

    Attributes:
        lab: It.
        fleet: Its TaskManagers.
        pins: Their share of the processors.
        running: Whether a host runs on this machine.
        tell: Told what is done.
    """

    lab: Lab
    fleet: Fleet
    pins: Pins
    running: Callable[[str], bool]
    tell: Callable[[str], None]

    def all_of_it(self) -> list[str]:
        """Put everything back; what could not be, in sentences.

        Each step is tried, whatever the one before came to.
        """
        problems: list[str] = []
        own, third = self.fleet.own, self.running(THIRD)
        there = [*own, *([THIRD] if third else [])]

        def step(name: str, act: Callable[[], object]) -> None:
            self.tell(f"  {name}")
            try:
                act()
            except (LabError, PlaybookError, NoAnswerError, OSError) as problem:
                problems.append(f"{name}: {problem}")

        step("no load goes on", self.lab.stop_load)
        step(f"{', '.join(there)} may have all processors again", lambda: self._free(there))
        saved = self._stopped()
        step(f"the TaskManagers of {', '.join(own)} run", lambda: self.fleet.only(own, there))
        step("the job runs as the inventory says", self.lab.deploy)
        if saved is not None:
            step("its savepoint is removed", lambda: self.lab.dispose(saved))
        if third:
            step(f"{THIRD} is removed", self.fleet.remove_third)
        return problems

    def _free(self, hosts: Sequence[str]) -> None:
        for host in hosts:
            self.pins.free(host)

    def _stopped(self) -> str | None:
        """The savepoint of the job; None where it does not run, and is started from what it has."""
        with suppress(LabError):
            return self.lab.stop_job()
        return None
