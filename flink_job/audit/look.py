"""`python -m flink_job.audit.look`: whether data flows now, and which part holds it up if not."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from flink_job.audit.arguments import command_line
from flink_job.audit.flow import Came, Written, held_up, told
from flink_job.audit.law import Partition, Spans
from flink_job.audit.reading import TopicsError
from flink_job.audit.records import any_record
from flink_job.audit.tables import TablesError, connected, read_reached, read_written
from flink_job.audit.topics import Stream, stream
from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints

LOOKED, REFUSED = 0, 2
AGAIN_AFTER_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 it was looked at, 2 it cannot be told."""
    parser = command_line("flink_job.audit.look", __doc__, within=10.0)
    parser.add_argument("--loader", default="ctr-loader", help="consumer group of the loader")
    chosen = parser.parse_args(arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
    except EndpointsError as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    for line in _looked(endpoints, chosen.loader, chosen.within):
        sys.stdout.write(f"{line}\n")
    return LOOKED


def _looked(endpoints: Endpoints, loader: str, within: float) -> list[str]:
    deadline = time.monotonic() + within
    try:
        asked = first = stream(endpoints.kafka, loader)
    except TopicsError as problem:
        return told(str(problem), _written(endpoints))
    while True:
        try:
            with connected(endpoints.clickhouse) as client:
                reached, written = read_reached(client), read_written(client)
        except TablesError as problem:
            return told(_came(first, asked, None), str(problem))
        came = _came(first, asked, reached)
        try:
            # A partition may end in offsets that hold no record: nothing waits there.
            if (
                came.uncounted
                and not came.unloaded
                and not written.fresh
                and not any_record(endpoints.kafka, _waiting(first, reached))
            ):
                came = replace(came, uncounted=0)
            if held_up(came, written) is None or time.monotonic() > deadline:
                return told(came, written)
            time.sleep(AGAIN_AFTER_S)
            asked = stream(endpoints.kafka, loader)
        except TopicsError as problem:
            return told(str(problem), written)


def _came(first: Stream, now: Stream, reached: Mapping[Partition, int] | None) -> Came:
    """What was there at first and still waits: what has come since may be under way."""
    return Came(
        events=now.lately,
        unloaded=sum(
            max(0, end - now.results[place][0]) for place, (_, end) in first.results.items()
        ),
        uncounted=0
        if reached is None
        else sum(end - begin for begin, end in _waiting(first, reached).values()),
    )


def _waiting(first: Stream, reached: Mapping[Partition, int]) -> Spans:
    """The offsets that were there at first and that the ledger does not reach: first and end."""
    spans = {
        place: (max(begin, reached.get(place, -1) + 1), end)
        for place, (begin, end) in first.offsets.items()
    }
    return {place: (begin, end) for place, (begin, end) in spans.items() if begin < end}


def _written(endpoints: Endpoints) -> Written | str:
    try:
        with connected(endpoints.clickhouse) as client:
            return read_written(client)
    except TablesError as problem:
        return str(problem)


if __name__ == "__main__":
    sys.exit(main())
