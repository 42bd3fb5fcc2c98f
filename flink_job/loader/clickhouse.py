"""The edge to clickhouse-driver, which has no types."""

from __future__ import annotations

from typing import Any

from clickhouse_driver import Client as Driver
from clickhouse_driver.errors import Error

from flink_job.endpoints import ClickHouse
from flink_job.loader.tables import Client, Columns

# Within these a batch of 20,000 rows is in many times over. They bound how long the loader leaves
# Kafka unpolled: far below max.poll.interval.ms.
CONNECT_TIMEOUT_S = 3
ANSWER_TIMEOUT_S = 20

# All that the driver raises when rows are not in: the server's errors and its own, the socket's and
# TLS's, and a connection that ended in the middle of an answer.
FAILURES: tuple[type[Exception], ...] = (Error, OSError, EOFError)


class NativeClient:
    """A connection by the native protocol, made at the first insert and anew after a failure."""

    def __init__(self, driver: Any) -> None:  # noqa: ANN401 - the untyped edge
        """Wrap a driver's client."""
        self._driver = driver

    def execute(self, query: str, columns: Columns, *, columnar: bool) -> object:
        """Insert the columns.

        Raises:
            One of `FAILURES`: It is not known whether the rows are in.
        """
        try:
            result: object = self._driver.execute(query, columns, columnar=columnar)
        except FAILURES:
            self._driver.disconnect()
            raise
        return result


def client(endpoint: ClickHouse) -> Client:
    """A client of this endpoint; it connects when it is first used."""
    driver = Driver(
        **endpoint.client_arguments(),
        client_name="ctr-loader",
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=ANSWER_TIMEOUT_S,
        sync_request_timeout=CONNECT_TIMEOUT_S,
    )
    return NativeClient(driver)
