"""`python -m monitoring.exporter`: what tables and topics tell, for Prometheus, until SIGTERM."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry

from flink_job.endpoints import Endpoints
from flink_job.loader.service import Clock
from monitoring.exporter import events, records, store, tables, topics
from monitoring.exporter.address import Address, Url, url_of
from monitoring.exporter.board import Board
from monitoring.exporter.certificates import Certificates, presenting
from monitoring.exporter.collector import StateCollector
from monitoring.exporter.events import Keeper
from monitoring.exporter.records import Records
from monitoring.exporter.refresher import Refresher
from monitoring.exporter.service import Loops, command_line, serve
from monitoring.exporter.state import State

PORT = 9406


def main(arguments: list[str] | None = None, *, registry: CollectorRegistry = REGISTRY) -> int:
    """Run from the command line; the exit status: see `service.serve`."""
    chosen = parser().parse_args(arguments)
    board = Board()
    registry.register(StateCollector(lambda: board.state, keep=Keeper(chosen.told).keep))
    return serve(
        chosen.endpoints,
        chosen.port,
        registry,
        lambda endpoints, stopping: loops(endpoints, chosen, board, stopping),
    )


def parser() -> argparse.ArgumentParser:
    """What the service is told."""
    told = command_line("monitoring.exporter", __doc__, PORT)
    told.add_argument("--loader", default="ctr-loader", help="consumer group of the loader")
    told.add_argument(
        "--store", type=_store, default="", help="URL of the object store; empty without one"
    )
    told.add_argument(
        "--keep", type=Path, help="file that keeps which offsets hold no record, over restarts"
    )
    told.add_argument(
        "--told", type=Path, help="file that keeps what was told of events, over restarts"
    )
    return told


def loops(
    endpoints: Endpoints, chosen: argparse.Namespace, board: Board, stopping: Callable[[], bool]
) -> Loops:
    """What is to run, by name; the board knows from now on what is looked at."""
    clock = Clock()
    url: Url | None = chosen.store
    board.change(lambda state: _begun(state, endpoints, url, chosen))
    kafka = Refresher(
        "Kafka",
        lambda: topics.watching(endpoints.kafka, chosen.loader),
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
    reader = Records(partial(records.reading, endpoints.kafka), board, chosen.keep, stopping, clock)
    running = {"kafka": kafka.run, "clickhouse": clickhouse.run, "records": reader.run}
    if url is not None:
        running["store"] = Refresher(
            "The store",
            lambda: store.watching(url),
            board,
            State.with_store,
            State.without_store,
            stopping,
            clock,
        ).run
    # A loop that has nothing to do would end, and so the service.
    if places := presenting(endpoints, url):
        running["certificates"] = Certificates(places, board, stopping, clock).run
    return running


def _begun(
    state: State, endpoints: Endpoints, url: Url | None, chosen: argparse.Namespace
) -> State:
    """What is known before the first look: where sources are, and what former runs have kept."""
    clickhouse = Address(endpoints.clickhouse.host, endpoints.clickhouse.port)
    addresses = {"kafka": endpoints.kafka.bootstrap_servers[0], "clickhouse": str(clickhouse)}
    if url is not None:
        addresses["store"] = str(url.address)
    known = {} if chosen.keep is None else records.kept(chosen.keep)
    tally = state.tally if chosen.told is None else events.kept(chosen.told)
    return replace(state, addresses=addresses, tally=tally, gaps=replace(state.gaps, read=known))


def _store(text: str) -> Url | None:
    if not text:
        return None
    try:
        return url_of(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a URL such as http://store1:7070, not {text}"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
