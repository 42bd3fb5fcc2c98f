"""What the playbooks of runbooks do on a played fleet: one host, whose services only say so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
GROUPS = ("kafka", "zookeeper", "flink_jobmanager", "flink_taskmanager", "monitoring", "loadtest")
UNITS = ("kafka", "zookeeper", "flink-jobmanager", "flink-taskmanager")

SYSTEMCTL = """
import json, sys
from pathlib import Path
file = Path(__file__).parents[1] / "state.json"
state = json.loads(file.read_text())
words = [word for word in sys.argv[1:] if not word.startswith("-")]
unit = words[-1].removesuffix(".service") if words else ""
if words[:1] == ["is-active"]:
    print(state["units"][unit])
elif words[:1] == ["show"]:
    print(f"Id={unit}.service\\nLoadState=loaded\\nUnitFileState=enabled")
    print(f"ActiveState={state['units'][unit]}")
elif words[:1] in (["start"], ["stop"]):
    state["units"][unit] = "active" if words[0] == "start" else "inactive"
    state["did"].append(f"{words[0]} {unit}")
    file.write_text(json.dumps(state))
"""
# Partitions lack replicas for as long as the broker does not run; without a quorum nobody answers.
TOPICS = """
import json, sys
from pathlib import Path
file = Path(__file__).parents[1] / "state.json"
state = json.loads(file.read_text())
if state["units"]["kafka"] != "active":
    if not state["quorum"]:
        sys.exit("Timed out waiting for a node assignment")
    print("Topic: clicks  Partition: 0  Leader: 1  Replicas: 1,2  Isr: 1")
if "--create" in sys.argv:
    state["did"].append("topics")
    file.write_text(json.dumps(state))
"""
OFFSETS = "print('dead-letters:0:12')"
LETTERS = "print('topic:clicks,partition:3,offset:7,reason:malformed\\t{\"userId\"')"
# Starts a job, says with what it was called, and lets the file say what serves.
DEPLOY = """
import json, os, sys
from pathlib import Path
folder = Path(__file__).parents[1]
state = json.loads((folder / "state.json").read_text())
state["jobs"] = [job for job in state["jobs"] if job["state"] != "RUNNING"]
tasks = {"running": 8, "total": 8}
state["jobs"].append({"jid": "new", "name": "ctr", "state": "RUNNING", "tasks": tasks})
state["called"] = [os.environ["PYTHONPATH"], *sys.argv[1:]]
state["pressure"], state["alerts"] = "ok", []
(folder / "state.json").write_text(json.dumps(state))
print("deployed: job new runs, started from s3://flink/checkpoints/old/chk-7")
"""
# Load and proof are played; what a drill runs of a runbook is not, unless it is to fail.
NESTED = """
import json, os, sys
from pathlib import Path
file = Path(__file__).parents[1] / "state.json"
state = json.loads(file.read_text())
words = " ".join(word for word in sys.argv[1:] if not word.startswith("--inventory="))
file.write_text(json.dumps(state | {"ran": state["ran"] + [words]}))
if words.startswith("ansible/load.yml"):
    if "load_rate" in words and not state["starts"]:
        sys.exit("The locust master does not answer: timed out")
    if not state["tells"]:
        sys.exit()
    print("stopped: 1,200 events acknowledged by Kafka, 0 failed, 0/s, 2 workers")
elif words.startswith("ansible/reconcile.yml"):
    print("conservation: consumed 9 = counted 9 + rejected 0 + late 0, unexplained 0")
elif state["fails"]:
    sys.exit("it cannot")
elif not state["mends"]:
    print("Nothing was to mend.")
else:
    os.execv(state["real"], [state["real"], *sys.argv[1:]])
"""
RUNNING = {"jid": "old", "name": "ctr", "state": "RUNNING", "tasks": {"running": 8, "total": 8}}
HELD_UP = {"pressure": "high", "alerts": [{"labels": {"alertname": "CtrBackpressureHigh"}}]}
CANCELED = {**RUNNING, "state": "CANCELED", "tasks": {"running": 0, "total": 8}}


@dataclass(frozen=True, slots=True)
class Told:
    """What a playbook said, how many tasks changed something, and whether it succeeded."""

    said: str
    changed: int
    well: bool


class Fleet:
    """The played fleet; `state` is all that there is of it."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._file = folder / "state.json"
        self.write(
            units=dict.fromkeys(UNITS, "active"),
            jobs=[RUNNING],
            pressure="ok",
            slots={"taskmanagers": 3, "slots-total": 6, "slots-available": 4},
            alerts=[],
            rates={"counted": 900.0, "malformed": 600.0},
            load=0.0,
            ran=[],
            did=[],
            quorum=True,
            fails=False,
            starts=True,
            tells=True,
            mends=True,
            real=str(PLAYBOOK),
        )
        self._tools()
        (folder / "job.json").write_text(
            json.dumps({"version": {"release": str(folder / "served"), "settings": {"a.b": "c d"}}})
        )
        (folder / "served").mkdir()
        here = {
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "flink_rest_port": port,
            "prometheus_port": port,
            "locust_web_port": port,
            "alert_receiver_port": port,
        }
        (folder / "hosts.json").write_text(
            json.dumps(
                {
                    "all": {
                        "vars": here,
                        "children": {name: {"hosts": {"localhost": {}}} for name in GROUPS},
                    }
                }
            )
        )

    def _tools(self) -> None:
        tools = {
            "systemctl": SYSTEMCTL,
            "kafka-topics": TOPICS,
            "kafka-get-offsets": OFFSETS,
            "kafka-console-consumer": LETTERS,
            "deploy": DEPLOY,
            "ansible-playbook": NESTED,
        }
        (self._folder / "bin").mkdir()
        for name, text in tools.items():
            path = self._folder / "bin" / name
            path.write_text(f"#!{sys.executable}{text if text[0] == chr(10) else chr(10) + text}")
            path.chmod(0o755)

    def read(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads(self._file.read_text())
        return state

    def write(self, **changed: object) -> None:
        state = self.read() if self._file.exists() else {}
        self._file.write_text(json.dumps(state | changed))

    def stop(self, unit: str) -> None:
        self.write(units=self.read()["units"] | {unit: "inactive"})

    def run(self, alert: str, *options: str, kind: str = "playbook") -> Told:
        job = {
            "ctr_job_file": str(self._folder / "job.json"),
            "ctr_job_releases": str(self._folder),
            "ctr_job_command": [str(self._folder / "bin" / "deploy")],
        }
        within = {"runbook_within": 8, "relief_within": 5, "job_again_within": 4}
        ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
            [
                *(PLAYBOOK, "-i", self._folder / "hosts.json", f"runbooks/{alert}/{kind}.yml"),
                *("-e", json.dumps(job | within), *options),
            ],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"PATH": f"{self._folder / 'bin'}:{os.environ['PATH']}"},
        )
        found = re.search(r"^localhost +: ok=.*?changed=(\d+)", ended.stdout, re.MULTILINE)
        assert found is not None, ended.stdout + ended.stderr
        said = " ".join((ended.stdout + ended.stderr).split())
        return Told(said, int(found[1]), ended.returncode == 0)


def answer(path: str, state: dict[str, Any], number: int) -> object:
    """What Flink, Prometheus and locust say, as far as they are asked."""
    active = {unit for unit, stands in state["units"].items() if stands == "active"}
    if path.startswith(("/jobs", "/taskmanagers", "/overview")) and (
        "flink-jobmanager" not in active
    ):
        return None
    running = [job for job in state["jobs"] if job["state"] == "RUNNING"]
    managers = [{"id": "localhost", "freeSlots": 1}] if "flink-taskmanager" in active else []
    known = {
        "/taskmanagers": {"taskmanagers": managers},
        "/jobs/overview": {"jobs": state["jobs"]},
        "/overview": state["slots"],
        "/api/v1/alerts": {"data": {"alerts": state["alerts"]}},
        "/api/v1/query": {
            "data": {
                "result": [
                    {"metric": {"topic": "clicks", "outcome": outcome}, "value": [0, str(rate)]}
                    for outcome, rate in state["rates"].items()
                ]
            }
        },
        "/stats/requests": {
            "state": "running" if state["load"] else "ready",
            "current_rps": state["load"],
        },
    }
    for job in state["jobs"]:
        known[f"/jobs/{job['jid']}/checkpoints"] = {"latest": {"completed": {"id": number}}}
        known[f"/jobs/{job['jid']}/exceptions"] = {
            "exceptionHistory": {
                "entries": [{"stacktrace": "java.lang.A: b\nCaused by: NoSlots: too few\n\tat x"}]
            }
        }
    for job in running:
        known[f"/jobs/{job['jid']}"] = {
            "jid": job["jid"],
            "vertices": [
                {"id": "v0", "name": "Source: incoming", "parallelism": 2},
                {"id": "v1", "name": "windows: Writer", "parallelism": 2},
            ],
        }
        for vertex, level in (("v0", state["pressure"]), ("v1", "ok")):
            known[f"/jobs/{job['jid']}/vertices/{vertex}/backpressure"] = {
                "status": "ok",
                "backpressureLevel": level,
                "subtasks": [{"ratio": 0.9 if level == "high" else 0.0, "busyRatio": 0.5}],
            }
    return known.get(path)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    number = 0
    heard: list[dict[str, Any]] = []

    def hear(state: dict[str, Any]) -> list[dict[str, Any]]:
        """What the receiver has been told, at the latest now."""
        lost = state["units"]["flink-taskmanager"] != "active"
        if lost != (heard[-1:] != [] and heard[-1]["status"] == "firing"):
            labels = {"alertname": "FlinkTaskManagerLost", "host": "localhost"}
            status = "firing" if lost else "resolved"
            heard.append({"at": time.time(), "status": status, "labels": labels})
        return heard

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nonlocal number
            number += 1
            state = json.loads((tmp_path / "state.json").read_text())
            path = urlsplit(self.path).path
            told = hear(state) if path == "/" else answer(path, state, number)
            self.send_response(404 if told is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(told).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Fleet(tmp_path, server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ALERTS = (
    "CtrBackpressureHigh",
    "CtrInvalidRateHigh",
    "CtrJobDown",
    "FlinkTaskManagerLost",
    "KafkaBrokerDown",
)


@pytest.mark.parametrize("alert", ALERTS)
def test_where_all_is_well_nothing_is_changed_and_that_is_said(fleet: Fleet, alert: str) -> None:
    before = fleet.read()
    told = fleet.run(alert)
    assert told.well, told.said
    assert told.changed == 0
    assert "Nothing was to mend." in told.said
    assert fleet.read() == before


@pytest.mark.parametrize(
    ("alert", "still"),
    [
        ("CtrBackpressureHigh", "over the last minute one was"),
        ("CtrJobDown", "fails again and again. Flink's page names the cause under Exceptions."),
        ("FlinkTaskManagerLost", "Prometheus has no metrics of one"),
        ("KafkaBrokerDown", "Prometheus does not reach a broker"),
    ],
)
def test_what_looks_well_while_its_alert_goes_on_is_not_mended(
    fleet: Fleet, alert: str, still: str
) -> None:
    fleet.write(alerts=[{"labels": {"alertname": alert}}, {"labels": {"alertname": "HostDown"}}])
    told = fleet.run(alert)
    assert not told.well
    assert "Not mended: " in told.said
    assert still in told.said
    assert "Nothing was to mend." not in told.said


@pytest.mark.parametrize(
    ("alert", "unit"),
    [
        ("CtrJobDown", "flink-jobmanager"),
        ("FlinkTaskManagerLost", "flink-taskmanager"),
        ("KafkaBrokerDown", "kafka"),
    ],
)
def test_a_service_that_was_stopped_is_told_then_started_then_verified(
    fleet: Fleet, alert: str, unit: str
) -> None:
    fleet.stop(unit)
    tried = fleet.run(alert, "--check")
    assert f"{unit} does not run on localhost and will be started there." in tried.said
    assert f"A run without --check would have started {unit} on localhost" in tried.said
    assert tried.well, tried.said
    assert fleet.read()["units"][unit] == "inactive"
    told = fleet.run(alert)
    assert told.well, told.said
    assert told.changed == 1
    assert f"Mended: started {unit} on localhost." in told.said


def test_a_job_that_has_ended_starts_as_it_was_when_it_served(fleet: Fleet) -> None:
    fleet.write(jobs=[CANCELED])
    tried = fleet.run("CtrJobDown", "--check")
    assert "would have started the version of the job that served last" in tried.said
    assert fleet.read()["jobs"] == [CANCELED]
    told = fleet.run("CtrJobDown")
    assert told.well, told.said
    assert "Mended: started the version of the job that served last." in told.said
    path, *called = fleet.read()["called"]
    assert path.endswith("/served")
    assert called == ["--setting=a.b=c d"]


def test_a_job_that_does_not_come_back_ends_in_its_reason(fleet: Fleet) -> None:
    fleet.write(jobs=[{**RUNNING, "state": "RESTARTING"}])
    told = fleet.run("FlinkTaskManagerLost")
    assert not told.well
    assert 'Not mended: it stopped at "Wait until every task of the job runs".' in told.said
    assert "The job failed last with: NoSlots: too few" in told.said


def test_a_job_that_is_held_up_is_given_the_slots_that_are_free(fleet: Fleet) -> None:
    fleet.write(**HELD_UP)
    left = fleet.run("CtrBackpressureHigh", "-e", "runbook_rescale=false")
    assert not left.well
    assert "Not mended: Source: incoming is held up still, and waits for windows: Writer." in (
        left.said
    )
    told = fleet.run("CtrBackpressureHigh")
    assert told.well, told.said
    assert "Mended: given the job 4 slots. No task of the job is held up." in told.said
    assert "The job has 2 of 6 slots and will be given 4; those of one TaskManager stay free" in (
        told.said
    )
    called = fleet.read()["called"][1:]
    assert called == ["--setting=a.b=c d", "--setting=parallelism.default=4"]


def test_a_job_that_is_held_up_while_its_alert_is_silent_keeps_its_slots(fleet: Fleet) -> None:
    fleet.write(pressure="high", alerts=[{"labels": {"alertname": "HostDown"}}])
    tried = fleet.run("CtrBackpressureHigh", "--check")
    assert "will be given" not in tried.said
    told = fleet.run("CtrBackpressureHigh")
    assert not told.well
    assert "called" not in fleet.read()
    assert "Source: incoming is held up still, and waits for windows: Writer. The alert is" in (
        told.said
    )
    assert "silent, so that the parallelism of the job was left alone" in told.said


def test_topics_are_mended_before_a_broker_hides_what_they_demand(fleet: Fleet) -> None:
    fleet.stop("kafka")
    fleet.write(**HELD_UP, did=[])
    told = fleet.run("CtrBackpressureHigh")
    assert told.well, told.said
    *before, last = fleet.read()["did"]
    assert set(before) == {"topics"}
    assert last == "start kafka"
    assert (
        "Mended: started kafka on localhost, made the topics what the inventory says, given the"
        in told.said
    )


def test_brokers_without_a_quorum_are_started_though_nobody_tells_of_topics(fleet: Fleet) -> None:
    fleet.stop("kafka")
    fleet.write(**HELD_UP, did=[], quorum=False)
    told = fleet.run("CtrBackpressureHigh")
    assert told.well, told.said
    assert "Kafka does not say which topics refuse what the job writes" in told.said
    assert fleet.read()["did"] == ["start kafka"]
    assert "made the topics" not in told.said


def test_brokers_are_started_though_no_job_runs_and_that_is_said(fleet: Fleet) -> None:
    fleet.stop("kafka")
    fleet.write(jobs=[{**RUNNING, "state": "RESTARTING"}], did=[], quorum=False)
    told = fleet.run("CtrBackpressureHigh")
    assert not told.well
    assert fleet.read()["did"] == ["start kafka"]
    assert "No job runs, or the JobManager does not answer; see runbooks/CtrJobDown" in told.said


@pytest.mark.parametrize(
    ("slots", "given"),
    [
        # A recount has the others.
        ({"taskmanagers": 3, "slots-total": 6, "slots-available": 2}, None),
        # What is free is what a TaskManager that is lost would leave behind.
        ({"taskmanagers": 2, "slots-total": 4, "slots-available": 2}, None),
        ({"taskmanagers": 1, "slots-total": 4, "slots-available": 2}, "4"),
    ],
    ids=["of a recount", "of the reserve", "of the only one"],
)
def test_a_job_is_not_given_slots_that_are_others_or_the_reserve(
    fleet: Fleet, slots: dict[str, int], given: str | None
) -> None:
    fleet.write(**HELD_UP, slots=slots)
    tried = fleet.run("CtrBackpressureHigh", "--check")
    assert "called" not in fleet.read()
    told = re.findall(r"will be given (\d+);", tried.said)
    assert told == ([given] if given else [])


def test_what_another_producer_sends_is_not_taken_for_the_load(fleet: Fleet) -> None:
    fleet.write(alerts=[{"labels": {"alertname": "CtrInvalidRateHigh"}}], load=300.0)
    told = fleet.run("CtrInvalidRateHigh")
    assert not told.well
    assert "600 of 1500 events/s are rejected, and their producer has to be stopped" in told.said
    assert "clicks malformed 600.0 events/s" in told.said
    assert "offset:7,reason:malformed" in told.said


def test_a_load_that_must_be_the_source_would_be_stopped(fleet: Fleet) -> None:
    fleet.write(alerts=[{"labels": {"alertname": "CtrInvalidRateHigh"}}], load=1400.0)
    told = fleet.run("CtrInvalidRateHigh", "--check")
    assert told.well, told.said
    assert "The load of this project sends it, and will be stopped." in told.said
    assert "would have stopped the load" in told.said


def test_a_host_that_does_not_answer_is_named_and_the_others_are_mended(
    fleet: Fleet, tmp_path: Path
) -> None:
    inventory = json.loads((tmp_path / "hosts.json").read_text())
    inventory["all"]["children"]["kafka"]["hosts"]["gone"] = {
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 1,
    }
    (tmp_path / "hosts.json").write_text(json.dumps(inventory))
    fleet.stop("kafka")
    told = fleet.run("KafkaBrokerDown")
    assert not told.well
    assert "gone cannot be reached: see HostDown." in told.said
    assert (
        "gone cannot be reached, so that nothing could be looked at or started there." in told.said
    )
    assert fleet.read()["units"]["kafka"] == "active"


def test_a_drill_refuses_every_inventory_but_the_labs(fleet: Fleet) -> None:
    before = fleet.read()
    told = fleet.run("CtrInvalidRateHigh", kind="drill")
    assert not told.well
    assert "A drill injects a fault, and this is not the lab" in told.said
    assert told.changed == 0
    assert fleet.read() == before


def drilled(fleet: Fleet, folder: Path, *options: str) -> Told:
    """What a drill does where the played fleet is the lab."""
    fleet.write(rates={"counted": 2_000.0})
    inventory = json.loads((folder / "hosts.json").read_text())
    inventory["all"]["vars"]["lab_memory_mb"] = {"localhost": 1}
    (folder / "hosts.json").write_text(json.dumps(inventory))
    nested = ("-e", f"run_program={folder / 'bin' / 'ansible-playbook'}")
    return fleet.run("FlinkTaskManagerLost", *nested, *options, kind="drill")


def test_a_drill_goes_from_the_fault_to_the_proof(fleet: Fleet, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    told = drilled(fleet, tmp_path, "-e", f"drill_report={report}")
    assert told.well, told.said
    assert "Mended: started flink-taskmanager on localhost." in told.said
    assert "unexplained 0" in told.said
    assert [words.split(" ", 1)[0] for words in fleet.read()["ran"]] == [
        "ansible/load.yml",
        "runbooks/FlinkTaskManagerLost/playbook.yml",
        "ansible/load.yml",
        "ansible/reconcile.yml",
    ]
    times = json.loads(report.read_text())
    assert times["begun"] <= times["alerted"] <= times["mended"]
    assert times["load"] == "1,200 events acknowledged by Kafka, 0 failed"


def test_a_drill_whose_playbook_fails_puts_all_back_and_says_why(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.write(fails=True)
    told = drilled(fleet, tmp_path)
    assert not told.well
    assert "runbooks/FlinkTaskManagerLost/playbook.yml failed:" in told.said
    assert "it cannot" in told.said
    assert fleet.read()["units"]["flink-taskmanager"] == "active"
    assert fleet.read()["ran"][-1] == "ansible/load.yml --extra-vars=load_state=stopped"


def test_a_drill_refuses_a_load_that_is_not_its_own_and_lets_it_run(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.write(load=300.0)
    told = drilled(fleet, tmp_path)
    assert not told.well
    assert "A load runs already (running), and a drill stops the load at its end" in told.said
    assert fleet.read()["ran"] == []


def test_a_load_whose_start_fails_is_stopped_all_the_same(fleet: Fleet, tmp_path: Path) -> None:
    fleet.write(starts=False)
    told = drilled(fleet, tmp_path)
    assert not told.well
    assert "ansible/load.yml failed:" in told.said
    started, stopped = fleet.read()["ran"]
    assert "load_rate=2000" in started
    assert stopped == "ansible/load.yml --extra-vars=load_state=stopped"


def test_a_drill_whose_playbook_finds_nothing_to_mend_says_so(fleet: Fleet, tmp_path: Path) -> None:
    fleet.write(mends=False)
    told = drilled(fleet, tmp_path)
    assert not told.well
    assert "The playbook found nothing to mend, while the fault was there:" in told.said
    assert fleet.read()["ran"][-1] == "ansible/load.yml --extra-vars=load_state=stopped"


def test_a_drill_goes_to_its_end_though_the_load_does_not_tell_what_it_sent(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.write(tells=False)
    report = tmp_path / "report.json"
    told = drilled(fleet, tmp_path, "-e", f"drill_report={report}")
    assert told.well, told.said
    assert json.loads(report.read_text())["load"] == ""
