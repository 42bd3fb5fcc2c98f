"""The page starts with what it needs or says what is wrong, and no question lasts for ever."""

from __future__ import annotations

import json
import signal
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver.errors import NetworkError, ServerException, SocketTimeoutError
from kafka.errors import KafkaConnectionError
from prometheus_client import CollectorRegistry

from flink_job.audit.tables import TablesError
from flink_job.endpoints import ClickHouse
from monitoring.page import clickhouse as clickhouse_module
from monitoring.page.__main__ import MISTAKE, main
from monitoring.page.clickhouse import CONNECTIONS, Connections
from monitoring.page.metrics import Measured, Metrics
from tests.unit.page_played import Clock, Played, full

ENDPOINT = ClickHouse("clickhouse1", 9000, "reader", "secret", "ctr")


@dataclass
class Answer:
    rows: list[tuple[Any, ...]]
    progress: Any = ()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.progress)

    def get_result(self) -> list[tuple[Any, ...]]:
        return self.rows


@dataclass
class Driver:
    """Clients of one server; what `answer` is given for a question, it answers or raises."""

    answer: Any = None
    settings: list[dict[str, object]] = field(default_factory=list)
    asked: list[tuple[str, object]] = field(default_factory=list)
    disconnected: int = 0

    def __call__(self, **settings: object) -> Driver:
        self.settings.append(settings)
        return self

    def execute_with_progress(self, question: str, parameters: object) -> Answer:
        self.asked.append((question, parameters))
        if isinstance(self.answer, Exception):
            raise self.answer
        assert isinstance(self.answer, Answer)
        return self.answer

    def disconnect(self) -> None:
        self.disconnected += 1


def test_a_question_is_asked_with_its_parameters_apart() -> None:
    driver = Driver(Answer([(1,)]))
    connections = Connections(ENDPOINT, driver=driver)
    assert connections.ask("SELECT 1") == [(1,)]
    assert connections.ask("SELECT %(a)s", {"a": "'"}) == [(1,)]
    assert driver.asked == [("SELECT 1", None), ("SELECT %(a)s", {"a": "'"})]
    assert len(driver.settings) == CONNECTIONS
    assert driver.settings[0]["user"] == "reader"
    assert driver.disconnected == 0


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (NetworkError("Connection refused (clickhouse1:9000)"), "Connection refused"),
        (ServerException("DB::Exception: no\nStack trace:\n0. x", 60), "DB::Exception: no."),
        (EOFError(), "EOFError"),
        (TimeoutError("timed out"), "it took too long"),
        (SocketTimeoutError("(clickhouse1:9000)"), "it took too long"),
    ],
)
def test_a_failure_is_one_sentence_and_ends_the_connection(
    failure: Exception, sentence: str
) -> None:
    driver = Driver(failure)
    connections = Connections(ENDPOINT, driver=driver)
    for _ in range(CONNECTIONS + 1):
        with pytest.raises(TablesError, match="ClickHouse does not answer") as told:
            connections.ask("SELECT 1")
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)
    assert driver.disconnected == CONNECTIONS + 1, "each is asked again, none is lost"


def test_a_question_that_takes_too_long_is_left() -> None:
    clock = Clock()

    def slowly() -> Iterator[int]:
        while True:
            clock.now += 0.1
            yield 1

    driver = Driver(Answer([], slowly()))
    connections = Connections(ENDPOINT, driver=driver, clock=clock)
    with pytest.raises(TablesError, match="not answered within 3 seconds"):
        connections.ask("SELECT 1")
    assert clock.now == pytest.approx(3, abs=0.2)
    assert driver.disconnected == 1


def test_who_finds_no_connection_free_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse_module, "CONNECTIONS", 0)
    connections = Connections(ENDPOINT, driver=Driver(), answer_s=0)
    with pytest.raises(TablesError, match="all connections to it wait"):
        connections.ask("SELECT 1")


def test_questions_and_failures_are_counted() -> None:
    registry = CollectorRegistry()
    driver = Driver(Answer([(1,)]))
    measured = Measured(Connections(ENDPOINT, driver=driver), Metrics(registry))
    measured.ask("SELECT 1")
    driver.answer = EOFError()
    with pytest.raises(TablesError):
        measured.ask("SELECT 1")
    assert registry.get_sample_value("ctr_page_clickhouse_seconds_count") == 2
    assert registry.get_sample_value("ctr_page_clickhouse_errors_total") == 1


@pytest.fixture
def endpoints(tmp_path: Path) -> Path:
    told = {
        "kafka": {"bootstrap.servers": "kafka1:9092"},
        "clickhouse": {
            "host": "clickhouse1",
            "port": 9000,
            "user": "reader",
            "password": "secret",
            "database": "ctr",
        },
    }
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps(told))
    return file


def no_kafka(**_settings: object) -> None:
    raise KafkaConnectionError("no brokers")


def run(
    endpoints: Path, serve: Callable[[Any], None], port: str = "0", played: Played | None = None
) -> int:
    before = signal.getsignal(signal.SIGTERM)
    try:
        return main(
            [f"--endpoints={endpoints}", f"--port={port}"],
            clickhouse=lambda _endpoint: played or full(),
            kafka=no_kafka,
            registry=CollectorRegistry(),
            serve=serve,
        )
    finally:
        signal.signal(signal.SIGTERM, before)


def unserved(_server: object) -> None:
    pytest.fail("nothing was to be served")


def test_it_serves_until_it_is_asked_to_stop(endpoints: Path) -> None:
    answers: list[str] = []

    def serve(server: Any) -> None:  # noqa: ANN401 - waitress has no types
        port = server.effective_listen[0][1]

        def ask() -> None:
            for path in ("healthz", "api/products/a%2Fb"):
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=60) as got:
                    answers.append(got.read().decode())
                    assert "Server" not in got.headers
            signal.raise_signal(signal.SIGTERM)
            # The server looks up when something comes in.
            with socket.create_connection(("127.0.0.1", port)):
                pass

        threading.Thread(target=ask, daemon=True).start()
        server.run()

    assert run(endpoints, serve) == 0
    assert answers[0] == "ok\n"
    assert json.loads(answers[1])["product_id"] == "a/b"


def test_a_mistake_in_the_settings_is_one_sentence(
    endpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.json", unserved) == MISTAKE
    assert (
        capsys.readouterr().err
        == f"{tmp_path}/none.json cannot be read: No such file or directory.\n"
    )
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(endpoints, unserved, str(port)) == MISTAKE
    assert capsys.readouterr().err == f"Port {port}: Address already in use.\n"
    with pytest.raises(SystemExit):
        run(endpoints, unserved, "70000")
    assert "must be a whole number up to 65535, not 70000" in capsys.readouterr().err
