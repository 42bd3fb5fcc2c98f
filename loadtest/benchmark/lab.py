"""The lab as a benchmark uses it: every edge to what is measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

from flink_job.cluster import Cluster, ClusterError
from flink_job.rollout import NAME
from loadtest.benchmark.ask import NoAnswerError, ask
from loadtest.benchmark.cgroups import Groups, Used
from loadtest.benchmark.flink import Checkpoint, checkpoints_of
from loadtest.benchmark.hosts import Hosts, PlaybookError, Playbooks
from loadtest.benchmark.prometheus import Prometheus
from loadtest.benchmark.result import Law
from loadtest.benchmark.watch import RELEASE, Watching
from loadtest.swarm import ENDED, Master, SwarmError

LOAD_WITHIN_S, RECONCILE_WITHIN_S, DEPLOY_WITHIN_S, STOP_WITHIN_S = 120, 90, 300.0, 120.0
# What Ansible needs beside what it was asked for.
ANSIBLE_S = 90.0
# The load that figures are of; what is not named here is as ansible/load.yml has it.
LOAD = {
    "load_products": 1_000,
    "load_bad": 0.02,
    "load_disorder": 0.1,
    "load_late": 0.005,
    "load_shape": "constant",
}


class LabError(Exception):
    """The lab cannot be measured, or does not do what it was asked for; a sentence for the user."""


class Deploying(Protocol):
    """A deployment that was started."""

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""

    def ended(self, within_s: float) -> str:
        """Wait for its end; raises PlaybookError where it failed."""


def law_of(printed: str) -> Law | None:
    """The last conservation line in what a playbook printed; None where there is none."""
    found = re.findall(r"conservation: [^\"'\n\\]*unexplained (?:-?\d+)", printed)
    return Law(found[-1], int(found[-1].rsplit(" ", 1)[1])) if found else None


def acknowledged_of(printed: str) -> int | None:
    """How many events Kafka has acknowledged, by what load.yml printed."""
    found = re.findall(r"([\d,]+) events acknowledged by Kafka", printed)
    return int(found[-1].replace(",", "")) if found else None


@dataclass(frozen=True, slots=True)
class Lab:
    """The installed lab.

    Attributes:
        hosts: Its inventory.
        playbooks: Runs the project's.
        groups: The control groups of this machine.
        prometheus: Its Prometheus.
        master: Its locust master.
        cluster: Its Flink, as deployments know it.
        flink: The address of Flink's REST interface.
    """

    hosts: Hosts
    playbooks: Playbooks
    groups: Groups
    prometheus: Prometheus
    master: Master
    cluster: Cluster
    flink: str

    @classmethod
    def of(cls, hosts: Hosts, playbooks: Playbooks) -> Lab:
        """The lab of an inventory."""
        flink = hosts.url("flink_jobmanager", "flink_rest_port", 8081)
        return cls(
            hosts,
            playbooks,
            Groups(),
            Prometheus(hosts.url("monitoring", "prometheus_port", 9090)),
            Master(hosts.url("loadtest", "locust_web_port", 8089)),
            Cluster(flink.removeprefix("http://")),
            flink,
        )

    def refusal(self) -> str | None:
        """Why it cannot be measured now, in a sentence; None where it can."""
        if missing := self.groups.missing(self.hosts.names):
            return (
                f"The lab does not run on this machine ({', '.join(missing)} missing): run make "
                "lab and make site first."
            )
        try:
            going = self.master.progress().state not in ENDED
            job = self.running_job()
        except (SwarmError, ClusterError, LabError) as problem:
            said = str(problem).rstrip(".")
            return (
                f"The lab is not installed, or not well: {said}. Run make site, then make status."
            )
        if going:
            return (
                "A load is going on, and its events would be measured too: wait for its end, or "
                "stop it by ansible/load.yml -e load_state=stopped."
            )
        return None if job else "The job does not run on the lab: run make site, then make status."

    def running_job(self) -> str | None:
        """The id of the job; None where there is none that runs.

        Raises:
            ClusterError: Flink does not answer.
        """
        running = [job.id for job in self.cluster.live_jobs(NAME) if job.state == "RUNNING"]
        return running[0] if len(running) == 1 else None

    def deploy(self) -> None:
        """Bring the job to what this checkout has, which is nothing where it runs already.

        Raises:
            PlaybookError: It does not run.
        """
        self.playbooks.run("job", DEPLOY_WITHIN_S)

    def deploying(self) -> Deploying:
        """The same, without waiting for its end."""
        return self.playbooks.start("job")

    def stop_job(self) -> str:
        """Stop the job with a savepoint, which the next deployment finds; where that is.

        Raises:
            LabError: It goes on, or it is not known whether it does.
        """
        try:
            job = self.running_job()
            if job is None:
                raise LabError("The job does not run, so that it cannot be stopped.")
            return self.cluster.stop(job, uuid4().hex, STOP_WITHIN_S)
        except ClusterError as problem:
            raise LabError(str(problem)) from problem

    def dispose(self, savepoint: str) -> None:
        """Delete a savepoint, once the job has checkpoints of its own behind it.

        Raises:
            LabError: It may be there still.
        """
        try:
            self.cluster.dispose(savepoint, STOP_WITHIN_S)
        except ClusterError as problem:
            raise LabError(f"The savepoint {savepoint} is still there: {problem}") from problem

    def start_load(self, rate: int, seconds: int, **otherwise: object) -> None:
        """Start a load.

        Args:
            rate: Events a second.
            seconds: For how long.
            otherwise: Variables of ansible/load.yml that are not as in `LOAD`.

        Raises:
            PlaybookError: It does not start.
        """
        settings = {**LOAD, **otherwise}
        self.playbooks.run("load", LOAD_WITHIN_S, load_rate=rate, load_duration=seconds, **settings)

    def load_ended(self, seconds: int) -> int:
        """Wait for the end of the load; how many events Kafka has acknowledged.

        Args:
            seconds: That it was to last.

        Raises:
            PlaybookError: It was fewer than were to be sent, or it did not end.
        """
        # Twice as long, and two minutes, is what the load itself gives a machine that is behind.
        within = 2 * seconds + 120 + ANSIBLE_S
        printed = self.playbooks.run("load", within, load_state="awaited", load_duration=seconds)
        found = acknowledged_of(printed)
        if found is None:
            raise PlaybookError("The load has not said how many events were acknowledged.")
        return found

    def stop_load(self) -> None:
        """Stop what load there is."""
        self.playbooks.run("load", LOAD_WITHIN_S + ANSIBLE_S, load_state="stopped")

    def law(self) -> Law:
        """Check conservation, once what is under way has arrived.

        Raises:
            PlaybookError: It could not be checked.
        """
        going = self.playbooks.start("reconcile", reconcile_within=RECONCILE_WITHIN_S)
        try:
            # What does not add up is read from Kafka, which takes as long as it takes.
            printed = going.ended(2 * RECONCILE_WITHIN_S + ANSIBLE_S)
        except PlaybookError:
            broken = law_of(going.log.read_text(encoding="utf-8", errors="replace"))
            if broken is None:
                raise
            return broken
        law = law_of(printed)
        if law is None:
            raise PlaybookError(f"reconcile.yml has said nothing of conservation; see {going.log}.")
        return law

    def used(self) -> Used:
        """Processor time of hosts and units so far."""
        return self.groups.used(self.hosts.names)

    def memory(self) -> Mapping[tuple[str, str], int]:
        """Memory of units, in bytes."""
        return self.groups.memory(self.hosts.names)

    def checkpoints(self) -> dict[int, Checkpoint]:
        """The last checkpoints of the job.

        Raises:
            NoAnswerError: Flink does not answer.
        """
        try:
            job = self.running_job()
        except ClusterError as problem:
            raise NoAnswerError(str(problem)) from problem
        return {} if job is None else checkpoints_of(ask(f"{self.flink}/jobs/{job}/checkpoints"))

    def watching(self, seconds: float, every_s: float, *, sends: bool) -> Watching:
        """A witness on the monitoring host."""
        command = self.hosts.command(
            self.hosts.first("monitoring"),
            f"cd {RELEASE} && exec env PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -W ignore -",
        )
        return Watching(command, seconds, every_s, sends)

    def versions(self) -> dict[str, str | None]:
        """Of what can be asked."""
        return {
            "Flink": str(ask(f"{self.flink}/config")["flink-version"]),
            "Prometheus": str(
                ask(f"{self.prometheus.url}/api/v1/status/buildinfo")["data"]["version"]
            ),
        }
