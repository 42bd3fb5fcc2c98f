"""`python -m flink_job.audit.reconcile`: the first law, checked now, while events flow or not."""

from __future__ import annotations

import os
import sys
import time

from flink_job.audit.arguments import parsed
from flink_job.audit.law import Reconciliation
from flink_job.audit.reading import TopicsError
from flink_job.audit.records import seen_in
from flink_job.audit.tables import TablesError, connected, read_events_by_hour, read_ledger
from flink_job.audit.topics import input_offsets
from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints

KEPT, BROKEN, REFUSED = 0, 1, 2
AGAIN_AFTER_S = 0.5
READ_AFTER = 0.75  # of the time that there is


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 kept, 1 broken, 2 it cannot be told."""
    chosen = parsed("flink_job.audit.reconcile", __doc__, arguments)
    try:
        endpoints = read_endpoints(chosen.endpoints)
        law = Reconciliation(input_offsets(endpoints.kafka))
        _settle(endpoints, law, chosen.within)
    except (EndpointsError, TopicsError, TablesError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    for sentence in law.broken():
        sys.stdout.write(f"{sentence}\n")
    sys.stdout.write(f"{law}\n")
    return BROKEN if law.unexplained else KEPT


def _settle(endpoints: Endpoints, law: Reconciliation, within: float) -> None:
    """Look until the law is kept or the time is up.

    What does not add up is read from Kafka in good time. Reading takes as long as it takes; what
    flows meanwhile has the rest of the time to arrive after it.
    """
    began = time.monotonic()
    deadline = began + within
    read = False
    with connected(endpoints.clickhouse) as client:
        while not law.look(
            before=read_events_by_hour(client),
            ledger=read_ledger(client),
            after=read_events_by_hour(client),
        ):
            soon = time.monotonic() >= began + within * READ_AFTER
            if spans := law.doubtful(all_of_them=soon):
                if law.learn(seen_in(endpoints.kafka, spans, os.cpu_count() or 1)):
                    return
                if not read:
                    deadline = max(deadline, time.monotonic() + within * (1 - READ_AFTER))
                    read = True
            if time.monotonic() > deadline:
                return
            time.sleep(AGAIN_AFTER_S)


if __name__ == "__main__":
    sys.exit(main())
