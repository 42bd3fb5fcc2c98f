"""What the embedded job costs: seconds until the first results, CPU microseconds an event."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import psutil

from flink_job.domain import Record
from flink_job.embedded import execute, read_results, write_incoming
from flink_job.replay import JARS
from flink_job.verdict import verdict_jar
from loadtest.messages import Traffic, messages

SEED = 1
TRAFFIC = Traffic(rate=100_000.0)


def jvm_cpu_seconds() -> float:
    """User and system time of the JVM that the job runs in, since its start."""
    (jvm,) = psutil.Process().children()
    used = jvm.cpu_times()
    return used.user + used.system


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.embedded", description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000, metavar="N")
    events = parser.parse_args(arguments).events

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ctr-performance-") as name:
        folder = Path(name)
        write_incoming([Record("clicks", 0, 0, TRAFFIC.start, None)], folder)
        execute(folder, verdict_jar(JARS))
    start_up = time.monotonic() - started

    with tempfile.TemporaryDirectory(prefix="ctr-performance-") as name:
        folder = Path(name)
        size = write_incoming(messages(events, TRAFFIC, SEED), folder)
        cpu, wall = jvm_cpu_seconds(), time.monotonic()
        execute(folder, verdict_jar(JARS))
        cpu, wall = jvm_cpu_seconds() - cpu, time.monotonic() - wall
        booked = sum(entry.events for entry in read_results(folder, size).ledger.values())

    sys.stdout.write(
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors\n"
        f"start-up: {start_up:.1f} s from nothing to the first results\n"
        f"{events:,} events: {wall:.1f} s, {events / wall:,.0f} events/s, "
        f"{cpu / events * 1e6:.2f} us of CPU an event, unexplained {events - booked}\n"
    )
    return 0 if booked == events else 1


if __name__ == "__main__":
    sys.exit(main())
