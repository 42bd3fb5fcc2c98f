"""What both services have in common: command line, page of metrics, threads, and the end."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread

from prometheus_client import CollectorRegistry, start_http_server

from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints
from flink_job.loader.stop import Stop

log = logging.getLogger(__name__)

STOPPED, DIED, MISTAKE = 0, 1, 2
PORTS_END = 65_536
# How long a signal, or the death of a thread, may go unseen.
LOOK_UP_S = 0.5
END_WITHIN_S = 5.0

Loops = Mapping[str, Callable[[], None]]


def command_line(program: str, description: str | None, port: int) -> argparse.ArgumentParser:
    """What each service is told, with its own default of `--port`."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--endpoints", type=Path, required=True, help="endpoints.json: how to reach the rest"
    )
    parser.add_argument("--port", type=_port, default=port, help="where Prometheus asks")
    return parser


def serve(
    endpoints: Path,
    port: int,
    registry: CollectorRegistry,
    loops: Callable[[Endpoints, Callable[[], bool]], Loops],
) -> int:
    """Serve the metrics and run the loops, each in a thread, until SIGTERM or SIGINT.

    Args:
        endpoints: The file that says how to reach Kafka and ClickHouse.
        port: Where the metrics are served.
        registry: The metrics.
        loops: Makes what is to run, by name; each ends soon after somebody has asked to stop.

    Returns:
        The exit status: 0 when asked to stop, 1 if a loop has ended by itself, 2 for a mistake in
        the settings.
    """
    try:
        reached = read_endpoints(endpoints)
    except EndpointsError as error:
        return _refuse(str(error))
    _log_to_stderr()
    try:
        server, _ = start_http_server(port, registry=registry)
    except OSError as error:
        return _refuse(f"Port {port} for the metrics: {error.strerror}.")
    with Stop() as stopping:
        threads = [
            Thread(target=loop, name=name, daemon=True)
            for name, loop in loops(reached, stopping).items()
        ]
        for thread in threads:
            thread.start()
        while not stopping() and all(thread.is_alive() for thread in threads):
            time.sleep(LOOK_UP_S)
        if not stopping():
            # Half a service would show half of the truth: systemd starts it again in whole.
            dead = ", ".join(thread.name for thread in threads if not thread.is_alive())
            log.error("%s has ended by itself, as it says above; so does all else", dead)
            return DIED
        for thread in threads:
            thread.join(END_WITHIN_S)
    server.shutdown()
    server.server_close()
    return STOPPED


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < PORTS_END):
        raise argparse.ArgumentTypeError(f"must be a number below {PORTS_END}, not {text}")
    return int(text)


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s", force=True
    )
    # The services say in one line each what these say with a traceback or for every connection.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return MISTAKE
