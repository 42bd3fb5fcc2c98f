"""`python -m flink_job.backfill.recount`: count a range anew on the cluster, beside the job.

It is the same SQL as the job's, over a part of the topics, into topics of its own. It has no
checkpoints: a recount that was cut off is begun anew. It takes few slots, and gives way to the job,
which must be able to start again where a TaskManager is lost.
"""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from flink_job.backfill.plan import Plan
from flink_job.cluster import AGAIN_AFTER_S, Cluster, ClusterError, GoneError
from flink_job.ending import RECOVERY_S
from flink_job.endpoints import EndpointsError, Kafka, read_endpoints
from flink_job.java import JavaError
from flink_job.job import SERVING
from flink_job.job import SETTINGS as SERVES
from flink_job.submit import started

NAME = "ctr-backfill"
DONE, FAILED, ENDED = 0, 1, 143
CANCEL_WITHIN_S = 60.0
# A window that is counted for longer than its state lives would begin again from zero.
LONGEST_S = 10 * 86_400

SETTINGS = {
    "pipeline.name": NAME,
    # A recount that fails for good is to say so; the cluster's own strategy tries for ever.
    "restart-strategy.type": "fixed-delay",
    "restart-strategy.fixed-delay.attempts": "3",
    "restart-strategy.fixed-delay.delay": "5 s",
}
RESULTS = ("windows", "ledger")


class EndedError(Exception):
    """Somebody has ended this process by a signal."""


@dataclass(slots=True)
class Way:
    """Sees to it that the job has the slots that it needs.

    Attributes:
        cluster: Where both run.
        waited: For how many looks in a row not all tasks of the job have run.
    """

    cluster: Cluster
    waited: int = 0

    def give(self) -> None:
        """Look once.

        Raises:
            ClusterError: The job does not come back.
        """
        runs = True
        # One that has ended meanwhile waits for nothing.
        with suppress(GoneError):
            runs = all(
                self.cluster.runs(job.id, 0)
                for job in self.cluster.live_jobs(SERVES["pipeline.name"])
            )
        self.waited = 0 if runs else self.waited + 1
        if self.waited > RECOVERY_S / AGAIN_AFTER_S:
            raise ClusterError(
                f"Not all tasks of the job have run for {RECOVERY_S:.0f} s, so the recount has "
                "given way to it and was cancelled: run it again when the job serves."
            )


def values_of(plan: Plan) -> dict[str, str]:
    """What the SQL leaves open, for a recount."""
    extent = {"scan.startup.mode": "timestamp", "scan.startup.timestamp-millis": str(plan.start)}
    if plan.end is None:
        extent["scan.bounded.mode"] = "latest-offset"
    else:
        extent["scan.bounded.mode"] = "timestamp"
        extent["scan.bounded.timestamp-millis"] = str(plan.end)
    return {
        "extent": ",\n  ".join(f"'{key}' = '{value}'" for key, value in extent.items()),
        "group": NAME,
        "windows_ttl": f"{LONGEST_S} s",
        **{name: plan.topic(SERVING[name]) for name in ("windows_topic", "ledger_topic")},
    }


def recount(  # noqa: PLR0913 - all of them are what a recount is
    kafka: Kafka, address: str, build: Path, plan: Plan, within_s: float, *, parallelism: int
) -> str:
    """Count a range anew, and wait for the end of it; the job's id.

    Args:
        kafka: How Flink reaches Kafka.
        address: Host:port of Flink's REST interface.
        build: Folder that the verdict's jar is made in.
        plan: What to read and where to write.
        within_s: How long it may take.
        parallelism: How many slots it takes.

    Raises:
        ClusterError: It cannot be, or has not come to its end; then it is cancelled.
    """
    cluster = Cluster(address)
    others = cluster.live_jobs(NAME)
    if others:
        raise ClusterError(
            f"Job {others[0].id} counts a range anew already: wait for its end, or cancel it on "
            "Flink's page, where whoever started it is gone."
        )
    slots = cluster.free_slots()
    if slots < parallelism:
        raise ClusterError(
            f"A recount takes {parallelism} slots (ctr_job_recount_parallelism), and the cluster "
            f"has {slots} free: set it lower, add a TaskManager, or lower ctr_job_parallelism and "
            "deploy the job for as long."
        )
    try:
        settings = {**SETTINGS, "parallelism.default": str(parallelism)}
        job = started(kafka, address, build, settings, values_of(plan), results=RESULTS)
        cluster.finished(job, within_s, Way(cluster).give)
    except BaseException:
        # By name, since a submission that was cut off has told no id.
        with suppress(ClusterError):
            for left in cluster.live_jobs(NAME):
                cluster.cancel(left.id, CANCEL_WITHIN_S)
        raise
    return job


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 counted, 1 not."""
    parser = argparse.ArgumentParser(
        prog="python -m flink_job.backfill.recount", description=__doc__
    )
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--cluster", required=True, metavar="HOST:PORT", help="Flink's REST interface"
    )
    parser.add_argument("--build", type=Path, required=True, help="folder for the function's jar")
    parser.add_argument("--plan", type=Plan.parsed, required=True, metavar="JSON")
    parser.add_argument("--within", type=float, default=3_600.0, metavar="S")
    parser.add_argument("--parallelism", type=int, default=1, metavar="N", help="slots it takes")
    chosen = parser.parse_args(arguments)
    if chosen.parallelism < 1:
        parser.error("--parallelism must be 1 or more: a recount takes that many slots")
    if not 0 < chosen.within < LONGEST_S:
        parser.error(f"--within must be less than {LONGEST_S} s, for which state of windows lives")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        kafka = read_endpoints(chosen.endpoints).kafka
        job = recount(
            kafka,
            chosen.cluster,
            chosen.build,
            chosen.plan,
            chosen.within,
            parallelism=chosen.parallelism,
        )
    except (ClusterError, EndpointsError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED
    except EndedError:
        sys.stderr.write("The recount was ended, and its job cancelled.\n")
        return ENDED
    sys.stdout.write(f"recounted: job {job}\n")
    return DONE


def _end(_number: int, _frame: FrameType | None) -> None:
    raise EndedError


if __name__ == "__main__":
    sys.exit(main())
