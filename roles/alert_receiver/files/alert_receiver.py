#!/usr/bin/python3
"""What Alertmanager tells, remembered and told again: a receiver for tests and drills.

`POST /` takes Alertmanager's webhook (version 4). `GET /?since=EPOCH` answers with a JSON list of
what was told since, the oldest first: `at` (epoch seconds of its coming), `status` (firing,
resolved), `labels` and `annotations`. The last thousand are kept, in memory.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

KEPT = 1_000
# Alertmanager's own messages are some kilobytes.
LONGEST = 10_000_000


class UnreadableError(Exception):
    """What came is not what is asked for; the message says what is."""


@dataclass(frozen=True, slots=True)
class Told:
    """One alert, as Alertmanager told of it.

    Attributes:
        at: When it came, in epoch seconds.
        status: `firing` or `resolved`.
        labels: Its labels; `alertname` is one of them.
        annotations: Its annotations, as they were rendered.
    """

    at: float
    status: str
    labels: dict[str, str]
    annotations: dict[str, str]


@dataclass(slots=True)
class Memory:
    """The newest alerts that were told, the oldest first; appending and copying take no lock."""

    told: deque[Told] = field(default_factory=lambda: deque(maxlen=KEPT))

    def since(self, epoch: float) -> list[Told]:
        """What came at that time or later."""
        return [one for one in list(self.told) if one.at >= epoch]


def read_webhook(body: bytes, now: float) -> list[Told]:
    """The alerts of one message of Alertmanager.

    Raises:
        UnreadableError: It is not such a message.
    """
    try:
        return [
            Told(now, str(alert["status"]), dict(alert["labels"]), dict(alert["annotations"]))
            for alert in json.loads(body)["alerts"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise UnreadableError(
            f"This is no message of Alertmanager's webhook ({type(error).__name__}: {error}); post "
            'JSON with "alerts", each with "status", "labels" and "annotations".'
        ) from error


def read_since(target: str) -> float:
    """The epoch of a request's `since`; 0 where there is none.

    Raises:
        UnreadableError: It is no number.
    """
    given = parse_qs(urlsplit(target).query).get("since", ["0"])[-1]
    try:
        since = float(given)
    except ValueError:
        since = math.nan
    if math.isnan(since):
        raise UnreadableError(f"since is {given!r}: give epoch seconds, as in /?since=1764000000.")
    return since


def handler(memory: Memory, now: Callable[[], float]) -> type[BaseHTTPRequestHandler]:
    """The class that answers requests out of a memory."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LONGEST:
                self.close_connection = True
                self._answer(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    {"error": f"A message has at most {LONGEST} bytes."},
                )
                return
            try:
                memory.told.extend(read_webhook(self.rfile.read(length), now()))
            except UnreadableError as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            else:
                self._answer(HTTPStatus.OK, {})

        def do_GET(self) -> None:
            try:
                since = read_since(self.path)
            except UnreadableError as error:
                self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            else:
                self._answer(HTTPStatus.OK, [asdict(one) for one in memory.since(since)])

        def _answer(self, status: HTTPStatus, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Requests are not logged: drills ask every second."""

    return Handler


def main(words: list[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="Remember what Alertmanager tells.")
    parser.add_argument("--port", type=int, required=True, help="port, on all addresses")
    arguments = parser.parse_args(words)
    server = ThreadingHTTPServer(("", arguments.port), handler(Memory(), time.time))
    server.serve_forever()


if __name__ == "__main__":
    main()
