"""`python -m loadtest.machine`: whether hosts can be made on this machine, or why not."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

MEMORY_GB = 10
# Bits of a process's effective capabilities: network interfaces, mounts and namespaces.
CAP_NET_ADMIN, CAP_SYS_ADMIN = 1 << 12, 1 << 21
NEEDED = CAP_NET_ADMIN | CAP_SYS_ADMIN


@dataclass(frozen=True, slots=True)
class Machine:
    """What matters of a machine for making hosts on it.

    Attributes:
        linux: It runs Linux.
        root: This process may make network interfaces, mounts and namespaces.
        nspawn: systemd-nspawn is there, or Debian's packages are to be had.
        memory_gb: Memory that is available.
    """

    linux: bool
    root: bool
    nspawn: bool
    memory_gb: float

    @classmethod
    def this(cls) -> Machine:
        """This machine."""
        memory = _first(Path("/proc/meminfo"), r"MemAvailable:\s+(\d+) kB")
        capabilities = _first(Path("/proc/self/status"), r"CapEff:\s+([0-9a-f]+)")
        return cls(
            linux=sys.platform == "linux",
            root=int(capabilities, 16) & NEEDED == NEEDED,
            nspawn=any(shutil.which(tool) for tool in ("systemd-nspawn", "apt-get")),
            memory_gb=int(memory) / 2**20,
        )

    def no_hosts_because(self) -> str | None:
        """Why hosts cannot be made here, in a sentence; None where they can."""
        if not self.linux:
            return "Hosts cannot be made here: systemd-nspawn needs Linux."
        if not self.root:
            return (
                "Hosts cannot be made here: that needs root with all its capabilities, which this "
                "process has not."
            )
        if not self.nspawn:
            return (
                "Hosts cannot be made here: there is no systemd-nspawn, and no apt-get to get it."
            )
        if self.memory_gb < MEMORY_GB:
            return (
                f"Hosts cannot be made here: they need {MEMORY_GB} GB of memory, and "
                f"{self.memory_gb:.1f} GB are available."
            )
        return None


def _first(path: Path, pattern: str) -> str:
    """What a pattern finds in a file; 0 where there is no such file or text."""
    if not path.exists():
        return "0"
    found = re.search(pattern, path.read_text(encoding="ascii"))
    return found[1] if found else "0"


def main() -> int:
    """Print why hosts cannot be made; 0 where they can."""
    why = Machine.this().no_hosts_because()
    if why is not None:
        sys.stdout.write(f"{why}\n")
    return 0 if why is None else 1


if __name__ == "__main__":
    sys.exit(main())
