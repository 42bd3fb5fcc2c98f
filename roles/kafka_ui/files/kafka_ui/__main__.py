"""The page: kaskade, a program for terminals, drawn in the browser by textual-serve.

Each page that is open has a process of its own, so their number is limited. Whoever reaches the
page sees what is on it; it takes no orders that change Kafka (`topics.py`).
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

from kafka_ui.endpoints import EndpointsError, kafka_of

log = logging.getLogger("kafka_ui")


class Page(Server):
    """textual-serve with a template of our own, a limit, and for its own pages alone."""

    def __init__(self, command: str, port: int, sessions: int) -> None:
        """Nothing is served yet.

        Args:
            command: Starts the program of one session; a shell reads it.
            port: Where to listen, at all addresses.
            sessions: How many may be open at a time.
        """
        super().__init__(
            command,
            host="0.0.0.0",  # noqa: S104 - people open it from their own machines
            port=port,
            title="Kafka",
            templates_path=Path(__file__).with_name("templates"),
        )
        self._sessions = sessions
        self._open = 0

    async def handle_websocket(self, request: web.Request) -> web.StreamResponse:
        """One session, from its start to its end.

        Raises:
            HTTPForbidden: A page of somebody else asks, from the browser of one who may.
            HTTPServiceUnavailable: There are as many sessions as there may be.
        """
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text=f"Open http://{request.host}/ itself.")
        if self._open >= self._sessions:
            log.warning("%d sessions are open, and no more may be", self._open)
            raise web.HTTPServiceUnavailable(text="Too many pages are open: close one.")
        self._open += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._open -= 1


def main() -> None:
    """Run from the command line, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="kafka_ui", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="the file endpoints.json")
    parser.add_argument("--port", type=int, required=True, help="port of the page")
    parser.add_argument("--sessions", type=int, required=True, help="pages open at a time")
    parser.add_argument("--refresh", type=int, required=True, help="seconds between two looks")
    options = parser.parse_args()
    try:
        kafka_of(options.endpoints)
    except EndpointsError as problem:
        # Said now, by the unit, and not in each session to whoever opens the page.
        sys.exit(str(problem))
    command = [sys.executable, "-m", "kafka_ui.topics"]
    command += [f"--endpoints={options.endpoints}", f"--refresh={options.refresh}"]
    Page(f"exec {shlex.join(command)}", options.port, options.sessions).serve()


if __name__ == "__main__":
    main()
