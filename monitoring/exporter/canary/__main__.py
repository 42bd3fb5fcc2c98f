"""`python -m monitoring.exporter.canary`: how long events take to become rows, until SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry

from flink_job.audit.tables import connected
from flink_job.endpoints import Endpoints
from flink_job.loader.service import Clock
from monitoring.exporter.canary.flight import Flight
from monitoring.exporter.canary.metrics import Metrics
from monitoring.exporter.canary.outlet import Outlet
from monitoring.exporter.canary.rows import SETTINGS, Lookout
from monitoring.exporter.canary.sender import Sender
from monitoring.exporter.service import Loops, command_line, serve

PORT = 9407


def main(arguments: list[str] | None = None, *, registry: CollectorRegistry = REGISTRY) -> int:
    """Run from the command line; the exit status: see `service.serve`."""
    told = command_line("monitoring.exporter.canary", __doc__, PORT)
    told.add_argument("--keep", type=Path, help="file that keeps what was counted, over restarts")
    chosen = told.parse_args(arguments)
    metrics = Metrics(registry, chosen.keep)
    return serve(
        chosen.endpoints,
        chosen.port,
        registry,
        lambda endpoints, stopping: _loops(endpoints, metrics, stopping),
    )


def _loops(endpoints: Endpoints, metrics: Metrics, stopping: Callable[[], bool]) -> Loops:
    clock = Clock()
    flight = Flight(metrics, clock)
    outlet = Outlet(endpoints.kafka)
    lookout = Lookout(lambda: connected(endpoints.clickhouse, **SETTINGS), flight, stopping, clock)
    return {
        "kafka": lambda: outlet.keep_connected(stopping, clock),
        "sender": Sender(outlet, flight, stopping, clock).run,
        "lookout": lookout.run,
    }


if __name__ == "__main__":
    sys.exit(main())
