"""`python -m loadtest.checked`: whether the ledger has gained what a run made, to the event.

Called before the run and behind it; what the first call prints is given to the second one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import TablesError, connected, read_ledger
from flink_job.audit.topics import input_offsets
from flink_job.domain import BUSINESS
from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints
from loadtest.report import doubt
from loadtest.swarm import REPORTED_WITHIN_S, Master, SwarmError

EXACT, DIFFERENT, REFUSED = 0, 1, 2
AGAIN_AFTER_S = 1.0
# An event out of order is up to 5 s old when it is sent, and late 10 s behind its window.
DELAY_MS = 5_000


class BehindError(Exception):
    """The ledger does not reach the ends of the topics; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the topics of the business and their ledger stand.

    Attributes:
        ends: Offsets of each topic, of all its partitions together.
        booked: Events in the ledger, by topic and outcome.
    """

    ends: dict[str, int]
    booked: dict[str, dict[str, int]]


def differences(before: Standing, after: Standing, report: Mapping[str, Any]) -> list[str]:
    """Why the ledger has not gained just what a run made, in sentences; none where it has.

    Args:
        before: The run.
        after: The run.
        report: Of the run, as its JSON has it.
    """
    found = []
    if (why := doubt(report)) is not None:
        found.append(f"What the run made is not known to the event: {why}")
    for topic in BUSINESS:
        others = after.ends[topic] - before.ends[topic] - report["acknowledged"][topic]
        if others:
            found.append(
                f"{topic}: its partitions grew by {abs(others):,} offsets "
                f"{'more' if others > 0 else 'fewer'} than the run had acknowledged: others wrote "
                "to it too, and what the ledger gained by whom cannot be told apart."
            )
        gained = Counter(after.booked[topic])
        gained.subtract(before.booked[topic])
        made = Counter(report["outcomes"][topic])
        found += [
            f"{topic}: {made[outcome]:,} events were made to be {outcome}, and the ledger "
            f"has gained {gained[outcome]:,}."
            for outcome in sorted(gained.keys() | made.keys())
            if gained[outcome] != made[outcome]
        ]
    took = report["produce_to_ack_ms"]["max"]
    if found and took is not None and took > DELAY_MS:
        found.append(
            f"Events took up to {took / 1_000:.1f} s into Kafka, so that some may have become late "
            "on their way."
        )
    return found


def standing(endpoints: Endpoints, within: float) -> Standing:
    """Where topics and ledger stand, once the ledger has come to the ends of the topics.

    Args:
        endpoints: How to reach Kafka and ClickHouse.
        within: Seconds that it may take.

    Raises:
        BehindError: It has not come so far in time.
        TopicsError: Kafka cannot be asked.
        TablesError: ClickHouse cannot be asked.
    """
    deadline = time.monotonic() + within
    while True:
        offsets = {
            place: end
            for place, (_, end) in input_offsets(endpoints.kafka).items()
            if place[0] in BUSINESS
        }
        with connected(endpoints.clickhouse) as client:
            ledger = read_ledger(client)
        reached = Counter[tuple[str, int]]()
        booked: dict[str, Counter[str]] = {topic: Counter() for topic in BUSINESS}
        for key, entry in ledger.items():
            if key.topic in booked:
                place = key.topic, key.partition
                reached[place] = max(reached[place], entry.last_offset + 1)
                booked[key.topic][key.outcome] += entry.events
        behind = sum(max(0, end - reached[place]) for place, end in offsets.items())
        if not behind:
            break
        if time.monotonic() > deadline:
            raise BehindError(
                f"The ledger is {behind:,} offsets behind Kafka, so that what it gains by a run "
                "cannot be told: wait for the job, or ask with more time."
            )
        time.sleep(AGAIN_AFTER_S)
    ends = Counter[str]()
    for (topic, _), end in offsets.items():
        ends[topic] += end
    return Standing(
        {topic: ends[topic] for topic in BUSINESS},
        {topic: {str(name): count for name, count in of.items()} for topic, of in booked.items()},
    )


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 exact, 1 different, 2 it cannot be told."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.checked", description=__doc__)
    parser.add_argument(
        "when", choices=("before", "after"), help="after reads what before has printed"
    )
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument("--master", metavar="URL", help="of locust's web UI; after needs it")
    parser.add_argument("--within", type=float, default=60.0, metavar="S")
    chosen = parser.parse_args(arguments)
    if chosen.when == "after" and chosen.master is None:
        parser.error("after needs --master, which has the run's report")
    try:
        endpoints = read_endpoints(chosen.endpoints)
        if chosen.when == "before":
            sys.stdout.write(f"{json.dumps(asdict(standing(endpoints, chosen.within)))}\n")
            return EXACT
        before = Standing(**json.load(sys.stdin))
        report = Master(chosen.master.rstrip("/")).report(REPORTED_WITHIN_S)
        found = differences(before, standing(endpoints, chosen.within), report)
    except (EndpointsError, TopicsError, TablesError, BehindError, SwarmError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    made = sum(sum(outcomes.values()) for outcomes in report["outcomes"].values())
    verdict = "not exactly" if found else "exactly"
    for sentence in found:
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write(f"checked: the ledger has gained {verdict} the {made:,} events of the run\n")
    return DIFFERENT if found else EXACT


if __name__ == "__main__":
    sys.exit(main())
