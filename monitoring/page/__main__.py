"""`python -m monitoring.page`: the CTR page as a service."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer
from prometheus_client import REGISTRY, CollectorRegistry
from waitress.server import create_server

from flink_job.endpoints import EndpointsError, read_endpoints
from monitoring.page.app import make_app
from monitoring.page.clickhouse import Connections
from monitoring.page.metrics import Measured, Metrics
from monitoring.page.numbers import Numbers
from monitoring.page.tables import Asked, Tables
from monitoring.page.topics import Watch

MISTAKE = 2
HIGHEST_PORT = 65_535
THREADS = 8
# The page takes no content, and an address with an id of any length fits in this.
LARGEST_BODY, LARGEST_HEAD = 1_024, 262_144


def main(
    arguments: list[str] | None = None,
    *,
    clickhouse: Callable[..., Asked] = Connections,
    kafka: Callable[..., Any] = KafkaConsumer,
    registry: CollectorRegistry = REGISTRY,
    serve: Callable[[Any], None] = lambda server: server.run(),
) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        arguments: The command line without the program; None for the process's own.
        clickhouse: Connects to an endpoint.
        kafka: Makes a consumer.
        registry: Where the metrics are registered and served from.
        serve: Serves requests until it is time to stop.

    Returns:
        The exit status: 0 when asked to stop, 2 for a mistake in the settings.
    """
    chosen = _parser().parse_args(arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
    except EndpointsError as error:
        return _refuse(str(error))
    _log_to_stderr()
    metrics = Metrics(registry)
    watch = Watch(endpoints.kafka, kafka=kafka)
    numbers = Numbers(Tables(Measured(clickhouse(endpoints.clickhouse), metrics)), watch.known)
    try:
        server = create_server(
            make_app(numbers, metrics, registry),
            listen=f"*:{chosen.port}",
            threads=THREADS,
            ident="",
            max_request_body_size=LARGEST_BODY,
            max_request_header_size=LARGEST_HEAD,
        )
    except OSError as error:
        return _refuse(f"Port {chosen.port}: {error.strerror}.")
    signal.signal(signal.SIGTERM, _leave)
    stopping = threading.Event()
    beside = [
        threading.Thread(target=work, args=(stopping,), daemon=True)
        for work in (watch.run, numbers.keep_warm)
    ]
    for thread in beside:
        thread.start()
    try:
        serve(server)
    finally:
        stopping.set()
        server.close()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m monitoring.page",
        description="Serve the CTR page, until SIGTERM.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--endpoints", type=Path, required=True, help="endpoints.json: how to reach the rest"
    )
    parser.add_argument("--port", type=_port, default=8000, help="where the page is")
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"must be a whole number up to {HIGHEST_PORT}, not {text}")
    return int(text)


def _leave(_number: int, _frame: object) -> None:
    # The server takes it for the wish to stop, and lets requests end that are under way.
    raise SystemExit


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s", force=True
    )
    # The page itself shows what these say with a traceback or for every connection.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
