"""The lab as tests use it: its playbooks, its hosts, its Kafka, its ClickHouse."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from flink_job.domain import Record

ROOT = Path(__file__).parents[2]
INVENTORY = ROOT / "inventories" / "lab"
ANSIBLE = Path(sys.executable).parent
PLAYBOOK_WITHIN_S = 3_600
COMMAND_WITHIN_S = 180
# How far a job that has just started on a busy machine may be behind.
LAG_S = 600

CGROUPS = Path("/sys/fs/cgroup")
IN_SYNC = "kafka_server_replicamanager_underreplicatedpartitions 0.0"

AS_ADMIN = """
import json, urllib.request
login = json.load(open("/etc/ctr-retention/login.json"))
headers = {{"X-ClickHouse-User": login["user"], "X-ClickHouse-Key": login["password"]}}
urllib.request.urlopen(urllib.request.Request(login["url"], {statement!r}, headers))
"""

Found = TypeVar("Found")
Message = tuple[str, str, bytes | None]


class LabFailedError(AssertionError):
    """A playbook or a command on a host failed; the text has what it said."""


@dataclass(frozen=True, slots=True)
class Recap:
    """What a playbook printed, and how many tasks have changed something on each host."""

    said: str
    changed: dict[str, int]


class Lab:
    """The hosts of inventories/lab."""

    def __init__(self) -> None:
        """Read the inventory."""
        listed = subprocess.run(
            [ANSIBLE / "ansible-inventory", "-i", INVENTORY, "--list"],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        self._inventory: dict[str, Any] = json.loads(listed.stdout)
        self._vars: dict[str, Any] = self._inventory["_meta"]["hostvars"]

    def playbook(self, name: str, *arguments: str, inventory: Path = INVENTORY) -> Recap:
        """Run a playbook of the project; it must succeed."""
        ended = subprocess.run(
            [ANSIBLE / "ansible-playbook", "-i", inventory, f"ansible/{name}.yml", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=PLAYBOOK_WITHIN_S,
        )
        if ended.returncode:
            raise LabFailedError(f"{name}.yml failed:\n{ended.stdout[-6_000:]}{ended.stderr}")
        found = re.findall(r"^(\S+) +: ok=.*?changed=(\d+)", ended.stdout, re.MULTILINE)
        return Recap(ended.stdout, {host: int(number) for host, number in found})

    def address(self, host: str) -> str:
        """The address of a host."""
        return str(self._vars[host]["ansible_host"])

    @property
    def hosts(self) -> list[str]:
        """All hosts, by name."""
        return sorted(self._vars)

    def members(self, group: str) -> list[str]:
        """The hosts of a group, by name."""
        return sorted(self._inventory[group]["hosts"])

    def freeze(self, host: str) -> None:
        """Let all processes of a host stand still, as a machine that swaps or is migrated does."""
        self._all_processes(host, signal.SIGSTOP)

    def thaw(self, host: str) -> None:
        """Let them go on."""
        self._all_processes(host, signal.SIGCONT)

    def power_off(self, *hosts: str) -> None:
        """Let hosts stop as they do without power: nothing in them is told."""
        for host in hosts:
            self._all_processes(host, signal.SIGKILL)
        eventually(
            lambda: not any(self._processes(host) for host in hosts) or None,
            f"nothing runs on {', '.join(hosts)}",
        )

    def power_on(self, *hosts: str) -> None:
        """Boot hosts again."""
        self.playbook("lab", "-e", f"lab_hosts={','.join(hosts)}")

    def _all_processes(self, host: str, number: signal.Signals) -> None:
        for pid in self._processes(host):
            with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
                os.kill(pid, number)

    def _processes(self, host: str) -> list[int]:
        (folder, *_) = CGROUPS.glob(f"**/ctr-lab/{host}")
        return [
            int(pid) for procs in folder.rglob("cgroup.procs") for pid in procs.read_text().split()
        ]

    def on(self, host: str, *command: str, given: str = "") -> str:
        """What a command on a host prints; it must succeed."""
        about = self._vars[host]
        ssh = ["ssh", "-i", about["ansible_ssh_private_key_file"]]
        ssh += about["ansible_ssh_common_args"].split()
        ended = subprocess.run(
            [*ssh, f"root@{self.address(host)}", *command],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_WITHIN_S,
        )
        if ended.returncode:
            raise LabFailedError(f"`{' '.join(command)}` on {host}: {ended.stderr[-2_000:]}")
        return ended.stdout

    def send(self, messages: Sequence[Message], codec: str = "lz4") -> list[Record]:
        """Send messages to Kafka, compressed; the records that they became."""
        return self._sent("send.py", codec, _as_json(messages), messages)

    def transact(self, transactions: Sequence[tuple[bool, Sequence[Message]]]) -> list[Record]:
        """Send messages to Kafka in transactions, each committed or aborted; all their records."""
        given = [(commit, _as_json(messages)) for commit, messages in transactions]
        messages = [message for _, some in transactions for message in some]
        return self._sent("transact.py", f"test-{uuid4().hex[:12]}", given, messages)

    def _sent(
        self, program: str, argument: str, given: object, messages: Sequence[Message]
    ) -> list[Record]:
        text = Path(__file__).with_name(program).read_text()
        self.on("clickhouse1", f"cat > /tmp/{program}", given=text)
        told = self.on(
            "clickhouse1",
            f"PYTHONPATH=/opt/ctr-loader/current python3 -W ignore /tmp/{program} {argument}",
            given=json.dumps(given),
        )
        return [
            Record(topic, partition, offset, appended, value)
            for (topic, _, value), (partition, offset, appended) in zip(
                messages, json.loads(told), strict=True
            )
        ]

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of ClickHouse, as its reader; large integers come as text."""
        request = urllib.request.Request(
            f"http://{self.address('clickhouse1')}:8123/",
            data=f"{sql} FORMAT JSON".encode(),
            headers={"X-ClickHouse-User": "reader", "X-ClickHouse-Key": self._password},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            rows: list[dict[str, Any]] = json.load(answer)["data"]
        return rows

    def as_admin(self, statement: str) -> None:
        """Run a statement as ClickHouse's admin, who is let in from the host itself only."""
        program = AS_ADMIN.format(statement=statement.encode())
        self.on("clickhouse1", "python3 -", given=program)

    @cached_property
    def _password(self) -> str:
        endpoints = json.loads(self.on("clickhouse1", "cat /etc/ctr/endpoints-reader.json"))
        return str(endpoints["clickhouse"]["password"])

    def counted_since(self, start: int) -> Callable[[], int | None]:
        """Asks how many events are counted in windows from `start` (epoch seconds) on.

        No answer is None.
        """
        sql = (
            "SELECT sum(impressions + clicks) AS events FROM ctr.ctr_windows FINAL "
            f"WHERE window_start >= toDateTime({start}) AND product_id NOT LIKE 'ctr-canary-%'"
        )

        def asked() -> int | None:
            try:
                (row,) = self.query(sql)
            # Refused, or cut off in the middle of the answer.
            except (OSError, HTTPException, ValueError):
                return None
            return int(row["events"])

        return asked

    def flink(self, path: str) -> Any:  # noqa: ANN401 - JSON
        """An answer of the JobManager's REST interface."""
        url = f"http://{self.address('flink-jm')}:8081{path}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)

    def running_job(self) -> str:
        """The id of the one job that runs."""
        (job,) = [
            job["jid"] for job in self.flink("/jobs/overview")["jobs"] if job["state"] == "RUNNING"
        ]
        return str(job)

    def last_failure(self) -> int:
        """When the job that runs has failed for the last time, in ms since the epoch; 0 if never.

        Its metrics tell how often too, but late: they are gathered when they are asked for.
        """
        told = self.flink(f"/jobs/{self.running_job()}/exceptions")["exceptionHistory"]["entries"]
        return max((int(entry["timestamp"]) for entry in told), default=0)

    def busy_taskmanager(self) -> str:
        """A host whose TaskManager runs tasks of the job."""
        job = self.running_job()
        vertex = self.flink(f"/jobs/{job}")["vertices"][0]["id"]
        managers = self.flink(f"/jobs/{job}/vertices/{vertex}/taskmanagers")["taskmanagers"]
        return str(managers[0]["endpoint"].split(":")[0])

    def parallelism(self) -> int:
        """Of the job that runs."""
        vertices = self.flink(f"/jobs/{self.running_job()}")["vertices"]
        return max(int(vertex["parallelism"]) for vertex in vertices)

    def whole(self, since_ms: int) -> bool:
        """Whether every part is there: the job with a checkpoint begun since, and all replicas."""
        try:
            managers = self.flink("/taskmanagers")["taskmanagers"]
            latest = self.flink(f"/jobs/{self.running_job()}/checkpoints")["latest"]["completed"]
            metrics = [
                _read(f"http://{self.address(broker)}:7071/metrics")
                for broker in self.members("kafka")
            ]
        except (OSError, HTTPException, ValueError):  # a part does not answer yet, or no job runs
            return False
        return (
            len(managers) == len(self.members("flink_taskmanager"))
            and latest is not None
            and latest["trigger_timestamp"] >= since_ms
            and all(IN_SYNC in told for told in metrics)
        )

    def loaded(self, rate: int, seconds: int) -> None:
        """Start load; `acknowledged` waits for its end."""
        self.playbook("load", "-e", f"load_rate={rate}", "-e", f"load_duration={seconds}")

    def acknowledged(self) -> int:
        """Wait for the end of the load; how many events Kafka has acknowledged, none failed."""
        said = self.playbook("load", "-e", "load_state=awaited", "-e", "load_duration=300").said
        found = re.search(r"([\d,]+) events acknowledged by Kafka, ([\d,]+) failed", said)
        assert found is not None, said
        assert found[2] == "0", said
        return int(found[1].replace(",", ""))

    def law_is_kept(self) -> bool:
        """Whether every event has one outcome, once what is under way has arrived."""
        return "unexplained 0" in self.playbook("reconcile", "-e", f"reconcile_within={LAG_S}").said

    def all_is_as_specified(self) -> bool:
        """Whether all results are what the specification says, message by message."""
        return "all as specified" in self.playbook("audit", "-e", f"audit_within={LAG_S}").said

    def offsets(self) -> int:
        """How many messages the input topics hold."""
        said = self.on(
            "kafka1",
            "kafka-get-offsets --bootstrap-server kafka1:9092 --topic 'impressions|clicks'",
        )
        return sum(int(line.rsplit(":", 1)[1]) for line in said.split())


def eventually(ask: Callable[[], Found | None], what: str, within_s: float = 120) -> Found:
    """Ask once a second until there is an answer that is not None."""
    deadline = time.monotonic() + within_s
    while (found := ask()) is None:
        assert time.monotonic() < deadline, f"{what}: not within {within_s} s"
        time.sleep(1)
    return found


def _as_json(messages: Sequence[Message]) -> list[tuple[str, str, str | None]]:
    return [
        (topic, key, None if value is None else base64.b64encode(value).decode())
        for topic, key, value in messages
    ]


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
        return str(answer.read(), "utf-8")
