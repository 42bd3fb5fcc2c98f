"""Dumps of Kafka messages as `kcat -C -J` prints them: a JSON object a line."""

from __future__ import annotations

import gzip
import json
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from flink_job.domain import Record

STDIN = "-"
GZIP = b"\x1f\x8b"
END_OF_TIME_MS = 253_402_300_799_999  # the last millisecond of the year 9999
MAX_INT = 2**31 - 1
MAX_LONG = 2**63 - 1


class DumpError(Exception):
    """The dump cannot be read; the message is a sentence for the user."""


@contextmanager
def open_dump(name: str) -> Iterator[Iterable[bytes]]:
    """The lines of a dump: a file, plain or gzip, or `-` for standard input.

    Raises:
        DumpError: When there is no such file, or it cannot be read.
    """
    if name == STDIN and sys.stdin is None:
        raise DumpError("There is no standard input to read a dump from.")
    with _told(name), sys.stdin.buffer if name == STDIN else Path(name).open("rb") as plain:
        buffered = cast("Any", plain)
        if buffered.peek(len(GZIP))[: len(GZIP)] == GZIP:
            with gzip.open(plain) as unpacked:
                yield _lines(name, cast("BinaryIO", unpacked))
        else:
            yield _lines(name, plain)


def _lines(name: str, file: Iterable[bytes]) -> Iterator[bytes]:
    with _told(name):
        yield from file


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        raise DumpError(f"{name} is gzip, but damaged or cut short: {problem}.") from problem
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise DumpError(f"{name} cannot be read: {reason}.") from problem


def read_records(lines: Iterable[bytes]) -> Iterator[Record]:
    """The records of a dump's lines; blank lines are passed over.

    Raises:
        DumpError: At a line that is no dump line, and where the offsets of a partition do not
            rise: outcomes hang on the order, and an offset must not be counted twice.
    """
    last: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines, start=1):
        if line.isspace():
            continue
        try:
            record = read_record(line)
        except DumpError as problem:
            raise DumpError(f"Line {number} is not a line of a dump: {problem}") from problem
        partition = (record.topic, record.partition)
        if record.offset <= last.get(partition, -1):
            raise DumpError(
                f"Line {number}: offset {record.offset} of {record.topic}/{record.partition} comes "
                f"behind offset {last[partition]}; a dump holds each offset of a partition once "
                "and in rising order, as the broker does."
            )
        last[partition] = record.offset
        yield record


def read_record(line: bytes) -> Record:
    """One line of a dump.

    Raises:
        DumpError: When it is none; the sentence says why.
    """
    try:
        # kcat prints the bytes of a value as they are, valid UTF-8 or not.
        fields = json.loads(line.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError) as problem:
        raise DumpError(f"it is not JSON ({problem}).") from problem
    if not isinstance(fields, dict):
        raise DumpError("it is not a JSON object with topic, partition, offset, ts and payload.")
    topic, payload = fields.get("topic"), fields.get("payload", 0)
    if not isinstance(topic, str) or not topic or not topic.isascii():
        raise DumpError("topic must be the name of a topic.")
    if not isinstance(payload, str | None):
        raise DumpError("payload must be a string, or null for a tombstone.")
    return Record(
        topic=topic,
        partition=_integer(fields, "partition", MAX_INT),
        offset=_integer(fields, "offset", MAX_LONG),
        appended=_integer(fields, "ts", END_OF_TIME_MS),
        value=None if payload is None else payload_bytes(payload),
    )


def payload_bytes(text: str) -> bytes:
    """The bytes that a payload in a dump stands for; what is no UTF-8 comes as U+DC80 to U+DCFF."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # An escaped surrogate: no text, and no bytes that anybody sent. It stays invalid.
        return text.encode("utf-8", "surrogatepass")


def payload_text(payload: bytes) -> str:
    """The payload of a dump that stands for these bytes."""
    return payload.decode("utf-8", "surrogateescape")


def _integer(fields: dict[str, Any], name: str, highest: int) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= highest:
        raise DumpError(f"{name} must be an integer from 0 to {highest}.")
    return value
