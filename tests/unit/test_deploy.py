"""A deployment against a Flink that is played by a web server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import Mock

import pytest

from flink_job import cluster as cluster_module
from flink_job import submit as submit_module
from flink_job.cluster import Cluster, ClusterError
from flink_job.deploy import NAME, Wanted, deploy
from flink_job.deployed import STOPPED, Deployed, keep_deployed, read_deployed
from flink_job.endpoints import Kafka
from flink_job.group import GROUP
from flink_job.job import SQL

WITHIN_S = 1.0


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
    address: str = ""

    def runs(self, job: str, *, checkpoints: int = 2, state: str = "RUNNING") -> None:
        self.answers["GET /jobs/overview"] = {"jobs": [{"jid": job, "name": NAME, "state": state}]}
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

    def has_stopped(self, job: str, savepoint: str) -> None:
        self.runs(job, state="FINISHED")
        latest = self.answers[f"GET /jobs/{job}/checkpoints"]["latest"]
        latest["savepoint"] = {"id": 10, "external_path": savepoint}

    def answer(self, key: str, body: bytes) -> tuple[int, bytes]:
        if key.endswith("/stop"):
            self.orders.append(json.loads(body))
            self.triggers.append(self.orders[-1]["triggerId"])
        for trigger in self.triggers:
            key = key.replace(trigger, "TRIGGER")
        self.asked.append(key)
        statuses = self.failures.get(key) or [200 if key in self.answers else 404]
        status = statuses.pop(0)
        content = self.answers[key] if status == 200 else {"errors": ["not now"]}
        if status == 200 and key.startswith("PATCH "):
            self.ends(key.removeprefix("PATCH /jobs/").removesuffix("?mode=cancel"))
        return status, json.dumps(content).encode()

    def ends(self, job: str, state: str = "CANCELED") -> None:
        self.answers["GET /jobs/overview"] = {"jobs": [{"jid": job, "name": NAME, "state": state}]}
        self.answers[f"GET /jobs/{job}"] = {"state": state, "vertices": [{"status": state}]}

    def was_cancelled(self, job: str) -> bool:
        return f"PATCH /jobs/{job}?mode=cancel" in self.asked


@pytest.fixture
def flink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flink]:
    monkeypatch.setattr(cluster_module, "AGAIN_AFTER_S", 0.01)
    played = Flink({"GET /jobs/overview": {"jobs": []}})

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = played.answer(f"{self.command} {self.path}", body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815 - names of http.server

        def log_message(self, *_: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        played.address = f"127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield played
        server.shutdown()
        thread.join()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "deployed.json"


def starts(flink: Flink, job: str, origins: list[str | None]) -> Callable[[str | None], str]:
    def start(origin: str | None) -> str:
        origins.append(origin)
        flink.runs(job)
        return job

    return start


def test_the_first_deployment_starts_from_nothing_and_the_second_does_nothing(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    wanted = Wanted("one", WITHIN_S, starts(flink, "a", origins))
    first = deploy(Cluster(flink.address), state, wanted)
    assert first == "deployed: job a runs, started from the beginning of the topics"
    assert deploy(Cluster(flink.address), state, wanted) == "unchanged: job a runs"
    assert origins == [None]


def test_a_new_release_starts_from_the_savepoint_of_the_old(flink: Flink, state: Path) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.saves("a", {"location": "s3://flink/sp-1"})
    done = deploy(
        Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins))
    )
    assert done == "deployed: job b runs, started from s3://flink/sp-1"
    assert origins == [None, "s3://flink/sp-1"]


def test_without_a_savepoint_the_old_job_goes_on_and_no_other_is_started(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.saves("a", {"failure-cause": {"stack-trace": "No space left\n at ..."}})
    with pytest.raises(ClusterError, match="The savepoint failed: No space left"):
        deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None]
    assert json.loads(state.read_text())["digest"] == "one"


def test_a_job_that_is_gone_goes_on_from_its_newest_checkpoint(flink: Flink, state: Path) -> None:
    origins: list[str | None] = []
    wanted = Wanted("one", WITHIN_S, starts(flink, "a", origins))
    deploy(Cluster(flink.address), state, wanted)
    flink.runs("a", state="FAILED")
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None, "s3://flink/chk-9"]


def test_a_job_that_left_nothing_to_go_on_from_is_not_started_anew(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    wanted = Wanted("one", WITHIN_S, starts(flink, "a", origins))
    deploy(Cluster(flink.address), state, wanted)
    flink.answers = {"GET /jobs/overview": {"jobs": []}}
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        deploy(Cluster(flink.address), state, wanted)
    assert origins == [None]


def old_job(flink: Flink, state: Path) -> Deployed:
    """A job that was started from a savepoint weeks ago and does not run any more."""
    flink.answers = {"GET /jobs/overview": {"jobs": []}}
    old = Deployed("one", "a", "s3://flink/weeks-old")
    keep_deployed(state, old)
    return old


def test_a_job_that_flink_has_forgotten_does_not_go_back_to_what_it_once_started_from(
    flink: Flink, state: Path
) -> None:
    old_job(flink, state)
    origins: list[str | None] = []
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == []


def test_a_flink_that_fails_when_asked_for_checkpoints_is_not_one_that_has_none(
    flink: Flink, state: Path
) -> None:
    old = old_job(flink, state)
    flink.failures["GET /jobs/a/checkpoints"] = [500]
    origins: list[str | None] = []
    with pytest.raises(ClusterError, match=r"/jobs/a/checkpoints says 500"):
        deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == []
    assert read_deployed(state) == old


def test_a_savepoint_is_asked_for_until_flink_answers(flink: Flink, state: Path) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.saves("a", {"location": "s3://flink/sp-1"})
    flink.failures = {
        "POST /jobs/a/stop": [503],
        "GET /jobs/a/savepoints/TRIGGER": [500, 503],
    }
    deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None, "s3://flink/sp-1"]
    assert len(set(flink.triggers)) == 1


@pytest.mark.parametrize("stopped_meanwhile", [True, False])
def test_a_stop_of_unknown_end_is_found_again_by_the_next_deployment(
    flink: Flink, state: Path, *, stopped_meanwhile: bool
) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.is_saving("a")
    second = Wanted("two", 0.05, starts(flink, "b", origins))
    with pytest.raises(ClusterError, match=r"not known after .* whether job a will stop"):
        deploy(Cluster(flink.address), state, second)
    assert json.loads(state.read_text())["trigger"] == flink.triggers[0]
    if stopped_meanwhile:
        flink.has_stopped("a", "s3://flink/sp-1")
    else:
        flink.saves("a", {"location": "s3://flink/sp-1"})
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None, "s3://flink/sp-1"]
    assert len(set(flink.triggers)) == 1


def test_a_savepoint_that_failed_is_not_asked_for_again_by_its_trigger(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    second = Wanted("two", WITHIN_S, starts(flink, "b", origins))
    flink.saves("a", {"failure-cause": {"stack-trace": "No space left"}})
    with pytest.raises(ClusterError):
        deploy(Cluster(flink.address), state, second)
    flink.saves("a", {"location": "s3://flink/sp-2"})
    deploy(Cluster(flink.address), state, second)
    assert len(set(flink.triggers)) == 2
    assert origins == [None, "s3://flink/sp-2"]


@pytest.mark.parametrize(
    ("latest", "origin"),
    [
        ({"restored": "s3://flink/sp-0", "completed": "s3://flink/chk-1"}, "s3://flink/chk-1"),
        ({"completed": "s3://flink/chk-1", "savepoint": "s3://flink/sp-2"}, "s3://flink/sp-2"),
        ({"restored": "s3://flink/sp-0"}, "s3://flink/sp-0"),
        ({}, "s3://flink/from-the-file"),
    ],
)
def test_a_job_that_does_not_run_is_replaced_and_loses_nothing(
    flink: Flink, state: Path, latest: dict[str, str], origin: str
) -> None:
    keep_deployed(state, Deployed("bad", "a", "s3://flink/from-the-file"))
    flink.runs("a", state="RESTARTING")
    flink.remembers("a", **latest)
    origins: list[str | None] = []
    wanted = Wanted("mended", 0.2, starts(flink, "b", origins))
    assert deploy(Cluster(flink.address), state, wanted).startswith("deployed: job b runs")
    assert origins == [origin]
    assert flink.was_cancelled("a")
    assert not flink.triggers


def test_a_job_whose_checkpoints_would_go_with_it_is_not_cancelled(
    flink: Flink, state: Path
) -> None:
    flink.runs("a", state="RESTARTING")
    deleted = {"enabled": False, "delete_on_cancellation": True}
    flink.answers["GET /jobs/a/checkpoints/config"] = {"externalization": deleted}
    with pytest.raises(ClusterError, match="Flink would delete its checkpoints with it"):
        deploy(Cluster(flink.address), state, Wanted("two", 0.05, starts(flink, "b", [])))
    assert not flink.was_cancelled("a")


def test_a_checkpoint_that_flink_has_deleted_is_not_gone_on_from(flink: Flink, state: Path) -> None:
    keep_deployed(state, Deployed("one", "a", "s3://flink/weeks-old"))
    flink.runs("a", state="FAILED")
    flink.remembers("a", savepoint="s3://flink/sp-0", completed="s3://flink/chk-1")
    latest = flink.answers["GET /jobs/a/checkpoints"]["latest"]
    latest["completed"]["discarded"] = True
    latest["restored"] = {**latest["completed"], "discarded": None}
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        deploy(Cluster(flink.address), state, Wanted("two", 0.05, starts(flink, "b", [])))


def test_a_job_that_recovers_is_stopped_with_a_savepoint(flink: Flink, state: Path) -> None:
    flink.runs("a", state="RUNNING")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    flink.failures["GET /jobs/a"] = [503, 503]
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == ["s3://flink/sp-1"]
    assert not flink.was_cancelled("a")


def test_a_job_that_stops_running_when_it_is_to_take_a_savepoint_is_cancelled(
    flink: Flink, state: Path
) -> None:
    keep_deployed(state, Deployed("bad", "a", None, trigger="0" * 32))
    flink.runs("a", state="RESTARTING")
    flink.triggers.append("0" * 32)
    flink.saves("a", {"failure-cause": {"stack-trace": "Not all required tasks are running"}})
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("two", 0.2, starts(flink, "b", origins)))
    assert origins == ["s3://flink/chk-9"]
    assert flink.was_cancelled("a")


def test_a_job_whose_checkpoints_are_not_known_yet_is_left_alone(flink: Flink, state: Path) -> None:
    running = Deployed("one", "a", "s3://flink/weeks-old")
    keep_deployed(state, running)
    flink.runs("a", state="INITIALIZING")
    flink.remembers("a")
    origins: list[str | None] = []
    with pytest.raises(ClusterError, match="Job a is only being initialized"):
        deploy(Cluster(flink.address), state, Wanted("two", 0.05, starts(flink, "b", origins)))
    assert read_deployed(state) == running
    assert not flink.was_cancelled("a")
    named = Wanted("two", 0.05, starts(flink, "b", origins), "s3://flink/chk-7")
    deploy(Cluster(flink.address), state, named)
    assert flink.was_cancelled("a")
    assert origins == ["s3://flink/chk-7"]


def bad(flink: Flink, job: str) -> Callable[[str | None], str]:
    def start(_: str | None) -> str:
        flink.runs(job, state="RESTARTING", checkpoints=0)
        return job

    return start


def test_a_new_job_that_does_not_serve_is_cancelled_and_the_former_release_goes_on(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    first = Wanted("one", WITHIN_S, starts(flink, "a", origins))
    deploy(Cluster(flink.address), state, first)
    flink.saves("a", {"location": "s3://flink/sp-1"})
    with pytest.raises(
        ClusterError,
        match=r"was cancelled, so that none runs now: deploy the former release or a mended one, "
        r"which goes on from s3://flink/sp-1",
    ):
        deploy(Cluster(flink.address), state, Wanted("two", 0.05, bad(flink, "b")))
    assert flink.was_cancelled("b")
    assert read_deployed(state) == Deployed(STOPPED, "a", "s3://flink/sp-1")
    deploy(Cluster(flink.address), state, first)
    assert origins == [None, "s3://flink/sp-1"]


def test_a_first_job_that_does_not_serve_leaves_the_beginning(flink: Flink, state: Path) -> None:
    with pytest.raises(ClusterError, match="goes on from the beginning of the topics"):
        deploy(Cluster(flink.address), state, Wanted("one", 0.05, bad(flink, "a")))
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("two", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None]


def test_a_bad_job_that_cannot_be_cancelled_is_told_and_ended_by_the_next_deployment(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    first = Wanted("one", 0.2, starts(flink, "a", origins))
    deploy(Cluster(flink.address), state, first)
    flink.saves("a", {"location": "s3://flink/sp-1"})
    flink.failures["PATCH /jobs/b?mode=cancel"] = [400]
    with pytest.raises(ClusterError, match=r"could not be cancelled .* says 400.* deploy again"):
        deploy(Cluster(flink.address), state, Wanted("two", 0.05, bad(flink, "b")))
    flink.remembers("b", restored="s3://flink/sp-1")
    deploy(Cluster(flink.address), state, first)
    assert flink.was_cancelled("b")
    assert origins == [None, "s3://flink/sp-1"]


def test_after_a_start_that_failed_the_next_goes_on_from_where_the_old_was_stopped(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.saves("a", {"location": "s3://flink/sp-1"})

    def refused(origin: str | None) -> str:
        flink.answers["GET /jobs/overview"] = {"jobs": []}
        del flink.answers["GET /jobs/a/checkpoints"]
        raise ClusterError(f"no such savepoint: {origin}")

    with pytest.raises(ClusterError, match="no such savepoint: s3://flink/typo"):
        deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, refused, "s3://flink/typo"))
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "b", origins)))
    assert origins == [None, "s3://flink/sp-1"]


def test_a_job_that_ran_before_is_not_started_anew_on_a_host_that_does_not_know_it(
    flink: Flink, state: Path
) -> None:
    origins: list[str | None] = []
    start = starts(flink, "a", origins)
    with pytest.raises(ClusterError, match=r"the job has run before.*--from scratch"):
        deploy(
            Cluster(flink.address), state, Wanted("one", WITHIN_S, start, ran_before=lambda: True)
        )
    assert origins == []
    scratch = Wanted("one", WITHIN_S, start, "scratch", ran_before=lambda: True)
    deploy(Cluster(flink.address), state, scratch)
    assert origins == [None]


def test_checkpoints_outlive_a_job_and_one_that_fails_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assembled = Mock()
    monkeypatch.setattr(submit_module, "assemble", assembled)
    monkeypatch.setattr(submit_module, "verdict_jar", lambda _: tmp_path)
    own = {"parallelism.default": "2"}
    submit_module.submit(Kafka(("k:9092",)), "jm:8081", tmp_path, own, "s3://flink/sp-1")
    settings = assembled.call_args.args[3]
    assert settings["execution.state-recovery.path"] == "s3://flink/sp-1"
    checkpoints = "execution.checkpointing."
    retention = settings[f"{checkpoints}externalized-checkpoint-retention"]
    assert retention == "RETAIN_ON_CANCELLATION"
    assert int(settings[f"{checkpoints}tolerable-failed-checkpoints"]) > 0


def test_the_group_that_is_asked_for_is_the_jobs() -> None:
    assert f"'properties.group.id' = '{GROUP}'" in (SQL / "kafka" / "incoming.sql").read_text()


def test_a_start_from_scratch_is_asked_for_by_name(flink: Flink, state: Path) -> None:
    origins: list[str | None] = []
    deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "a", origins)))
    flink.saves("a", {"location": "s3://flink/sp-1"})
    deploy(
        Cluster(flink.address),
        state,
        Wanted("one", WITHIN_S, starts(flink, "b", origins), "scratch"),
    )
    assert origins == [None, None]


def test_two_live_jobs_are_refused(flink: Flink, state: Path) -> None:
    jobs = [{"jid": jid, "name": NAME, "state": "RUNNING"} for jid in "ab"]
    flink.answers["GET /jobs/overview"] = {"jobs": jobs}
    with pytest.raises(ClusterError, match=r"Two jobs .* are alive \(a, b\)"):
        deploy(Cluster(flink.address), state, Wanted("one", WITHIN_S, starts(flink, "c", [])))


def test_a_job_that_never_completes_a_checkpoint_is_told_with_its_exception(flink: Flink) -> None:
    flink.runs("a", checkpoints=0)
    trace = "java.lang.RuntimeException: outer\nCaused by: x.Inner: no such topic"
    flink.answers["GET /jobs/a/exceptions"] = {
        "exceptionHistory": {"entries": [{"stacktrace": trace, "timestamp": 7}]}
    }
    with pytest.raises(ClusterError, match=r"not run for 2 checkpoints within .*no such topic"):
        Cluster(flink.address).serving("a", 0.05)


@pytest.mark.parametrize(
    ("completed", "failed", "serves"),
    [
        ([], [], False),
        ([1], [], False),
        ([1, 2], [], True),
        ([1, 3], [2], False),
        ([1, 3, 4], [2], True),
        ([1, 3, 4, 6], [2, 5], False),
        ([6, 7], [2, 5], True),
    ],
)
def test_a_job_serves_with_two_checkpoints_since_it_last_failed(
    flink: Flink, completed: list[int], failed: list[int], *, serves: bool
) -> None:
    flink.runs("a")
    flink.answers["GET /jobs/a/checkpoints"]["history"] = [
        {"status": "IN_PROGRESS", "trigger_timestamp": 9},
        {"status": "FAILED", "trigger_timestamp": 8},
        *({"status": "COMPLETED", "trigger_timestamp": time} for time in completed),
    ]
    entries = [{"stacktrace": "x.Down", "timestamp": time} for time in failed]
    flink.answers["GET /jobs/a/exceptions"] = {"exceptionHistory": {"entries": entries}}
    cluster = Cluster(flink.address)
    if serves:
        cluster.serving("a", 0.05)
    else:
        with pytest.raises(ClusterError, match="not run for 2 checkpoints"):
            cluster.serving("a", 0.05)


def test_a_savepoint_is_of_the_format_that_any_state_backend_starts_from(
    flink: Flink,
) -> None:
    flink.runs("a")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    assert Cluster(flink.address).stop("a", "0" * 32, WITHIN_S) == "s3://flink/sp-1"
    assert [order["formatType"] for order in flink.orders] == ["CANONICAL"]


def test_a_job_that_has_ended_is_not_waited_for(flink: Flink) -> None:
    flink.runs("a", state="FAILED")
    flink.answers["GET /jobs/a/exceptions"] = {}
    with pytest.raises(ClusterError, match="job a ended as FAILED: it tells no exception"):
        Cluster(flink.address).serving("a", 60)


def test_a_cluster_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(ClusterError, match=r"http://127\.0\.0\.1:1 does not answer"):
        Cluster("127.0.0.1:1").live_jobs(NAME)
