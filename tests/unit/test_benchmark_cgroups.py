"""Processor time and memory are read alike from control groups of either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest.benchmark.cgroups import Groups, component
from loadtest.benchmark.result import NO_UNIT, Cost, memory_of

HOSTS = ["flink-tm1", "kafka1"]
# Of the kernel, with a name that holds what it is read by.
STAT = "{pid} (java) 1 (x) S 1 1 1 0 -1 4 5 6 7 8 {user} {system} {cuser} {csystem} 20 0 9 0\n"


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def processes(folder: Path, **ticks: tuple[int, int, int, int]) -> None:
    put(folder / "stat", "cpu  100 200 300 4000 50 60 70 80 0 0\ncpu0 1 2 3\n")
    for pid, (user, system, cuser, csystem) in ticks.items():
        number = pid.removeprefix("p")
        text = STAT.format(pid=number, user=user, system=system, cuser=cuser, csystem=csystem)
        put(folder / number / "stat", text)


def first(folder: Path) -> Groups:
    """Version 1, where only hosts are accounted for."""
    root = folder / "cgroup"
    for host, used in (("flink-tm1", 3), ("kafka1", 5)):
        put(root / "cpuacct/ctr-lab" / host / "cpuacct.usage", f"{used * 10**9}\n")
        memory = root / "memory/ctr-lab" / host / "system.slice"
        put(memory / "kafka.service/memory.stat", "cache 9\nrss 5\ntotal_rss 1048576\n")
    units = root / "systemd/ctr-lab"
    put(units / "flink-tm1/payload/system.slice/flink-taskmanager.service/cgroup.procs", "11\n12\n")
    put(units / "kafka1/payload/system.slice/kafka.service/cgroup.procs", "13\n")
    put(units / "kafka1/payload/system.slice/kafka.service/below/cgroup.procs", "14\n99\n")
    processes(
        folder / "proc", p11=(50, 50, 0, 0), p12=(1, 2, 3, 4), p13=(10, 0, 0, 0), p14=(5, 5, 0, 0)
    )
    return Groups(root, folder / "proc", tick=100)


def second(folder: Path) -> Groups:
    """Version 2, where every unit counts."""
    root = folder / "cgroup"
    put(root / "cgroup.controllers", "cpu memory\n")
    for host, used in (("flink-tm1", 3), ("kafka1", 5)):
        put(root / "ctr-lab" / host / "cpu.stat", f"usage_usec {used * 10**6}\nuser_usec 1\n")
    slices = {host: root / "ctr-lab" / host / "payload/system.slice" for host in HOSTS}
    put(slices["flink-tm1"] / "flink-taskmanager.service/cpu.stat", "usage_usec 1100000\n")
    put(slices["kafka1"] / "kafka.service/cpu.stat", "usage_usec 200000\n")
    put(slices["kafka1"] / "kafka.service/own.service/cpu.stat", "usage_usec 200000\n")
    (slices["kafka1"] / "gone.service").mkdir()
    for host in HOSTS:
        put(slices[host] / "kafka.service/memory.stat", "anon 1048576\nfile 9\n")
    put(slices["flink-tm1"] / "kafka.service/cpu.stat", "usage_usec 0\n")
    processes(folder / "proc")
    return Groups(root, folder / "proc", tick=100)


@pytest.mark.parametrize("made", [first, second])
def test_hosts_and_units_are_told_in_seconds(made: object, tmp_path: Path) -> None:
    groups = made(tmp_path)  # type: ignore[operator]
    used = groups.used(HOSTS)
    assert used.hosts == {"flink-tm1": 3.0, "kafka1": 5.0}
    assert used.units["flink-tm1", "flink-taskmanager.service"] == pytest.approx(1.1)
    # What a unit has below itself is its own, and a process that has ended took what it took.
    assert used.units["kafka1", "kafka.service"] == pytest.approx(0.2)
    assert ("kafka1", "own.service") not in used.units


@pytest.mark.parametrize("made", [first, second])
def test_memory_is_what_is_no_copy_of_a_file(made: object, tmp_path: Path) -> None:
    groups = made(tmp_path)  # type: ignore[operator]
    assert groups.memory(HOSTS)["kafka1", "kafka.service"] == 2**20
    assert memory_of([groups.memory(HOSTS), {}]) == {"kafka": 2.0}


@pytest.mark.parametrize("made", [first, second])
def test_a_host_that_does_not_run_here_is_missed(made: object, tmp_path: Path) -> None:
    groups = made(tmp_path)  # type: ignore[operator]
    assert groups.missing([*HOSTS, "load1"]) == ["load1"]


def test_units_of_version_1_that_are_accounted_for_are_not_summed_from_processes(
    tmp_path: Path,
) -> None:
    groups = first(tmp_path)
    unit = tmp_path / "cgroup/cpuacct/ctr-lab/kafka1/system.slice/kafka.service/cpuacct.usage"
    put(unit, "4000000000\n")
    assert groups.used(HOSTS).units["kafka1", "kafka.service"] == 4.0


def test_the_machine_has_worked_for_all_but_idling_and_waiting(tmp_path: Path) -> None:
    used = first(tmp_path).used(HOSTS)
    assert used.machine == (100 + 200 + 300 + 60 + 70) / 100
    assert used.stolen == 0.8


@pytest.mark.parametrize(
    ("unit", "named"),
    [
        ("locust-worker-2.service", "locust-worker"),
        ("getty@tty1.service", "getty"),
        ("ctr-loader.service", "ctr-loader"),
        ("clickhouse-server.service", "clickhouse-server"),
    ],
)
def test_units_that_are_one_component_have_one_name(unit: str, named: str) -> None:
    assert component(unit) == named


def test_what_of_a_host_is_in_no_unit_is_told_and_nothing_twice(tmp_path: Path) -> None:
    groups = second(tmp_path)
    before = groups.used(HOSTS)
    root = tmp_path / "cgroup/ctr-lab"
    put(root / "flink-tm1/cpu.stat", "usage_usec 5000000\n")
    unit = root / "flink-tm1/payload/system.slice/flink-taskmanager.service/cpu.stat"
    put(unit, "usage_usec 2600000\n")
    cost = Cost.of(before, groups.used(HOSTS), 10.0, 1_000_000)
    assert cost.us == pytest.approx(2.0)
    assert cost.us_taskmanager == pytest.approx(1.5)
    assert cost.hosts == {"flink-tm1": pytest.approx(0.2), "kafka1": 0.0}
    assert cost.components[NO_UNIT] == pytest.approx(0.05)
    assert sum(cost.components.values()) == pytest.approx(sum(cost.hosts.values()))
    assert next(iter(cost.components)) == "flink-taskmanager"
