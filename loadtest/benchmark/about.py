"""What a run was measured on: the machine, and the versions of what ran on it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class About:
    """The machine.

    Attributes:
        processor: Its model, as it calls itself.
        cores: How many there are.
        memory_gb: In whole GB.
        kernel: Its release.
        system: The distribution.
    """

    processor: str
    cores: int
    memory_gb: int
    kernel: str
    system: str

    @classmethod
    def this(cls) -> About:
        """This machine."""
        return cls.told(
            cpuinfo=Path("/proc/cpuinfo").read_text(encoding="utf-8"),
            meminfo=Path("/proc/meminfo").read_text(encoding="utf-8"),
            release=Path("/etc/os-release").read_text(encoding="utf-8"),
            cores=len(os.sched_getaffinity(0)),
            kernel=platform.release(),
        )

    @classmethod
    def told(cls, *, cpuinfo: str, meminfo: str, release: str, cores: int, kernel: str) -> About:
        """Read what the kernel's files and the distribution's say."""
        return cls(
            processor=_found(r"^model name\s*: (.+)$", cpuinfo) or platform.machine(),
            cores=cores,
            memory_gb=round(int(_found(r"^MemTotal:\s+(\d+)", meminfo) or 0) / 2**20),
            kernel=kernel,
            system=_found(r'^PRETTY_NAME="?([^"\n]+)', release) or "Linux",
        )

    @property
    def kind(self) -> str:
        """Machines of one kind are compared with each other."""
        return f"{self.processor}, {self.cores} cores, {self.memory_gb} GB"


def kafka_of(pom: str) -> str | None:
    """Kafka's version, as the role installs it."""
    version = _found(r"<artifactId>kafka_2\.\d+</artifactId>\s*<version>([^<$]+)</version>", pom)
    return version or _found(r"<kafka\.version>([^<]+)</kafka\.version>", pom)


def locked(lock: str, package: str) -> str | None:
    """The version of a Python package in a lock file."""
    return _found(rf"^{re.escape(package)}==(\S+)", lock)


def known(versions: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are known."""
    return {name: version for name, version in versions.items() if version}


def checked_out(folder: Path) -> str:
    """The commit of a checkout, in short, and whether it has changes."""

    def git(*words: str) -> str:
        ended = subprocess.run(  # noqa: S603 - a list of words
            ["git", *words],  # noqa: S607 - the system's git
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.stdout.strip()

    commit = git("rev-parse", "--short", "HEAD") or "unknown"
    return f"{commit}, with changes" if git("status", "--porcelain", "-uno") else commit


def _found(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else None
