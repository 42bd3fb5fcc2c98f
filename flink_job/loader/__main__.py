"""`python -m flink_job.loader`: the loader as a service."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import REGISTRY, CollectorRegistry, start_http_server

from flink_job.endpoints import ClickHouse, EndpointsError, Kafka, read_endpoints
from flink_job.loader import clickhouse, consumer
from flink_job.loader.backoff import Backoff
from flink_job.loader.consumer import Consumer, MemberLostError
from flink_job.loader.metrics import Metrics
from flink_job.loader.rows import EPOCHS_END
from flink_job.loader.service import Clock, Limits, Service, joined
from flink_job.loader.stop import Stop
from flink_job.loader.tables import TABLES, Client

log = logging.getLogger(__name__)

LOST, MISTAKE = 1, 2


def main(
    arguments: list[str] | None = None,
    *,
    join: Callable[[Kafka, str, Iterable[str], str | None], Consumer] = consumer.join,
    client: Callable[[ClickHouse], Client] = clickhouse.client,
    registry: CollectorRegistry = REGISTRY,
    clock: Clock | None = None,
) -> int:
    """Run until SIGTERM or SIGINT.

    Args:
        arguments: The command line without the program; None for the process's own.
        join: Joins a group on topics under a name of its own, or raises ConsumerError.
        client: Makes a client of ClickHouse.
        registry: Where the metrics are registered and served from.
        clock: Time; None for the real one.

    Returns:
        The exit status: 0 when asked to stop, 1 when the membership was lost for good, which a new
        start mends, 2 for a mistake in the settings.
    """
    chosen = _parser().parse_args(arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
    except EndpointsError as error:
        return _refuse(str(error))
    _log_to_stderr()
    metrics = Metrics(registry)
    try:
        server, _ = start_http_server(chosen.metrics_port, registry=registry)
    except OSError as error:
        return _refuse(f"Port {chosen.metrics_port} for the metrics: {error.strerror}.")

    time = clock or Clock()
    with Stop() as stopping:
        log.info("loading %s as group %s", " and ".join(TABLES), chosen.group)
        member = joined(
            lambda: join(endpoints.kafka, chosen.group, TABLES, chosen.instance),
            metrics,
            stopping,
            time,
            Backoff(),
        )
        status = 0
        if member is not None:
            service = Service(
                consumer=member,
                client=client(endpoints.clickhouse),
                metrics=metrics,
                stopping=stopping,
                epoch=chosen.epoch,
                limits=Limits(messages=chosen.batch_rows, seconds=chosen.batch_ms / 1_000),
                clock=time,
            )
            try:
                service.run()
            except MemberLostError as error:
                log.error("no member of group %s any more: %s", chosen.group, error)  # noqa: TRY400
                status = LOST
        log.info("stopped")
    server.shutdown()
    server.server_close()
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m flink_job.loader",
        description="Bring the results topics into ClickHouse, until SIGTERM.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--endpoints", type=Path, required=True, help="endpoints.json: how to reach the rest"
    )
    parser.add_argument("--group", default="ctr-loader", help="consumer group")
    parser.add_argument(
        "--instance", help="name in the group, kept when started again; no two have the same"
    )
    parser.add_argument(
        "--epoch",
        type=_whole(0, EPOCHS_END - 1),
        default=0,
        help="rows of a higher epoch win, whatever they count",
    )
    parser.add_argument(
        "--metrics-port", type=_whole(0, 65_535), default=9405, help="where Prometheus asks"
    )
    parser.add_argument(
        "--batch-rows", type=_whole(1, 1_000_000), default=20_000, help="messages in a batch"
    )
    parser.add_argument(
        "--batch-ms", type=_whole(1, 60_000), default=50, help="age of a batch's first message"
    )
    return parser


def _whole(lowest: int, highest: int) -> Callable[[str], int]:
    """A type of an option: a whole number within bounds."""

    def whole(text: str) -> int:
        if not (text.isascii() and text.isdigit() and lowest <= int(text) <= highest):
            raise argparse.ArgumentTypeError(
                f"must be a whole number from {lowest} to {highest}, not {text}"
            )
        return int(text)

    return whole


def _log_to_stderr() -> None:
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s", force=True
    )
    # The loader says in one line what this says with a traceback.
    logging.getLogger("clickhouse_driver").setLevel(logging.ERROR)


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
