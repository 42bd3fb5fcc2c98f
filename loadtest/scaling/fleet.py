"""The TaskManagers of the lab: which of them run, and one more than its inventory has."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flink_job.loader.service import Clock
from loadtest.benchmark.ask import NoAnswerError, ask
from loadtest.benchmark.hosts import Hosts, Playbooks
from loadtest.benchmark.lab import LabError

UNIT = "flink-taskmanager"
# What a host is called, and has for an address, that is in no inventory.
THIRD, ADDRESS = "flink-tm3", "10.77.0.24"
COMMAND_WITHIN_S, KNOWN_WITHIN_S, THIRD_WITHIN_S = 120.0, 90.0, 420.0
LOOK_EVERY_S = 1.0
SLOTS = 2


class FleetError(LabError):
    """TaskManagers are not as they should be; the text is a sentence for the user."""


def executed(command: Sequence[str]) -> None:
    """Run a command to its end.

    Raises:
        FleetError: It failed, or did not end in time.
    """
    try:
        ended = subprocess.run(  # noqa: S603 - a list of words
            command, capture_output=True, text=True, check=False, timeout=COMMAND_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise FleetError(f"`{' '.join(command)}` cannot be run: {problem}.") from problem
    if ended.returncode:
        raise FleetError(f"`{' '.join(command)}` failed: {ended.stderr.strip()}")


def joined(hosts: Hosts, name: str = THIRD, address: str = ADDRESS) -> Hosts:
    """An inventory and one TaskManager more, which is reached as the first one is."""
    like = hosts.first("flink_taskmanager")
    variables = hosts.listed["_meta"]["hostvars"]
    group = hosts.listed["flink_taskmanager"]
    return Hosts(
        {
            **hosts.listed,
            "_meta": {
                "hostvars": {**variables, name: {**variables[like], "ansible_host": address}}
            },
            "flink_taskmanager": {**group, "hosts": [*group.get("hosts", ()), name]},
        }
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """The TaskManagers.

    Attributes:
        hosts: The inventory.
        flink: The address of Flink's REST interface.
        playbooks: Runs those beside this module.
        execute: Runs a command.
        asking: Asks Flink.
        clock: Time.
    """

    hosts: Hosts
    flink: str
    playbooks: Playbooks
    execute: Callable[[Sequence[str]], None] = executed
    asking: Callable[..., Any] = ask
    clock: Clock = field(default_factory=Clock)

    @property
    def own(self) -> list[str]:
        """Those of the inventory."""
        return self.hosts.members("flink_taskmanager")

    @property
    def slots(self) -> int:
        """Slots of each."""
        about = self.hosts.listed["_meta"]["hostvars"][self.hosts.first("flink_taskmanager")]
        return int(about.get("flink_slots", SLOTS))

    @property
    def most(self) -> int:
        """How many there can be."""
        return len(self.own) + 1

    def names(self, count: int) -> list[str]:
        """The first ones."""
        return [*self.own, THIRD][:count]

    def with_third(self) -> Hosts:
        """The inventory with one more."""
        return joined(self.hosts)

    def known(self) -> set[str]:
        """Those that Flink knows.

        Raises:
            NoAnswerError: It does not answer.
        """
        return {one["id"] for one in self.asking(f"{self.flink}/taskmanagers")["taskmanagers"]}

    def make_third(self) -> None:
        """Make the host that no inventory has, and its TaskManager.

        Raises:
            PlaybookError: It does not run.
        """
        self.playbooks.run("third", THIRD_WITHIN_S, third_name=THIRD, third_address=ADDRESS)

    def remove_third(self) -> None:
        """Remove it; nothing happens where it is not.

        Raises:
            PlaybookError: It may be there still.
        """
        self.playbooks.run(
            "third", THIRD_WITHIN_S, third_name=THIRD, third_address=ADDRESS, third_state="absent"
        )

    def only(self, wanted: Sequence[str], there: Sequence[str]) -> None:
        """Start these, all of them cold, and none but these; the job is stopped meanwhile.

        Args:
            wanted: Hosts whose TaskManager is to run.
            there: All hosts that have one.

        Raises:
            FleetError: They do not run, or others do.
        """
        for host in there:
            self._systemctl("stop", host)
        self._wait_for(set())
        for host in wanted:
            self._systemctl("start", host)
        self._wait_for(set(wanted))

    def runs_on(self, job: str) -> list[str]:
        """The hosts that a job's tasks run on.

        Raises:
            NoAnswerError: Flink does not answer.
        """
        found: set[str] = set()
        for vertex in self.asking(f"{self.flink}/jobs/{job}")["vertices"]:
            answer = self.asking(f"{self.flink}/jobs/{job}/vertices/{vertex['id']}/taskmanagers")
            found.update(one["taskmanager-id"] for one in answer["taskmanagers"])
        return sorted(found)

    def _systemctl(self, verb: str, host: str) -> None:
        self.execute(self.with_third().command(host, "systemctl", verb, UNIT))

    def _wait_for(self, wanted: set[str]) -> None:
        deadline = self.clock.monotonic() + KNOWN_WITHIN_S
        while True:
            try:
                known = self.known()
                said = f"it knows {', '.join(sorted(known)) or 'none'}"
            except NoAnswerError as problem:
                known, said = None, str(problem).rstrip(".")
            if known == wanted:
                return
            if self.clock.monotonic() > deadline:
                meant = ", ".join(sorted(wanted)) or "none"
                raise FleetError(
                    f"Flink should know the TaskManagers of {meant} within {KNOWN_WITHIN_S:.0f} s, "
                    f"and {said}: look at the log of {UNIT} on those hosts."
                )
            self.clock.sleep(LOOK_EVERY_S)
