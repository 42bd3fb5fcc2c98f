"""Locust as it is installed, a master and two workers; Kafka alone is played, by librdkafka."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtest.fields import FIELDS
from loadtest.shape import Kind
from loadtest.swarm import Master, main
from monitoring.pictures.browser import chromium
from tests.chromium import needs_chromium
from tests.load_page import FIRST, SECOND, driven

ROOT = Path(__file__).parents[2]
STARTS_WITHIN_S = 120
WORKERS = 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("locust")
    endpoints = folder / "endpoints.json"
    kafka = {"bootstrap.servers": "played", "test.mock.num.brokers": 3, "log_level": 0}
    endpoints.write_text(json.dumps({"kafka": kafka}))
    web, lead = free_port(), free_port()
    file = f"--locustfile={ROOT / 'loadtest' / 'locustfile.py'}"
    locust = [sys.executable, "-m", "locust", file]
    master = ["--master", f"--master-bind-port={lead}", f"--web-port={web}", "--web-host=127.0.0.1"]
    master += [f"--users={WORKERS}", "--spawn-rate=100", f"--reports={folder / 'reports'}"]
    worker = ["--worker", "--master-host=127.0.0.1", f"--master-port={lead}"]
    commands = [[*locust, *master, f"--endpoints={endpoints}"], *[[*locust, *worker]] * WORKERS]
    said = (folder / "log").open("w")
    processes = [
        subprocess.Popen(  # noqa: S603 - code of this test
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=said, stderr=said
        )
        for command in commands
    ]
    try:
        url = f"http://127.0.0.1:{web}"
        deadline = time.monotonic() + STARTS_WITHIN_S
        while workers(url) != WORKERS:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        said.close()


def workers(url: str) -> int | None:
    try:
        with urllib.request.urlopen(f"{url}/worker-count", timeout=5) as answer:  # noqa: S310
            return int(json.load(answer)["worker_count"])
    except OSError:
        return None


def test_a_distributed_run_ends_by_itself_and_reports_the_truth(
    address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = ["--rate=400", "--duration=2", "--bad=0.1", "--shape=ramp", "--skew=0"]
    assert main(["run", "--master", address, *fields]) == 0
    assert "400 events acknowledged by Kafka, 0 failed" in capsys.readouterr().out
    report = Master(address).report(0)
    assert report["acknowledged"] == {"impressions": 320, "clicks": 80}
    assert report["workers"] == {"began": WORKERS, "ended": WORKERS}
    assert report["unknown"] == 0
    for topic, events in report["acknowledged"].items():
        assert sum(report["outcomes"][topic].values()) == events
        rejected = set(report["outcomes"][topic]) - {"counted", "late"}
        bad = sum(report["outcomes"][topic][name] for name in rejected)
        assert abs(bad - events / 10) <= WORKERS


@needs_chromium
def test_a_person_starts_changes_and_stops_a_distributed_run_in_a_browser(address: str) -> None:
    with chromium() as browser:
        seen = driven(browser, address)
    assert FIELDS.keys() <= seen.fields
    assert seen.shapes == list(map(str, Kind))
    assert seen.clients == ["confluent", "kafka-python"]
    assert seen.report["fields"]["rate"] == FIRST
    assert [change["fields"] for change in seen.report["changes"]] == [{"rate": SECOND}]
    assert seen.report["end"] == "stopped"
    assert seen.report["unknown"] == 0
    made = sum(sum(outcomes.values()) for outcomes in seen.report["outcomes"].values())
    assert made == sum(seen.report["acknowledged"].values()) >= 3 * FIRST + 3 * SECOND
