"""Processor time and memory of the lab's hosts and of the units in them, by their control groups.

A host is a control group of this machine, and a systemd unit in it is one below. With version 2
each of them counts its time. With version 1 the hosts do; their units only where systemd was asked
for it, and otherwise the unit's processes are asked, whose time the kernel knows to a hundredth of
a second.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

GROUP = "ctr-lab"
SERVICE = ".service"
NS, US = 1e9, 1e6
# Places in /proc/PID/stat behind the name, which is in brackets and may hold anything: user and
# system time, of the process and of its children that have ended.
TIMES = slice(11, 15)
STAT = "cpu.stat"
# Of /proc/stat: user, nice, system, irq and softirq work; guests are in user already.
WORK, STEAL = (0, 1, 2, 5, 6), 7


@dataclass(frozen=True, slots=True)
class Used:
    """Processor seconds since some beginning, all counters.

    Attributes:
        hosts: By host.
        units: By host and unit.
        machine: Of the whole machine, the lab in it.
        stolen: Seconds that the machine's own host has given to others.
    """

    hosts: Mapping[str, float]
    units: Mapping[tuple[str, str], float]
    machine: float
    stolen: float


@dataclass(frozen=True, slots=True)
class Groups:
    """The control groups of this machine.

    Attributes:
        root: Where they are mounted.
        processes: Where the kernel tells of processes.
        tick: Ticks of its clock in a second.
    """

    root: Path = Path("/sys/fs/cgroup")
    processes: Path = Path("/proc")
    tick: int = field(default_factory=lambda: os.sysconf("SC_CLK_TCK"))

    @property
    def unified(self) -> bool:
        """Whether they are of version 2."""
        return (self.root / "cgroup.controllers").exists()

    def missing(self, hosts: Sequence[str]) -> list[str]:
        """Those of the hosts that do not run on this machine."""
        return [
            host for host in hosts if not self._cpu_file(self._folder("cpuacct", host)).exists()
        ]

    def used(self, hosts: Sequence[str]) -> Used:
        """Processor time, now.

        Raises:
            OSError: A host does not run.
        """
        machine, stolen = self._machine()
        return Used(
            {host: self._cpu(self._folder("cpuacct", host)) for host in hosts},
            {(host, unit): used for host in hosts for unit, used in self._units(host).items()},
            machine,
            stolen,
        )

    def memory(self, hosts: Sequence[str]) -> dict[tuple[str, str], int]:
        """Bytes by host and unit that are no copy of a file, so that they must be there."""
        name = "anon" if self.unified else "total_rss"
        found = {}
        for host in hosts:
            for unit, folder in _services(self._folder("memory", host)):
                told = _told(folder / "memory.stat")
                if name in told:
                    found[host, unit] = int(told[name])
        return found

    def _folder(self, controller: str, host: str) -> Path:
        return (self.root if self.unified else self.root / controller) / GROUP / host

    def _cpu_file(self, folder: Path) -> Path:
        return folder / (STAT if self.unified else "cpuacct.usage")

    def _cpu(self, folder: Path) -> float:
        text = self._cpu_file(folder).read_text(encoding="ascii")
        if self.unified:
            return int(_pairs(text)["usage_usec"]) / US
        return int(text) / NS

    def _units(self, host: str) -> dict[str, float]:
        counted = dict(_services(self._folder("cpuacct", host)))
        if self.unified or counted:
            return {unit: used for unit, folder in counted.items() if (used := self._gone(folder))}
        return {
            unit: sum(self._process(pid) for pid in _processes(folder)) / self.tick
            for unit, folder in _services(self._folder("systemd", host))
        }

    def _gone(self, folder: Path) -> float | None:
        """Time of a unit; None where it ended a moment ago."""
        try:
            return self._cpu(folder)
        except OSError:
            return None

    def _process(self, pid: str) -> int:
        """Ticks of a process and of its children that have ended; 0 where it has ended itself."""
        try:
            text = (self.processes / pid / "stat").read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return sum(int(one) for one in text.rpartition(")")[2].split()[TIMES])

    def _machine(self) -> tuple[float, float]:
        first = (self.processes / "stat").read_text(encoding="ascii").splitlines()[0]
        ticks = [int(one) for one in first.split()[1:]]
        return sum(ticks[place] for place in WORK) / self.tick, ticks[STEAL] / self.tick


def component(unit: str) -> str:
    """What a unit is a part of: the workers of one host, or those of several, are one component."""
    return re.sub(r"(@.*|-\d+)?$", "", unit.removesuffix(SERVICE), count=1)


def _services(folder: Path) -> Iterator[tuple[str, Path]]:
    """The services below a group, by name; what a service has below itself is its own."""
    for path, names, _ in os.walk(folder):
        for name in sorted(names):
            if name.endswith(SERVICE):
                yield name, Path(path, name)
        names[:] = [name for name in names if not name.endswith(SERVICE)]


def _processes(folder: Path) -> Iterator[str]:
    for path, _, files in os.walk(folder):
        if "cgroup.procs" in files:
            yield from _text(Path(path, "cgroup.procs")).split()


def _told(file: Path) -> dict[str, str]:
    return _pairs(_text(file))


def _text(file: Path) -> str:
    """What a unit's file holds; nothing where the unit ended a moment ago."""
    try:
        return file.read_text(encoding="ascii")
    except OSError:
        return ""


def _pairs(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines())
