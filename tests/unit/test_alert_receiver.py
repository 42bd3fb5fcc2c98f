"""The receiver tells what it was told, and refuses the rest in a sentence."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PATH = Path(__file__).parents[2] / "roles/alert_receiver/files/alert_receiver.py"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("alert_receiver", PATH)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    # A dataclass looks its own module up.
    monkeypatch.setitem(sys.modules, "alert_receiver", loaded)
    spec.loader.exec_module(loaded)
    return loaded


class Asked:
    """A receiver that serves; each message comes a second after the one before."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(
        self, method: str, target: str, body: bytes = b"", **headers: str
    ) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, target, body or None, headers)
        answer = connection.getresponse()
        content = json.load(answer)
        connection.close()
        return answer.status, content

    def post(self, *alerts: dict[str, Any]) -> tuple[int, Any]:
        return self("POST", "/", json.dumps({"version": "4", "alerts": list(alerts)}).encode())


@pytest.fixture
def asked(receiver: ModuleType) -> Iterator[Asked]:
    seconds = iter(range(1_000, 2_000))
    handler = receiver.handler(receiver.Memory(), lambda: float(next(seconds)))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Asked(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()


def alert(name: str, status: str = "firing") -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": name, "host": "kafka2"},
        "annotations": {"summary": f"{name} it is"},
        "startsAt": "2026-11-27T09:00:00Z",
        "fingerprint": "1",
    }


def test_alerts_are_told_in_the_order_of_their_coming(asked: Asked) -> None:
    asked.post(alert("KafkaBrokerDown"))
    asked.post(alert("HostDown"), alert("KafkaBrokerDown", "resolved"))
    status, told = asked("GET", "/")
    assert status == 200
    assert [(one["at"], one["labels"]["alertname"], one["status"]) for one in told] == [
        (1_000.0, "KafkaBrokerDown", "firing"),
        (1_001.0, "HostDown", "firing"),
        (1_001.0, "KafkaBrokerDown", "resolved"),
    ]
    assert told[1]["annotations"] == {"summary": "HostDown it is"}
    assert set(told[1]) == {"at", "status", "labels", "annotations"}


def test_what_came_before_since_is_left_out(asked: Asked) -> None:
    for name in ("First", "Second", "Third"):
        asked.post(alert(name))
    _, told = asked("GET", "/?since=1001")
    assert [one["labels"]["alertname"] for one in told] == ["Second", "Third"]
    assert asked("GET", "/?since=1002.5") == (200, [])


def test_only_the_newest_are_kept(receiver: ModuleType) -> None:
    memory = receiver.Memory()
    memory.told.extend(receiver.Told(float(n), "firing", {}, {}) for n in range(1_200))
    kept = memory.since(0)
    assert (len(kept), kept[0].at, kept[-1].at) == (1_000, 200.0, 1_199.0)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"\xff", b'{"alerts": 5}', b'{"alerts": [{"status": "firing"}]}'],
)
def test_what_alertmanager_does_not_send_is_refused_and_not_kept(asked: Asked, body: bytes) -> None:
    status, told = asked("POST", "/", body)
    assert status == 400
    assert told["error"].startswith("This is no message of Alertmanager's webhook")
    assert asked("GET", "/") == (200, [])


@pytest.mark.parametrize("since", ["yesterday", "nan"])
def test_a_time_that_is_none_is_refused(asked: Asked, since: str) -> None:
    status, told = asked("GET", f"/?since={since}")
    assert status == 400
    assert told["error"] == f"since is '{since}': give epoch seconds, as in /?since=1764000000."


def test_a_message_that_is_too_long_is_not_read(asked: Asked) -> None:
    status, told = asked("POST", "/", b"", **{"Content-Length": "10000001"})
    assert (status, told) == (413, {"error": "A message has at most 10000000 bytes."})


def test_it_serves_the_port_that_it_is_given(
    receiver: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = []

    class Server:
        def __init__(self, address: tuple[str, int], _: object) -> None:
            self.address = address

        def serve_forever(self) -> None:
            served.append(self.address)

    monkeypatch.setattr(receiver, "ThreadingHTTPServer", Server)
    receiver.main(["--port=9095"])
    assert served == [("", 9095)]
