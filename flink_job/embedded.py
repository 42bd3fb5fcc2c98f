"""The job on a Flink inside this process: records in, final tables out, no cluster and no Kafka."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flink_job.domain import Counts, DeadLetter, Entry, LedgerKey, Outcome, Record, WindowKey
from flink_job.java import java_gateway
from flink_job.job import Ends, assemble
from flink_job.outputs import OutputError

Progress = Callable[[int], None]
Key = TypeVar("Key")
Row = TypeVar("Row")


class JobFailedError(Exception):
    """The embedded job ended with an error; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Results:
    """What the job wrote.

    Attributes:
        consumed: Number of records that went in, by topic and partition.
        windows: Final counts by product and window.
        ledger: Final entries by topic, partition, outcome and hour.
        folder: Where the job's files are, for as long as the dead letters are to be read.
    """

    consumed: Mapping[tuple[str, int], int]
    windows: dict[WindowKey, Counts]
    ledger: dict[LedgerKey, Entry]
    folder: Path

    def dead_letters(self) -> Iterator[tuple[tuple[str, int, int], DeadLetter]]:
        """Each dead letter with its topic, partition and offset, in the order of the records."""
        for row in _lines(self.folder / "dead_letters"):
            payload = row["payload"]
            letter = DeadLetter(
                Outcome(row["reason"]), None if payload is None else base64.b64decode(payload)
            )
            yield (row["topic"], row["partition"], row["offset"]), letter


def write_incoming(records: Iterable[Record], folder: Path) -> Counter[tuple[str, int]]:
    """Write records as the job reads them, and count them by topic and partition.

    Gzip without compression: Flink splits a plain file and takes the pieces in any order, and the
    partitions' clocks need the order of the offsets.

    Raises:
        OutputError: When there is no room for them.
    """
    count: Counter[tuple[str, int]] = Counter()
    with _room_in(folder), gzip.open(folder / "incoming.json.gz", "wb", compresslevel=0) as file:
        for record in records:
            value = record.value
            message = "null" if value is None else f'"{base64.b64encode(value).decode()}"'
            file.write(
                f'{{"topic":{json.dumps(record.topic)},"partition":{record.partition},'
                f'"offset":{record.offset},"ts":{record.appended},"message":{message}}}\n'.encode()
            )
            count[record.topic, record.partition] += 1
    return count


@contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        # What is read tells its errors by itself.
        raise OutputError(
            f"{folder.parent} has no room for the messages ({problem.strerror}): "
            "name another folder by TMPDIR."
        ) from problem


def execute(folder: Path, jar: Path, progress: Progress | None = None) -> None:
    """Run the job from the incoming file of a folder into its results.

    Raises:
        JobFailedError: When Flink gives up.
    """
    gateway = java_gateway()
    _allow_long_messages(gateway)
    port = _free_port()
    settings = {
        "parallelism.default": "1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.bind-port": str(port),
        "restart-strategy.type": "none",
    }
    try:
        statements = assemble(Ends.FILES, {"folder": str(folder)}, [jar], settings)
        job = statements.execute().get_job_client()._j_job_client  # noqa: SLF001 - see _ended
        while not _ended(gateway, job.getJobExecutionResult()):
            if progress is not None:
                progress(_records_read(port, str(job.getJobID())))
    except Exception as problem:
        cause = getattr(problem, "java_exception", None)
        if cause is None:
            raise
        raise JobFailedError(f"The job failed: {_root(cause)}.") from problem


def read_results(folder: Path, consumed: Mapping[tuple[str, int], int]) -> Results:
    """What the job of a folder wrote; consumed is how many records of each partition went in."""
    windows = _highest(folder / "windows", _window, lambda row: row.impressions + row.clicks)
    ledger = _highest(folder / "ledger", _entry, lambda row: row.events)
    return Results(consumed, windows, ledger, folder)


def _ended(gateway: Any, future: Any) -> bool:  # noqa: ANN401 - py4j has no types
    """Wait for half a second; PyFlink's own futures wait for ever or not at all."""
    jvm = gateway.jvm
    try:
        future.get(500, jvm.java.util.concurrent.TimeUnit.MILLISECONDS)
    except Exception as problem:
        cause = getattr(problem, "java_exception", None)
        if cause is None or cause.getClass().getSimpleName() != "TimeoutException":
            raise
        return False
    return True


def _root(problem: Any) -> str:  # noqa: ANN401 - py4j has no types
    while problem.getCause() is not None:
        problem = problem.getCause()
    return str(problem.toString()).rstrip(".")


def _allow_long_messages(gateway: Any) -> None:  # noqa: ANN401 - py4j has no types
    """A line of the incoming file may be longer than the 20 MB that the JSON format allows."""
    core = gateway.jvm.org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core
    longer = core.StreamReadConstraints.builder().maxStringLength(2**31 - 1).build()
    core.StreamReadConstraints.overrideDefaultStreamReadConstraints(longer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _records_read(port: int, job: str) -> int:
    """What the source has read so far by Flink's own count; 0 while it does not answer yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/jobs/{job}", timeout=1) as answer:
            vertices = json.load(answer)["vertices"]
    except (OSError, ValueError, KeyError):
        return 0
    return max((int(vertex["metrics"]["write-records"]) for vertex in vertices), default=0)


def _lines(table: Path) -> Iterator[dict[str, Any]]:
    for part in sorted(table.glob("part-*"), key=_number):
        with part.open("rb") as lines:
            for line in lines:
                yield json.loads(line)


def _number(part: Path) -> tuple[int, ...]:
    """Of the writer and of its file: part-UUID-0-10 was written after part-UUID-0-2."""
    return tuple(int(number) for number in part.name.split("-")[-2:])


def _highest(
    table: Path, read: Callable[[dict[str, Any]], tuple[Key, Row]], count: Callable[[Row], int]
) -> dict[Key, Row]:
    """The rows of a changelog; of a key that with the highest count is the truth."""
    rows: dict[Key, Row] = {}
    for line in _lines(table):
        if line["op"] == "c":
            key, row = read(line["after"])
            if key not in rows or count(row) > count(rows[key]):
                rows[key] = row
    return rows


def _window(row: dict[str, Any]) -> tuple[WindowKey, Counts]:
    key = WindowKey(row["product_id"], row["window_start"])
    return key, Counts(row["impressions"], row["clicks"])


def _entry(row: dict[str, Any]) -> tuple[LedgerKey, Entry]:
    key = LedgerKey(row["topic"], row["partition"], Outcome(row["outcome"]), row["hour"])
    return key, Entry(row["events"], row["first_offset"], row["last_offset"])
