"""`python -m flink_job.backfill`: hold a recount against the tables, and put it in their place."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import TablesError, connected
from flink_job.backfill.claim import ClaimError, held
from flink_job.backfill.difference import differing, shown
from flink_job.backfill.plan import Plan
from flink_job.backfill.results import read_recounted
from flink_job.backfill.rewind import rewind
from flink_job.backfill.span import SpanError, told
from flink_job.backfill.tables import Tables
from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints

SAME, DIFFERENT, REFUSED = 0, 1, 2


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line.

    Returns:
        The exit status: 0 nothing differs or all was replaced, 1 something differs, 2 it cannot be
        told or done.
    """
    parser = argparse.ArgumentParser(prog="python -m flink_job.backfill", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json, of an admin")
    parser.add_argument("--plan", type=Plan.parsed, required=True, metavar="JSON")
    parser.add_argument("--claim", type=Path, required=True, help="file that says whose tables are")
    parser.add_argument("--epoch", type=int, default=0, help="the loader's")
    parser.add_argument("--group", default="ctr-loader", help="consumer group of the loaders")
    parser.add_argument(
        "--apply", action="store_true", help="replace; all loaders must have been stopped"
    )
    chosen = parser.parse_args(arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
        with held(chosen.claim, chosen.plan.asked):
            lines, differs = _held(endpoints, chosen.plan, chosen.epoch, chosen.group, chosen.apply)
    except (ClaimError, EndpointsError, SpanError, TablesError, TopicsError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return DIFFERENT if differs else SAME


def _held(
    endpoints: Endpoints,
    plan: Plan,
    epoch: int,
    group: str,
    apply: bool,  # noqa: FBT001 - as the command line has it
) -> tuple[list[str], bool]:
    """What to tell, and whether the tables differ from the recount in the end."""
    recounted = read_recounted(endpoints.kafka, plan, epoch)
    with connected(endpoints.clickhouse) as client:
        tables = Tables(client, plan)
        if gone := tables.dropped():
            raise SpanError(
                f"Retention has dropped the windows of {len(gone)} hours of the range, the last of "
                f"them {told(gone[-1])}: begin behind it."
            )
        if apply:
            rewind(endpoints.kafka, group, plan.emitted)
            tables.replace(recounted)
            return [f"replaced: {plan.span} is as it was counted anew"], False
        was, now = tables.results(), recounted.results
    differs = bool(differing(was.windows, now.windows) or differing(was.ledger, now.ledger))
    return shown(plan, was, now), differs


if __name__ == "__main__":
    sys.exit(main())
