"""Print realistic messages as a dump, the form of `kcat -C -J`."""

from __future__ import annotations

import argparse
import json
import sys

from flink_job.domain import Record
from flink_job.dump import payload_text
from loadtest.messages import Traffic, messages


def dump_line(record: Record) -> str:
    """A record as a line of a dump."""
    fields = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "tstype": "logappend",
        "ts": record.appended,
        "payload": None if record.value is None else payload_text(record.value),
    }
    return json.dumps(fields) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    usual = Traffic()
    parser = argparse.ArgumentParser(prog="python -m loadtest.dump", description=__doc__)
    parser.add_argument("--messages", type=int, default=30_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=usual.rate, help="events a second")
    parser.add_argument("--products", type=int, default=usual.products)
    parser.add_argument("--partitions", type=int, default=usual.partitions, help="of each topic")
    parser.add_argument("--bad", type=float, default=usual.bad, help="share of each bad kind")
    chosen = parser.parse_args(arguments)
    traffic = Traffic(
        rate=chosen.rate, products=chosen.products, partitions=chosen.partitions, bad=chosen.bad
    )
    for record in messages(chosen.messages, traffic, chosen.seed):
        sys.stdout.write(dump_line(record))
    return 0


if __name__ == "__main__":
    sys.exit(main())
