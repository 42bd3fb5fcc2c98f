"""The edge to clickhouse-driver: a few connections for all, and an end to every question."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, LifoQueue
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.errors import Error, SocketTimeoutError

from flink_job.audit.tables import TablesError
from flink_job.endpoints import ClickHouse

CONNECTIONS = 4
CONNECT_S = 1.0
ANSWER_S = 3.0

Rows = list[tuple[Any, ...]]


class Connections:
    """Asks ClickHouse from any thread.

    The reader's profile is read-only, and such a user may not set max_execution_time: what takes
    too long is left here, and the server ends a question whose connection is gone.
    """

    def __init__(
        self,
        endpoint: ClickHouse,
        *,
        answer_s: float = ANSWER_S,
        driver: Callable[..., Any] = Client,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Connect to nothing yet.

        Args:
            endpoint: How to reach ClickHouse.
            answer_s: Seconds that a question may take in all.
            driver: Makes a client.
            clock: Seconds, only forward.
        """
        self._answer_s = answer_s
        self._clock = clock
        self._free: LifoQueue[Any] = LifoQueue()
        for _ in range(CONNECTIONS):
            self._free.put(
                driver(
                    **endpoint.client_arguments(),
                    client_name="ctr-page",
                    connect_timeout=CONNECT_S,
                    send_receive_timeout=answer_s,
                    sync_request_timeout=CONNECT_S,
                )
            )

    def ask(self, question: str, parameters: Mapping[str, str | int] | None = None) -> Rows:
        """The rows that answer a question.

        Args:
            question: SQL; `%(name)s` stands for a parameter where there are any.
            parameters: Their values, which the driver quotes.

        Raises:
            TablesError: ClickHouse does not answer in time, or refuses.
        """
        deadline = self._clock() + self._answer_s
        with self._one() as client:
            answer = client.execute_with_progress(question, parameters and dict(parameters))
            # The server tells ten times a second how far it is, so that no read of the socket
            # takes too long however long the answer takes.
            for _ in answer:
                if self._clock() > deadline:
                    raise TablesError(
                        f"ClickHouse has not answered within {self._answer_s:g} seconds."
                    )
            rows: Rows = answer.get_result()
            return rows

    @contextmanager
    def _one(self) -> Iterator[Any]:
        try:
            client = self._free.get(timeout=self._answer_s)
        except Empty:
            raise TablesError("ClickHouse is slow: all connections to it wait.") from None
        try:
            yield client
        except (Error, OSError, EOFError) as problem:
            client.disconnect()
            raise TablesError(f"ClickHouse does not answer: {_first_line(problem)}.") from problem
        except BaseException:
            # What is left in the middle of an answer cannot be asked again.
            client.disconnect()
            raise
        finally:
            self._free.put(client)


def _first_line(problem: Exception) -> str:
    if isinstance(problem, SocketTimeoutError | TimeoutError):
        return "it took too long"
    # The driver puts a number in front of what the server says, and a stack trace behind it.
    said = problem.message if isinstance(problem, Error) else problem
    lines = str(said or "").strip().splitlines() or [type(problem).__name__]
    return lines[0].removesuffix(".")
