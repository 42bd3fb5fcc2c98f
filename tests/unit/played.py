"""A Flink that is played by a web server, and a host that deploys to it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from flink_job.age import Reached
from flink_job.cluster import ENDED, Cluster, ClusterError
from flink_job.deployed import Deployed, Version, keep_deployed, read_deployed
from flink_job.rollout import NAME, Launch, Rollout

WITHIN_S = 20.0
# Some questions, in the time that is played: each is asked half a second after the one before.
SOON_S = 0.3


class PlayedTime:
    """A clock that only waiting moves, so that no step is late since the machine is busy."""

    def __init__(self) -> None:
        """Begin at 0."""
        self._now = 0.0

    def monotonic(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += seconds


@dataclass
class Flink:
    """What the web server answers by method and path, and what it was asked.

    The trigger of a savepoint is `TRIGGER` in a path, and stands in `triggers`.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    disposed: list[str] = field(default_factory=list)
    undisposable: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def lists(self, job: str, state: str) -> None:
        """Let a job be the one of the overview beside those that have ended."""
        known = self.answers.get("GET /jobs/overview", {"jobs": []})["jobs"]
        ended = [one for one in known if one["jid"] != job and one["state"] in ENDED]
        told = {"jid": job, "name": NAME, "state": state}
        self.answers["GET /jobs/overview"] = {"jobs": [*ended, told]}

    def runs(self, job: str, *, checkpoints: int = 2, state: str = "RUNNING") -> None:
        self.lists(job, state)
        self.answers[f"GET /jobs/{job}"] = {"state": state, "vertices": [{"status": state}]}
        self.answers[f"PATCH /jobs/{job}?mode=cancel"] = None
        self.answers[f"GET /jobs/{job}/exceptions"] = {}
        kept = {"enabled": True, "delete_on_cancellation": False}
        self.answers[f"GET /jobs/{job}/checkpoints/config"] = {"externalization": kept}
        self.answers[f"GET /jobs/{job}/checkpoints"] = {
            "history": [
                {"status": "COMPLETED", "trigger_timestamp": 1_000 + number}
                for number in range(checkpoints)
            ],
            "latest": {
                "completed": {"id": 9, "external_path": "s3://flink/chk-9"},
                "savepoint": {"id": 4, "external_path": "s3://flink/old"},
                "restored": None,
            },
        }

    def saves(self, job: str, operation: dict[str, Any]) -> None:
        self.answers[f"POST /jobs/{job}/stop"] = {"request-id": "r"}
        self.answers[f"GET /jobs/{job}/savepoints/TRIGGER"] = {
            "status": {"id": "COMPLETED"},
            "operation": operation,
        }

    def is_saving(self, job: str) -> None:
        self.answers[f"POST /jobs/{job}/stop"] = {"request-id": "r"}
        self.answers[f"GET /jobs/{job}/savepoints/TRIGGER"] = {"status": {"id": "IN_PROGRESS"}}

    def remembers(self, job: str, **latest: str) -> None:
        """Let the latest checkpoints of a job be these, the last one the newest."""
        kept = {
            kind: {"id": number, "external_path": path}
            for number, (kind, path) in enumerate(latest.items())
        }
        self.answers[f"GET /jobs/{job}/checkpoints"]["latest"] = kept

    def disposes(self, savepoint: str) -> None:
        self.disposed.append(savepoint)
        trace = self.undisposable.get(savepoint)
        self.answers["POST /savepoint-disposal"] = {"request-id": "d"}
        self.answers["GET /savepoint-disposal/d"] = {
            "status": {"id": "COMPLETED"},
            "operation": {} if trace is None else {"failure-cause": {"stack-trace": trace}},
        }

    def has_stopped(self, job: str, savepoint: str) -> None:
        self.ends(job, "FINISHED")
        latest = self.answers[f"GET /jobs/{job}/checkpoints"]["latest"]
        latest["savepoint"] = {"id": 10, "external_path": savepoint}

    def answer(self, key: str, body: bytes) -> tuple[int, bytes]:
        if key.endswith("/stop"):
            self.orders.append(json.loads(body))
            self.triggers.append(self.orders[-1]["triggerId"])
        for trigger in self.triggers:
            key = key.replace(trigger, "TRIGGER")
        self.asked.append(key)
        if key == "POST /savepoint-disposal":
            self.disposes(json.loads(body)["savepoint-path"])
        statuses = self.failures.get(key) or [200 if key in self.answers else 404]
        status = statuses.pop(0)
        content: Any = self.answers[key] if status == 200 else {"errors": ["not now"]}
        if key.endswith("/savepoints/TRIGGER") and "location" in content.get("operation", {}):
            self.has_stopped(key.split("/")[2], content["operation"]["location"])
        if status == 200 and key.startswith("PATCH "):
            self.ends(key.removeprefix("PATCH /jobs/").removesuffix("?mode=cancel"))
        return status, json.dumps(content).encode()

    def ends(self, job: str, state: str = "CANCELED") -> None:
        self.lists(job, state)
        self.answers[f"GET /jobs/{job}"] = {"state": state, "vertices": [{"status": state}]}

    def was_cancelled(self, job: str) -> bool:
        return f"PATCH /jobs/{job}?mode=cancel" in self.asked


@contextmanager
def playing() -> Iterator[Flink]:
    """A Flink without a job, for as long as it is looked at."""
    played = Flink({"GET /jobs/overview": {"jobs": []}})

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = played.answer(f"{self.command} {self.path}", body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played.address = f"127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield played
        server.shutdown()
        thread.join()


def version(name: str, **settings: str) -> Version:
    return Version(f"/opt/ctr-job/{name}", settings)


@dataclass
class Host:
    """A host with releases; each start gets the next letter for its job.

    A version whose digest is in `bad` comes to a job that never serves, one in `refused` to none,
    and one in `unplannable` is not even made ready.
    """

    flink: Flink
    state: Path
    good: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    unplannable: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    has_run: bool = False
    reading: Reached | None = field(
        default_factory=lambda: Reached(int(time.time() * 1_000), unread=None)
    )
    savepoints_kept: int = 5
    despite_age: bool = False
    started: list[tuple[str, str | None]] = field(default_factory=list)
    settings: list[dict[str, str]] = field(default_factory=list)

    def digest(self, version: Version) -> str:
        return "-".join([version.name, *version.settings.values()])

    def there(self, version: Version) -> bool:
        return version.name not in self.removed

    def ran_before(self) -> bool:
        return self.has_run

    def reached(self) -> Reached:
        if self.reading is None:
            raise ClusterError("Kafka does not tell")
        return self.reading

    def start(self, version: Version, origin: str | None) -> str:
        job = "abcdefgh"[len(self.started)]
        self.started.append((version.name, origin))
        self.settings.append(version.settings)
        if self.digest(version) in self.refused:
            raise ClusterError(f"Flink refuses the job: no {version.name}")
        if self.digest(version) in self.bad:
            self.flink.runs(job, state="RESTARTING", checkpoints=0)
            self.flink.remembers(job, **({} if origin is None else {"restored": origin}))
        else:
            self.flink.runs(job)
        return job

    @contextmanager
    def prepared(self, version: Version) -> Iterator[Launch]:
        if self.digest(version) in self.unplannable:
            raise ClusterError(f"Flink refuses the job: no plan for {version.name}")
        yield partial(self.start, version)

    @property
    def origins(self) -> list[str | None]:
        return [origin for _, origin in self.started]

    def rollout(self, within_s: float = WITHIN_S) -> Rollout:
        return Rollout(
            Cluster(self.flink.address),
            self.state,
            self,
            within_s,
            self.savepoints_kept,
            self.despite_age,
        )

    def deploy(
        self, name: str, origin: str | None = None, *, within_s: float = WITHIN_S, **settings: str
    ) -> str:
        return self.rollout(within_s).deploy(version(name, **settings), origin)

    def roll_back(self, origin: str | None = None, *, within_s: float = WITHIN_S) -> str:
        return self.rollout(within_s).roll_back(origin)

    def knows(self, deployed: Deployed) -> None:
        keep_deployed(self.state, deployed)

    @property
    def known(self) -> Deployed:
        known = read_deployed(self.state)
        assert known is not None
        return known
