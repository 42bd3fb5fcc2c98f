"""The hosts of the lab: where they are, commands on them, and the project's playbooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventories" / "lab"
ANSIBLE = Path(sys.executable).with_name("ansible-playbook")

ONE_LINE_A_RESULT = {
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    "ANSIBLE_CALLBACK_FORMAT_PRETTY": "0",
}


class PlaybookError(Exception):
    """A playbook failed; the text is a sentence for the user, with where its log is."""


class HostsError(Exception):
    """The inventory lacks something; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """An inventory.

    Attributes:
        listed: What `ansible-inventory --list` prints of it.
    """

    listed: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """All hosts."""
        return sorted(self._variables)

    def first(self, group: str) -> str:
        """The first host of a group, as the playbooks choose it.

        Raises:
            HostsError: The group has none.
        """
        members = self.members(group)
        if not members:
            raise HostsError(
                f"The inventory has no host in the group {group}: run make site first."
            )
        return members[0]

    def members(self, group: str) -> list[str]:
        """The hosts of a group, those of the groups in it among them."""
        told = self.listed.get(group, {})
        found = set(told.get("hosts", ()))
        for child in told.get("children", ()):
            found.update(self.members(child))
        return sorted(found)

    def url(self, group: str, variable: str, port: int) -> str:
        """Where the first host of a group listens: the variable sets the port, or it is this."""
        host = self.first(group)
        about = self._variables[host]
        return f"http://{about.get('ansible_host', host)}:{about.get(variable, port)}"

    def command(self, host: str, *words: str) -> list[str]:
        """The command that runs another one on a host."""
        about = self._variables[host]
        ssh = ["ssh", "-o", "BatchMode=yes"]
        if "ansible_ssh_private_key_file" in about:
            ssh += ["-i", str(about["ansible_ssh_private_key_file"])]
        ssh += str(about.get("ansible_ssh_common_args", "")).split()
        user = about.get("ansible_user", "root")
        return [*ssh, f"{user}@{about.get('ansible_host', host)}", *words]

    @property
    def _variables(self) -> Mapping[str, Mapping[str, Any]]:
        variables: Mapping[str, Mapping[str, Any]] = self.listed["_meta"]["hostvars"]
        return variables


def why(printed: str) -> str:
    """What a playbook that failed has to say, in its own words."""
    for line in reversed(re.findall(r"^(?:fatal|failed): .*?=> (\{.*\})$", printed, re.MULTILINE)):
        if message := str(json.loads(line).get("msg", "")).strip():
            return " ".join(message.split())
    lines = [line for line in printed.strip().splitlines() if line.strip()]
    return lines[-1] if lines else "it has said nothing"


@dataclass(slots=True)
class Playbooks:
    """Runs playbooks, each with a log of its own.

    Attributes:
        logs: The folder of the logs.
        inventory: Whose hosts.
        program: What runs them.
        folder: Where the playbooks are.
    """

    logs: Path
    inventory: Path = INVENTORY
    program: Path = ANSIBLE
    folder: str = "ansible"
    _runs: int = field(default=0)

    def start(self, name: str, **settings: object) -> Going:
        """Start a playbook of the project."""
        self._runs += 1
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{self._runs:02d}-{name}.log"
        command = [str(self.program), "-i", str(self.inventory), f"{self.folder}/{name}.yml"]
        for setting, value in settings.items():
            command += ["-e", f"{setting}={value}"]
        with log.open("w", encoding="utf-8") as file:
            process = subprocess.Popen(  # noqa: S603 - a list of words
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, **ONE_LINE_A_RESULT},
            )
        return Going(name, process, log)

    def run(self, name: str, within_s: float, **settings: object) -> str:
        """Run a playbook to its end; what it printed.

        Raises:
            PlaybookError: It failed, or did not end in time.
        """
        return self.start(name, **settings).ended(within_s)


@dataclass(frozen=True, slots=True)
class Going:
    """A playbook that was started.

    Attributes:
        name: Of the playbook.
        process: It.
        log: What it prints.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def goes_on(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def ended(self, within_s: float) -> str:
        """Wait for its end; what it printed.

        Raises:
            PlaybookError: It failed, or did not end in time.
        """
        try:
            status = self.process.wait(within_s)
        except subprocess.TimeoutExpired as problem:
            self._end()
            raise PlaybookError(
                f"{self.name}.yml did not end within {within_s:.0f} s; see {self.log}."
            ) from problem
        except KeyboardInterrupt:
            # A signal that is not the terminal's has reached this process alone.
            self._end()
            raise
        printed = self.log.read_text(encoding="utf-8", errors="replace")
        if status:
            said = why(printed).rstrip(".")
            raise PlaybookError(f"{self.name}.yml: {said}. All it said is in {self.log}.")
        return printed

    def _end(self) -> None:
        self.process.terminate()
        self.process.wait()
