from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from loadtest.fields import FIELDS
from loadtest.swarm import Master, Progress, SwarmError, main

ROOT = Path(__file__).parents[2]


REPORT = {
    "name": "2026",
    "end": "saturated",
    "workers": {"began": 2, "ended": 1},
    "failed": {"impressions": 0},
    "unknown": 0,
    "outcomes": {"impressions": {"counted": 1_200, "late": 3}, "clicks": {}},
    "held_events_per_second": 40_000.0,
}


def ran(events: int, duration: int, end: str) -> dict[str, Any]:
    return {"events": events, "duration": duration, "end": end, "report": "2026"}


class Fake(BaseHTTPRequestHandler):
    """A locust master: as much of it as a run needs."""

    state = "ready"
    workers = 2
    failed = 2
    run: dict[str, Any] | None
    form: dict[str, list[str]]
    answer: dict[str, Any]

    def do_GET(self) -> None:
        if self.path == "/run":
            self._tell({"run": Fake.run})
            return
        if self.path == "/reports/2026/report.json":
            self._tell(REPORT)
            return
        total = {"num_requests": 10 + Fake.failed, "num_failures": Fake.failed}
        workers = [{"state": "running"}] * self.workers + [{"state": "missing"}]
        errors = [{"occurrences": 2, "error": "timed out"}]
        self._tell(
            {
                "state": Fake.state,
                "stats": [total],
                "errors": errors,
                "workers": workers,
                "current_rps": 5.0,
            }
        )

    def do_POST(self) -> None:
        Fake.form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if Fake.answer.get("success"):
            Fake.state = "running" if self.path == "/swarm" else "stopped"
        self._tell(Fake.answer)

    def _tell(self, content: dict[str, Any]) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Fake.state, Fake.workers, Fake.answer = "ready", 2, {"success": True}
    Fake.failed, Fake.run = 2, None
    server = HTTPServer(("127.0.0.1", 0), Fake)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_run_has_a_user_a_worker_and_the_fields_that_were_given(url: str) -> None:
    Master(url).start({"rate": 500, "bad": 0.1})
    assert Fake.form == {
        "user_count": ["2"],
        "spawn_rate": ["100"],
        "rate": ["500"],
        "bad": ["0.1"],
    }


def test_what_failed_is_told_apart_from_what_was_acknowledged(url: str) -> None:
    progress = Master(url).progress()
    assert (progress.acknowledged, progress.failed, progress.workers) == (10, 2, 2)
    assert progress.problem == "timed out"


def test_a_refusal_is_the_masters_own_sentence(url: str) -> None:
    Fake.answer = {"success": False, "message": "rate is 0: at least one is needed."}
    with pytest.raises(SwarmError, match="rate is 0"):
        Master(url).start({"rate": 0})


def test_without_workers_no_run_is_started(url: str) -> None:
    Fake.workers = 0
    with pytest.raises(SwarmError, match="has no worker"):
        Master(url).start({})


def test_one_run_at_a_time(url: str) -> None:
    Fake.state = "running"
    with pytest.raises(SwarmError, match="stop it first"):
        Master(url).start({})


def test_a_master_that_is_not_there_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--master", "http://127.0.0.1:9"]) == 2
    assert "does not answer" in capsys.readouterr().err


def test_status_says_that_events_failed_by_its_exit_status(url: str) -> None:
    assert main(["status", "--master", url]) == 1


@pytest.mark.parametrize(
    ("run", "status", "says"),
    [
        (ran(10, 10, "due"), 0, ""),
        (ran(1000, 10, "due"), 1, "10 of the 1,000 events"),
        (ran(1000, 10, "stopped"), 1, "somebody stopped it"),
        (ran(0, 0, "stopped"), 0, ""),
        (None, 1, "knows of no run"),
    ],
)
def test_who_waits_is_told_when_less_was_sent_than_was_asked_for(
    url: str,
    run: dict[str, Any] | None,
    status: int,
    says: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Fake.failed, Fake.run = 0, run
    assert main(["wait", "--master", url]) == status
    told = capsys.readouterr()
    assert "10 events acknowledged" in told.out
    assert run is None or "made: impressions 1,203 (1,200 counted, 3 late)" in told.out
    assert says in told.err
    assert len(told.err.splitlines()) == status


def test_who_stops_a_run_gets_what_was_asked_for(url: str) -> None:
    Fake.state, Fake.failed = "running", 0
    Fake.run = ran(1000, 10, "stopped")
    assert main(["stop", "--master", url]) == 0


def test_what_a_report_cannot_vouch_for_is_told_with_it(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Fake.failed, Fake.run = 0, ran(60, 10, "saturated")
    assert main(["wait", "--master", url]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "report: " in line]
    assert "/reports/2026/" in line
    assert "held 40,000 events/s before it fell behind" in line
    assert "1 of 2 workers never told" in line


def test_a_report_is_printed_as_the_master_has_it(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Fake.run = ran(60, 10, "due")
    assert main(["report", "--master", url]) == 0
    assert json.loads(capsys.readouterr().out) == REPORT


def test_before_it_is_written_there_is_no_report(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Fake.run = {**ran(60, 10, "due"), "report": None}
    assert main(["report", "--master", url]) == 2
    assert "has no report yet" in capsys.readouterr().err


def test_locust_knows_the_fields_of_a_run() -> None:
    # In a process of its own: locust patches the threads of the one that it is imported into.
    told = subprocess.run(  # noqa: S603 - code of this test
        [sys.executable, "-c", ASKS_LOCUST], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    assert set(FIELDS) <= set(json.loads(told))


ASKS_LOCUST = """
import json
import loadtest.locustfile
from locust.argument_parser import get_parser
print(json.dumps(sorted(vars(get_parser().parse_args([])))))
"""


def test_interrupted_it_says_that_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: Master) -> Progress:
        raise KeyboardInterrupt

    monkeypatch.setattr(Master, "progress", interrupted)
    assert main(["status", "--master", "http://localhost"]) == 130
    assert "goes on" in capsys.readouterr().err
