"""`python -m flink_job.audit`: all messages by the specification, against what is in ClickHouse."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

from flink_job.audit.arguments import parsed
from flink_job.audit.difference import differences
from flink_job.audit.going_on import final_ledger, final_letters, final_windows
from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import (
    TablesError,
    connected,
    read_dropped_hours,
    read_ledger,
    read_windows,
)
from flink_job.audit.topics import read_dead_letters, read_input
from flink_job.domain import Counts, Tables, WindowKey, fold, merged
from flink_job.endpoints import Endpoints, EndpointsError, Kafka, read_endpoints

EXACT, DIFFERENT, REFUSED = 0, 1, 2
AGAIN_AFTER_S = 1.0
HOUR_MS = 3_600_000


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 exact, 1 different, 2 it cannot be told."""
    chosen = parsed("flink_job.audit", __doc__, arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
        began = int(time.time() * 1_000)
        wanted = _specified(endpoints.kafka, os.cpu_count() or 1)
        found = _settled(endpoints, wanted, began, chosen.within)
    except (EndpointsError, TopicsError, TablesError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    events = sum(entry.events for entry in wanted.ledger.values())
    sys.stdout.write(
        f"audit: {events:,} messages, {len(wanted.windows):,} windows, {len(wanted.ledger):,} "
        f"ledger rows, {len(wanted.dead_letters):,} dead letters: "
        f"{'not as' if found else 'all as'} specified\n"
    )
    return DIFFERENT if found else EXACT


def _specified(endpoint: Kafka, shares: int) -> Tables:
    """The tables that the specification gives; partitions by processes, each core one share."""
    with ProcessPoolExecutor(shares) as processes:
        return merged(
            processes.map(_specified_share, repeat(endpoint), range(shares), repeat(shares))
        )


def _specified_share(endpoint: Kafka, share: int, shares: int) -> Tables:
    return fold(read_input(endpoint, share, shares))


def _settled(endpoints: Endpoints, wanted: Tables, began: int, within: float) -> list[str]:
    """How the results differ, once they do not or the time is up."""
    deadline = time.monotonic() + within
    while True:
        found = _compared(endpoints, wanted, began)
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(AGAIN_AFTER_S)


def _compared(endpoints: Endpoints, wanted: Tables, began: int) -> list[str]:
    with connected(endpoints.clickhouse) as client:
        windows, ledger = read_windows(client), read_ledger(client)
        dropped = read_dropped_hours(client)
    return [
        *differences(
            "windows",
            final_windows(_kept(wanted.windows, dropped), began),
            final_windows(_kept(windows, dropped), began),
        ),
        *differences("ledger", final_ledger(wanted.ledger, began), final_ledger(ledger, began)),
        *differences(
            "dead letters",
            wanted.dead_letters,
            final_letters(read_dead_letters(endpoints.kafka), wanted.ledger),
        ),
    ]


def _kept(windows: Mapping[WindowKey, Counts], dropped: set[int]) -> dict[WindowKey, Counts]:
    """The windows that retention has left: topics may be kept for longer than tables."""
    return {
        key: counts
        for key, counts in windows.items()
        if key.window_start - key.window_start % HOUR_MS not in dropped
    }


if __name__ == "__main__":
    sys.exit(main())
