"""What the embedded job costs: seconds until the first results, CPU microseconds an event."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

from flink_job.domain import Record
from flink_job.embedded import execute, read_results, write_incoming
from flink_job.replay import JARS
from flink_job.verdict import verdict_jar
from loadtest.messages import Traffic, messages

SEED = 1
TRAFFIC = Traffic(rate=100_000.0)


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of the job.

    Attributes:
        events: That went in.
        seconds: That it took, once they were written.
        cpu_s: Processor seconds of the JVM.
        booked: Events that have an outcome.
        keys: Rows of windows and products.
    """

    events: int
    seconds: float
    cpu_s: float
    booked: int
    keys: int

    @property
    def us(self) -> float:
        """Processor microseconds an event."""
        return self.cpu_s / self.events * 1e6

    @property
    def unexplained(self) -> int:
        """Events without an outcome."""
        return self.events - self.booked


def jvm_cpu_seconds() -> float:
    """User and system time of the JVM that the job runs in, since its start; 0 before that."""
    return sum(used.user + used.system for used in (one.cpu_times() for one in _children()))


def _children() -> list[psutil.Process]:
    return psutil.Process().children()


def run(records: Iterable[Record]) -> Ran:
    """Run the job on some records.

    Raises:
        JobFailedError: Flink gives up.
        OutputError: There is no room for them.
    """
    with tempfile.TemporaryDirectory(prefix="ctr-performance-") as name:
        folder = Path(name)
        size = write_incoming(records, folder)
        cpu, wall = jvm_cpu_seconds(), time.monotonic()
        execute(folder, verdict_jar(JARS))
        cpu, wall = jvm_cpu_seconds() - cpu, time.monotonic() - wall
        results = read_results(folder, size)
    booked = sum(entry.events for entry in results.ledger.values())
    return Ran(size.total(), wall, cpu, booked, len(results.windows))


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.embedded", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, metavar="N")
    events = parser.parse_args(arguments).events

    started = time.monotonic()
    run([Record("clicks", 0, 0, TRAFFIC.start, None)])
    start_up = time.monotonic() - started
    ran = run(messages(events, TRAFFIC, SEED))

    sys.stdout.write(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors\n"
        f"start-up: {start_up:.1f} s from nothing to the first results\n"
        f"{events:,} events: {ran.seconds:.1f} s, {events / ran.seconds:,.0f} events/s, "
        f"{ran.us:.2f} us of CPU an event, unexplained {ran.unexplained}\n"
    )
    return 0 if ran.booked == events else 1


if __name__ == "__main__":
    sys.exit(main())
