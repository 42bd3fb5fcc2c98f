"""The tables in ClickHouse, as the domain has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from flink_job.audit.flow import Written
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.endpoints import ClickHouse

SQL = Path(__file__).parent


class TablesError(Exception):
    """The tables cannot be read; the message is a sentence for the operator."""


@contextmanager
def connected(endpoint: ClickHouse, **settings: object) -> Iterator[Any]:
    """A client, for as long as the block lasts.

    Args:
        endpoint: How to reach ClickHouse.
        settings: More of clickhouse-driver's Client, such as its timeouts.

    Raises:
        TablesError: ClickHouse does not answer or refuses.
    """
    client = Client(**endpoint.client_arguments(), **settings)
    try:
        yield client
    # The last is a connection that ended in the middle of an answer.
    except (Error, OSError, EOFError) as problem:
        said = str(problem).strip().splitlines() or [type(problem).__name__]
        raise TablesError(f"ClickHouse cannot be asked: {said[0]}") from problem
    finally:
        client.disconnect()


def read_windows(client: Any) -> dict[WindowKey, Counts]:  # noqa: ANN401 - the driver is untyped
    """Every window, final."""
    return {
        WindowKey(product, start * 1_000): Counts(impressions, clicks)
        for product, start, impressions, clicks in _rows(client, "windows.sql")
    }


def read_ledger(client: Any) -> dict[LedgerKey, Entry]:  # noqa: ANN401
    """Every row of the ledger, final."""
    return {
        LedgerKey(topic, partition, Outcome(outcome), hour * 1_000): Entry(events, first, last)
        for topic, partition, outcome, hour, events, first, last in _rows(client, "ledger.sql")
    }


def read_events_by_hour(client: Any) -> dict[int, int]:  # noqa: ANN401
    """Impressions and clicks of all windows, dropped ones too, by hour in ms since the epoch."""
    return {hour * 1_000: events for hour, events in _rows(client, "windows_by_hour.sql")}


def read_dropped_hours(client: Any) -> set[int]:  # noqa: ANN401
    """Hours whose windows are not kept any more, in ms since the epoch."""
    return {hour * 1_000 for (hour,) in _rows(client, "dropped.sql")}


def read_reached(client: Any) -> dict[tuple[str, int], int]:  # noqa: ANN401
    """The last offset that the ledger has of each partition of the input."""
    return {(topic, partition): last for topic, partition, last in _rows(client, "reached.sql")}


def read_written(client: Any) -> Written:  # noqa: ANN401
    """What was written of late."""
    ((windows, impressions, clicks),) = _rows(client, "lately.sql")
    ((rows, newest, now),) = _rows(client, "newest.sql")
    return Written(windows, impressions, clicks, newest if rows else None, now)


def _rows(client: Any, file: str) -> list[tuple[Any, ...]]:  # noqa: ANN401
    rows: list[tuple[Any, ...]] = client.execute((SQL / file).read_text(encoding="utf-8"))
    return rows
