"""`python -m monitoring.exporter`: what tables and topics tell, for Prometheus, until SIGTERM."""

from __future__ import annotations

import sys
from collections.abc import Callable

from prometheus_client import REGISTRY, CollectorRegistry

from flink_job.endpoints import Endpoints
from flink_job.loader.service import Clock
from monitoring.exporter import tables, topics
from monitoring.exporter.board import Board
from monitoring.exporter.collector import StateCollector
from monitoring.exporter.refresher import Refresher
from monitoring.exporter.service import Loops, command_line, serve
from monitoring.exporter.state import State

PORT = 9406


def main(arguments: list[str] | None = None, *, registry: CollectorRegistry = REGISTRY) -> int:
    """Run from the command line; the exit status: see `service.serve`."""
    parser = command_line("monitoring.exporter", __doc__, PORT)
    parser.add_argument("--loader", default="ctr-loader", help="consumer group of the loader")
    chosen = parser.parse_args(arguments)
    board = Board()
    registry.register(StateCollector(lambda: board.state))
    return serve(
        chosen.endpoints,
        chosen.port,
        registry,
        lambda endpoints, stopping: _loops(endpoints, chosen.loader, board, stopping),
    )


def _loops(endpoints: Endpoints, loader: str, board: Board, stopping: Callable[[], bool]) -> Loops:
    clock = Clock()
    kafka = Refresher(
        "Kafka",
        lambda: topics.watching(endpoints.kafka, loader),
        board,
        State.with_topics,
        State.without_kafka,
        stopping,
        clock,
    )
    clickhouse = Refresher(
        "ClickHouse",
        lambda: tables.watching(endpoints.clickhouse),
        board,
        State.with_tables,
        State.without_clickhouse,
        stopping,
        clock,
    )
    return {"kafka": kafka.run, "clickhouse": clickhouse.run}


if __name__ == "__main__":
    sys.exit(main())
