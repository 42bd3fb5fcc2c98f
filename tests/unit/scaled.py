"""A lab whose TaskManagers can be stopped, started and held, in no time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from flink_job.cluster import ClusterError
from loadtest.benchmark.cgroups import GROUP, Groups
from loadtest.benchmark.hosts import Hosts, PlaybookError, Playbooks
from loadtest.benchmark.lab import Lab, LabError
from loadtest.scaling.fleet import THIRD, Fleet
from loadtest.scaling.pins import Pins
from tests.unit.benched import FakeLab, Going
from tests.unit.test_benchmark_cgroups import put

SHARED = {"ansible_user": "root", "ansible_ssh_private_key_file": "/key"}
LISTED: dict[str, Any] = {
    "_meta": {
        "hostvars": {
            "flink-jm": {"ansible_host": "10.77.0.21"},
            "flink-tm1": {"ansible_host": "10.77.0.22", **SHARED},
            "flink-tm2": {"ansible_host": "10.77.0.23", **SHARED},
            "monitor1": {},
            "load1": {},
        }
    },
    "flink_jobmanager": {"hosts": ["flink-jm"]},
    "flink_taskmanager": {"hosts": ["flink-tm1", "flink-tm2"]},
    "monitoring": {"hosts": ["monitor1"]},
    "loadtest": {"hosts": ["load1"]},
}
BY_ADDRESS = {"10.77.0.22": "flink-tm1", "10.77.0.23": "flink-tm2", "10.77.0.24": THIRD}
OWN = {"flink-tm1", "flink-tm2"}


def quota(root: Path, host: str) -> Path:
    return root / "cpu" / GROUP / host / "cpu.cfs_quota_us"


def boot(root: Path, host: str) -> None:
    """A host's control groups, as those of version 1 are."""
    put(quota(root, host), "-1\n")
    put(quota(root, host).with_name("cpu.cfs_period_us"), "100000\n")
    put(root / "cpuacct" / GROUP / host / "cpuacct.usage", "0\n")


@dataclass
class Scaled(FakeLab):
    """A lab, with all that is done to it in `done`.

    Attributes:
        root: Of its control groups.
        known: TaskManagers that Flink knows.
        done: What was done, in a word or two.
        silent: Flink does not answer.
        stuck: TaskManagers do not start.
        broken: Playbooks beside the measurement fail.
        why: Why it cannot be measured.
    """

    root: Path = Path()
    known: set[str] = field(default_factory=lambda: set(OWN))
    done: list[str] = field(default_factory=list)
    silent: bool = False
    stuck: bool = False
    broken: bool = False
    parallelism: int = 2
    why: str | None = None
    flink: str = "http://flink"

    def __post_init__(self) -> None:
        super().__post_init__()
        for host in OWN:
            boot(self.root, host)

    @property
    def groups(self) -> Groups:
        return Groups(self.root)

    @property
    def playbooks(self) -> Scaled:
        return self

    def refusal(self) -> str | None:
        return self.why

    def running_job(self) -> str | None:
        if self.silent:
            raise ClusterError("Flink does not answer.")
        return "job" if self.counting else None

    def start(self, name: str, **settings: object) -> Going:
        assert name == "job"
        self.parallelism = cast("int", settings["ctr_job_parallelism"])
        self.done.append(f"parallelism {self.parallelism}")
        # Half a core of each, at four microseconds an event.
        self.counts = 100_000.0 * len(self.known)
        return self.deploying()

    def stop_job(self) -> str:
        if not self.counting:
            raise LabError("The job does not run, so that it cannot be stopped.")
        self.done.append("stop job")
        return super().stop_job()

    def deploy(self) -> None:
        self.done.append("deploy")
        super().deploy()
        self.parallelism = 2

    def run(self, name: str, within_s: float, **settings: object) -> str:
        assert within_s > 60
        state = str(settings.get("third_state", "present"))
        self.done.append(f"{name} {state}")
        assert settings["third_name"] == THIRD
        if self.broken:
            raise PlaybookError("third.yml: there is no room.")
        if state == "present":
            boot(self.root, THIRD)
            self.known.add(THIRD)
        else:
            for file in (self.root / "cpu", self.root / "cpuacct"):
                for one in (file / GROUP / THIRD).iterdir():
                    one.unlink()
        return ""

    def execute(self, command: Sequence[str]) -> None:
        host = BY_ADDRESS[command[-4].removeprefix("root@")]
        verb, unit = command[-2:]
        assert unit == "flink-taskmanager"
        self.done.append(f"{verb} {host}")
        if verb == "stop":
            self.known.discard(host)
        elif not self.stuck:
            self.known.add(host)

    def asking(self, url: str) -> Any:  # noqa: ANN401
        if url.endswith("/vertices/v1/taskmanagers"):
            return {"taskmanagers": [{"taskmanager-id": one} for one in sorted(self.known)]}
        if "/jobs/" in url:
            return {"vertices": [{"id": "v1"}]}
        return {"taskmanagers": [{"id": one} for one in self.known]}

    def fleet(self, asking: Callable[..., Any] | None = None) -> Fleet:
        return Fleet(
            Hosts(LISTED),
            self.flink,
            cast("Playbooks", self),
            self.execute,
            asking or self.asking,
            self.time.clock(),
        )

    @property
    def pins(self) -> Pins:
        return Pins(self.groups)

    @property
    def lab(self) -> Lab:
        return cast("Lab", self)

    def held(self) -> dict[str, float | None]:
        return {host: self.pins.held(host) for host in sorted(OWN)}

    @property
    def as_before(self) -> bool:
        """Whether all is as the inventory has it."""
        return (
            self.known == OWN
            and set(self.held().values()) == {None}
            and self.groups.missing([THIRD]) == [THIRD]
            and self.counting
            and self.parallelism == 2
        )
