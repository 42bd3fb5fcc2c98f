"""How much of the processors a lab host may have: a quota of its control group, and none again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from loadtest.benchmark.cgroups import GROUP, Groups

PERIOD_US = 100_000
FREE = {"cpu.max": f"max {PERIOD_US}", "cpu.cfs_quota_us": "-1"}


@dataclass(frozen=True, slots=True)
class Pins:
    """The quotas of the lab's hosts.

    Attributes:
        groups: The control groups of this machine.
    """

    groups: Groups

    def held(self, host: str) -> float | None:
        """How many cores a host may have; None for as many as there are.

        Raises:
            OSError: It does not run.
        """
        file = self._file(host)
        quota = file.read_text(encoding="ascii").split()[0]
        if quota in {"max", "-1"}:
            return None
        if self.groups.unified:
            period = file.read_text(encoding="ascii").split()[1]
        else:
            period = file.with_name("cpu.cfs_period_us").read_text(encoding="ascii")
        return int(quota) / int(period)

    def hold(self, host: str, cores: float) -> None:
        """Let a host have so many cores at most.

        Raises:
            OSError: It does not run.
        """
        file, quota = self._file(host), round(cores * PERIOD_US)
        if self.groups.unified:
            file.write_text(f"{quota} {PERIOD_US}", encoding="ascii")
            return
        file.with_name("cpu.cfs_period_us").write_text(str(PERIOD_US), encoding="ascii")
        file.write_text(str(quota), encoding="ascii")

    def free(self, host: str) -> None:
        """Let a host have what there is.

        Raises:
            OSError: It does not run.
        """
        file = self._file(host)
        file.write_text(FREE[file.name], encoding="ascii")

    def _file(self, host: str) -> Path:
        if self.groups.unified:
            return self.groups.root / GROUP / host / "cpu.max"
        return self.groups.root / "cpu" / GROUP / host / "cpu.cfs_quota_us"
