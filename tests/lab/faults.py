"""What goes wrong on the lab: each fault by its name, and for how long it lasts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.lab.fleet import Lab

AWAY_S = {"clickhouse": 30, "kafka": 20, "frozen": 15, "store": 60}
# Until rows flow again behind a fault, on a machine that is busy: of most, where a host boots, and
# behind two deployments.
MOST_S, BOOT_S, TWICE_S = 90, 150, 240


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault.

    Attributes:
        name: For a reader.
        inject: Makes it on the lab, and takes it back where it does not end by itself; gives the
            host or the setting that it hit.
        lasts_s: For how long it needs load.
    """

    name: str
    inject: Callable[[Lab, random.Random], str]
    lasts_s: int = MOST_S


def kill_taskmanager(lab: Lab, _: random.Random) -> str:
    """Kill the TaskManager that runs the job."""
    return _kill(lab, lab.busy_taskmanager(), "flink-taskmanager")


def kill_jobmanager(lab: Lab, _: random.Random) -> str:
    """Kill the JobManager."""
    return _kill(lab, "flink-jm", "flink-jobmanager")


def kill_broker(lab: Lab, chance: random.Random) -> str:
    """Kill one of the brokers."""
    return _kill(lab, chance.choice(lab.members("kafka")), "kafka")


def kill_loader(lab: Lab, _: random.Random) -> str:
    """Kill the loader."""
    return _kill(lab, "clickhouse1", "ctr-loader")


def clickhouse_away(lab: Lab, _: random.Random) -> str:
    """Stop ClickHouse for half a minute."""
    try:
        lab.on("clickhouse1", "systemctl stop clickhouse-server")
        time.sleep(AWAY_S["clickhouse"])
    finally:
        lab.on("clickhouse1", "systemctl start clickhouse-server")
    return "clickhouse1"


def store_away(lab: Lab, _: random.Random) -> str:
    """Stop the object store for a minute, which must cost checkpoints and no restart."""
    before = lab.last_failure()
    try:
        lab.on("store1", "systemctl stop object-store")
        time.sleep(AWAY_S["store"])
        after = lab.last_failure()
    finally:
        lab.on("store1", "systemctl start object-store")
    assert after == before, "the job failed without its store"
    return "store1"


def taskmanager_host_lost(lab: Lab, _: random.Random) -> str:
    """Cut the power of the TaskManager that runs the job, and give it back."""
    host = lab.busy_taskmanager()
    try:
        lab.power_off(host)
    finally:
        lab.power_on(host)
    return host


def jobmanager_host_lost(lab: Lab, _: random.Random) -> str:
    """Cut the power of the JobManager, and of the ZooKeeper on its host, and give it back."""
    try:
        lab.power_off("flink-jm")
    finally:
        lab.power_on("flink-jm")
    return "flink-jm"


def taskmanager_without_kafka(lab: Lab, _: random.Random) -> str:
    """Let nothing pass between the TaskManager that runs the job and the brokers."""
    host = lab.busy_taskmanager()
    brokers = [lab.address(broker) for broker in lab.members("kafka")]
    try:
        lab.on(host, " && ".join(f"ip route add blackhole {address}" for address in brokers))
        time.sleep(AWAY_S["kafka"])
    finally:
        lab.on(host, "; ".join(f"ip route del blackhole {address}" for address in brokers))
    return host


def frozen_taskmanager(lab: Lab, _: random.Random) -> str:
    """Let the whole host of the TaskManager that runs the job stand still."""
    host = lab.busy_taskmanager()
    try:
        lab.freeze(host)
        time.sleep(AWAY_S["frozen"])
    finally:
        lab.thaw(host)
    return host


def new_version(lab: Lab, chance: random.Random) -> str:
    """Deploy another version of the job, with its state."""
    latency = f"{chance.randrange(250, 350)} ms"
    lab.playbook("job", "-e", f'{{"ctr_job_latency": "{latency}"}}')
    return f"latency {latency}"


def rolled_back(lab: Lab, chance: random.Random) -> str:
    """Deploy another version of the job, and go back to the one before."""
    tried = new_version(lab, chance)
    lab.playbook("job", "-e", "ctr_job_rollback=true")
    return f"from {tried}"


def rescaled(lab: Lab, _: random.Random) -> str:
    """Give the job the other number of slots: 2 where it has 4, else 4."""
    parallelism = 4 if lab.parallelism() == 2 else 2
    lab.playbook("job", "-e", f"ctr_job_parallelism={parallelism}")
    return f"parallelism {parallelism}"


FAULTS: Sequence[Fault] = (
    Fault("TaskManager killed", kill_taskmanager),
    Fault("JobManager killed", kill_jobmanager),
    Fault("broker killed", kill_broker),
    Fault("loader killed", kill_loader),
    Fault(f"ClickHouse away for {AWAY_S['clickhouse']} s", clickhouse_away),
    Fault(f"TaskManager without Kafka for {AWAY_S['kafka']} s", taskmanager_without_kafka),
    Fault(f"TaskManager's host frozen for {AWAY_S['frozen']} s", frozen_taskmanager),
    Fault(f"store away for {AWAY_S['store']} s", store_away),
    Fault("TaskManager's host without power", taskmanager_host_lost, BOOT_S),
    Fault("JobManager's host without power", jobmanager_host_lost, BOOT_S),
    Fault("new version deployed", new_version),
    Fault("version deployed and rolled back", rolled_back, TWICE_S),
    Fault("parallelism changed", rescaled),
)


def sequence(seed: int) -> Iterator[Fault]:
    """Faults without end, every one of them in each round; the same ones for the same seed."""
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    while True:
        yield from chance.sample(FAULTS, len(FAULTS))


def _kill(lab: Lab, host: str, unit: str) -> str:
    lab.on(host, f"systemctl kill --signal=KILL {unit}")
    return host
