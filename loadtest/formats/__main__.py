"""`python -m loadtest.formats`: what Avro would save, beside JSON in one run.

For each way to read a message: bytes, what lz4 leaves of them, and CPU of the verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import lz4.frame  # type: ignore[import-untyped]

from flink_job.domain import Outcome, Record, judge
from flink_job.java import JavaError
from flink_job.replay import JARS
from flink_job.verdict import verdict_jar
from loadtest.formats.avro import encode
from loadtest.formats.cost import HERE, classes_of, compiled, stopwatch, write_messages
from loadtest.messages import Traffic, messages

SEED = 1
TRAFFIC = Traffic(rate=100_000.0)
BATCH = 1_000
WARM_UP = 2
ROUNDS = 10  # of all events between two looks at the clock


@dataclass(frozen=True, slots=True)
class Way:
    """A way to read messages.

    Attributes:
        name: What it is called in the table.
        values: The messages that it reads.
        watch: The Stopwatch that judges them.
    """

    name: str
    values: Sequence[bytes]
    watch: Any


def sample(count: int) -> list[Record]:
    """Good events, of which nothing but the form differs; their values are JSON."""
    drawn = messages(count, TRAFFIC, SEED)
    return [record for record in drawn if judge(record, None).outcome is Outcome.COUNTED]


def compressed(keys: Sequence[bytes], values: Sequence[bytes]) -> int:
    """Bytes of keys and values as lz4 leaves them, a thousand messages at a time."""
    pairs = [key + value for key, value in zip(keys, values, strict=True)]
    batches = (b"".join(pairs[first : first + BATCH]) for first in range(0, len(pairs), BATCH))
    return sum(len(lz4.frame.compress(batch)) for batch in batches)


def ways(records: Sequence[Record], folder: Path, library: Path | None) -> Iterator[Way]:
    """The job's own verdict, on JSON as it comes and as only the parser can read it, and Avro."""
    plain = [record.value or b"" for record in records]
    odd = [value[:-1] + b', "odd": null}' for value in plain]
    avro = [encode(json.loads(value)) for value in plain]

    def watch(name: str, loader: Any, values: Sequence[bytes]) -> Any:  # noqa: ANN401 - Java's
        path = folder / "messages"
        times = (record.appended for record in records)
        write_messages(zip(times, values, strict=True), path)
        return stopwatch(name, loader, path)

    for said, values in (("JSON, as it comes", plain), ("JSON and a field of null", odd)):
        # A class for each: the JVM compiles it for what it meets.
        ours = classes_of([verdict_jar(JARS)])
        yield Way(said, values, watch("Verdict", ours, values))
    known = classes_of([] if library is None else [library])
    by_hand = compiled((HERE / "AvroVerdict.java").read_text(encoding="utf-8"), known)
    yield Way("Avro, read by hand", avro, watch("AvroVerdict", by_hand, avro))
    if library is not None:
        page = (HERE / "LibraryVerdict.java").read_text(encoding="utf-8")
        by_library = compiled(page, by_hand)
        yield Way("Avro, by its library", avro, watch("LibraryVerdict", by_library, avro))


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.formats", description=__doc__)
    parser.add_argument("--events", type=int, default=50_000, metavar="N")
    parser.add_argument("--times", type=int, default=7, metavar="N")
    parser.add_argument(
        "--library", type=Path, metavar="JAR", help="flink-sql-avro, to measure it as well"
    )
    chosen = parser.parse_args(arguments)
    if chosen.library is not None and not chosen.library.is_file():
        parser.error(f"{chosen.library} is no file: name the jar flink-sql-avro of your Flink.")
    return measure(chosen.events, chosen.times, chosen.library)


def measure(events: int, times: int, library: Path | None) -> int:
    """Print the table; the exit status, which says whether all ways counted the same.

    Args:
        events: How many are drawn.
        times: How often each way is measured, in turns, once it is warm.
        library: The jar flink-sql-avro; None to leave Avro's own library out.
    """
    records = sample(events)
    with tempfile.TemporaryDirectory(prefix="ctr-formats-") as name:
        try:
            found = list(ways(records, Path(name), library))
        except JavaError as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
    costs: dict[str, list[float]] = {way.name: [] for way in found}
    for _ in range(WARM_UP + times):
        # In turns, so that whatever else the machine does meets all of them.
        for way in found:
            took = way.watch.run(ROUNDS)
            costs[way.name].append(took / ROUNDS / len(records) / 1_000)

    keys = [json.loads(found[0].values[n])["productId"].encode() for n in range(len(records))]
    sys.stdout.write(
        "| message | bytes | with its key, lz4 | verdict, us of CPU: lowest, median |\n"
    )
    sys.stdout.write("|---|---|---|---|\n")
    for way in found:
        warm = costs[way.name][WARM_UP:]
        size = sum(map(len, way.values)) / len(records)
        packed = compressed(keys, way.values) / len(records)
        sys.stdout.write(
            f"| {way.name} | {size:.0f} | {packed:.0f} | {min(warm):.2f}, {median(warm):.2f} |\n"
        )
    sums = {way.watch.total() for way in found}
    return 0 if len(sums) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
