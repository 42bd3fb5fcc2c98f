"""The lab is refused where it cannot be measured, and asked in its own words."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from flink_job.cluster import Cluster, ClusterError, Job
from loadtest.benchmark import lab as edges
from loadtest.benchmark.ask import NoAnswerError
from loadtest.benchmark.cgroups import Groups
from loadtest.benchmark.hosts import Hosts, HostsError, PlaybookError, Playbooks
from loadtest.benchmark.lab import Lab, LabError
from loadtest.benchmark.watch import RELEASE
from loadtest.swarm import Master, Progress, SwarmError
from tests.unit.test_benchmark_cgroups import put

LISTED: dict[str, Any] = {
    "_meta": {
        "hostvars": {
            "flink-jm": {"ansible_host": "10.0.0.1", "flink_rest_port": 8082},
            "kafka1": {
                "ansible_host": "10.0.0.2",
                "ansible_user": "admin",
                "ansible_ssh_private_key_file": "/key",
                "ansible_ssh_common_args": "-o A=b",
            },
            "kafka2": {},
        }
    },
    "flink_jobmanager": {"hosts": ["flink-jm"]},
    "zookeeper": {"children": ["flink_jobmanager"]},
    "kafka": {"hosts": ["kafka2", "kafka1"]},
    "monitoring": {"hosts": ["kafka2"]},
    "loadtest": {"hosts": ["kafka2"]},
}

# Stands for ansible-playbook: says what it was asked for, and ends as the playbook's name says.
PROGRAM = """#!{python}
import sys, time
name = sys.argv[3].split("/")[1]
print(" ".join(sys.argv[3:]))
if name == "slow.yml":
    time.sleep(60)
if name == "load.yml":
    print('ok: [load1] => {{"msg": "stopped: 1,200 events acknowledged by Kafka, 0 failed"}}')
if name == "reconcile.yml":
    print('{said}')
sys.exit({status} if name == "reconcile.yml" else name == "broken.yml")
"""
KEPT = r'ok: [c] => {{"msg": "conservation: consumed 1 = counted 1, unexplained 0\\n"}}'
BROKEN = (
    r'fatal: [c]: FAILED! => {{"msg": "conservation: consumed 2 = counted 1, unexplained 1\\n"}}'
)
SILENT = r'fatal: [c]: FAILED! => {{"msg": "ClickHouse does not answer."}}'


def playbooks(folder: Path, said: str = KEPT, status: int = 0) -> Playbooks:
    program = folder / "ansible-playbook"
    text = PROGRAM.format(python=sys.executable, said=said.format(), status=status)
    program.write_text(text)
    program.chmod(0o755)
    return Playbooks(folder / "logs", folder / "inventory", program)


def made(folder: Path, **settings: Any) -> Lab:  # noqa: ANN401
    return Lab.of(Hosts(LISTED), playbooks(folder, **settings))


class Told:
    """Stands for Flink and for locust."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.jobs: list[Job] | ClusterError = [Job("a" * 32, "RUNNING")]
        self.state = "ready"
        self.away: SwarmError | None = None
        monkeypatch.setattr(Cluster, "live_jobs", lambda *_: self._jobs())
        monkeypatch.setattr(Master, "progress", lambda _: self._progress())

    def _jobs(self) -> list[Job]:
        if isinstance(self.jobs, ClusterError):
            raise self.jobs
        return self.jobs

    def _progress(self) -> Progress:
        if self.away is not None:
            raise self.away
        return Progress(self.state, 2, 0, 0, 0.0, None)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Told:
    for host in ("flink-jm", "kafka1", "kafka2"):
        put(tmp_path / "cgroup/cpuacct/ctr-lab" / host / "cpuacct.usage", "1000000000\n")
    put(tmp_path / "proc/stat", "cpu  100 0 0 0 0 0 0 0 0 0\n")
    monkeypatch.setattr(edges, "Groups", lambda: Groups(tmp_path / "cgroup", tmp_path / "proc"))
    return Told(monkeypatch)


def test_a_lab_that_is_well_is_not_refused(told: Told, tmp_path: Path) -> None:
    lab = made(tmp_path)
    assert lab.refusal() is None
    assert lab.used().hosts == {"flink-jm": 1.0, "kafka1": 1.0, "kafka2": 1.0}
    assert lab.memory() == {}
    assert (lab.flink, told.state) == ("http://10.0.0.1:8082", "ready")


@pytest.mark.usefixtures("told")
def test_a_lab_that_does_not_run_here_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "Groups", lambda: Groups(tmp_path / "none"))
    why = made(tmp_path).refusal()
    assert why is not None
    assert "does not run on this machine (flink-jm, kafka1, kafka2 missing): run make lab" in why


def test_a_load_that_goes_on_is_refused(told: Told, tmp_path: Path) -> None:
    told.state = "running"
    assert "A load is going on" in (made(tmp_path).refusal() or "")


def test_what_is_not_installed_is_refused(told: Told, tmp_path: Path) -> None:
    told.away = SwarmError("The locust master does not answer: refused")
    assert "is not installed, or not well: The locust" in (made(tmp_path).refusal() or "")
    told.away = None
    told.jobs = ClusterError("Flink does not answer.")
    assert "Flink does not answer. Run make site" in (made(tmp_path).refusal() or "")
    told.jobs = [Job("a" * 32, "RESTARTING")]
    assert "The job does not run on the lab" in (made(tmp_path).refusal() or "")


def test_the_job_is_stopped_with_a_savepoint_that_the_next_deployment_finds(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = made(tmp_path)
    monkeypatch.setattr(Cluster, "stop", lambda _, job, trigger, __: f"{job[0]}{len(trigger)}")
    assert lab.stop_job() == "a32"

    def fails(*_: object) -> str:
        raise ClusterError("The savepoint failed.")

    monkeypatch.setattr(Cluster, "stop", fails)
    with pytest.raises(LabError, match="The savepoint failed"):
        lab.stop_job()
    told.jobs = []
    with pytest.raises(LabError, match="does not run, so that it cannot be stopped"):
        lab.stop_job()
    monkeypatch.setattr(Cluster, "dispose", lambda *_: None)
    lab.dispose("s3://one")
    monkeypatch.setattr(Cluster, "dispose", fails)
    with pytest.raises(LabError, match="s3://one is still there"):
        lab.dispose("s3://one")


def test_flink_and_prometheus_are_asked_by_their_addresses(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, Any] = {
        f"http://10.0.0.1:8082/jobs/{'a' * 32}/checkpoints": {"history": []},
        "http://10.0.0.1:8082/config": {"flink-version": "2.3.0"},
        "http://kafka2:9090/api/v1/status/buildinfo": {"data": {"version": "2.42.0"}},
    }
    monkeypatch.setattr(edges, "ask", answers.__getitem__)
    lab = made(tmp_path)
    assert lab.checkpoints() == {}
    assert lab.versions() == {"Flink": "2.3.0", "Prometheus": "2.42.0"}
    told.jobs = []
    assert lab.checkpoints() == {}
    told.jobs = ClusterError("away")
    with pytest.raises(NoAnswerError, match="away"):
        lab.checkpoints()


@pytest.mark.usefixtures("told")
def test_playbooks_are_told_what_is_wanted(tmp_path: Path) -> None:
    lab = made(tmp_path)
    lab.start_load(50_000, 100)
    assert lab.load_ended(100) == 1_200
    lab.stop_load()
    lab.deploy()
    assert lab.deploying().ended(30) == "ansible/job.yml\n"
    logs = sorted((tmp_path / "logs").iterdir())
    assert [log.name for log in logs] == [
        "01-load.log",
        "02-load.log",
        "03-load.log",
        "04-job.log",
        "05-job.log",
    ]
    started = logs[0].read_text()
    assert (
        "-e load_rate=50000 -e load_duration=100 -e load_products=1000 -e load_bad=0.02" in started
    )
    assert "-e load_state=awaited -e load_duration=100" in logs[1].read_text()
    lab.start_load(50_000, 100, load_products=7, load_skew=0)
    other = (tmp_path / "logs/06-load.log").read_text()
    assert "load_products=7" in other
    assert "load_skew=0" in other
    assert "load_products=1000" not in other


@pytest.mark.usefixtures("told")
def test_a_load_that_says_no_count_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edges, "acknowledged_of", lambda _: None)
    with pytest.raises(PlaybookError, match="how many events"):
        made(tmp_path).load_ended(10)


@pytest.mark.usefixtures("told")
def test_a_law_is_told_whether_it_is_kept_or_broken(tmp_path: Path) -> None:
    assert made(tmp_path).law().unexplained == 0
    assert made(tmp_path, said=BROKEN, status=1).law().unexplained == 1
    with pytest.raises(PlaybookError, match=r"reconcile.yml: ClickHouse does not answer\. All"):
        made(tmp_path, said=SILENT, status=1).law()
    with pytest.raises(PlaybookError, match="said nothing of conservation"):
        made(tmp_path, said="").law()


def test_a_playbook_that_fails_or_does_not_end_is_told_with_its_log(tmp_path: Path) -> None:
    books = playbooks(tmp_path)
    with pytest.raises(PlaybookError, match=r"broken.yml: .*All it said is in .*01-broken.log"):
        books.run("broken", 30)
    going = books.start("slow")
    assert going.goes_on
    with pytest.raises(PlaybookError, match=r"slow.yml did not end within 0 s; see .*02-slow.log"):
        going.ended(0.1)
    assert not going.goes_on


def test_a_playbook_does_not_outlive_who_waits_for_it(tmp_path: Path) -> None:
    going = playbooks(tmp_path).start("slow")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            going.ended(60)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not going.goes_on


def test_hosts_are_reached_as_the_inventory_says(tmp_path: Path) -> None:
    hosts = Hosts(LISTED)
    assert hosts.names == ["flink-jm", "kafka1", "kafka2"]
    assert hosts.members("zookeeper") == ["flink-jm"]
    assert hosts.first("kafka") == "kafka1"
    assert hosts.url("kafka", "kafka_port", 9092) == "http://10.0.0.2:9092"
    ssh = ["ssh", "-o", "BatchMode=yes"]
    assert hosts.command("kafka1", "true") == [
        *ssh,
        "-i",
        "/key",
        "-o",
        "A=b",
        "admin@10.0.0.2",
        "true",
    ]
    assert hosts.command("kafka2", "true") == [*ssh, "root@kafka2", "true"]
    with pytest.raises(HostsError, match="no host in the group clickhouse"):
        hosts.first("clickhouse")
    watching = made(tmp_path).watching(60, 2, sends=True)
    assert watching.command[:4] == [*ssh, "root@kafka2"]
    assert RELEASE in watching.command[4]
