"""`python -m flink_job.submit`: submit the job to a session cluster, and say its id.

A deployment starts every version so, each by its own code: the options are what releases promise
each other, and what a later release adds to them an earlier one does not know.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from flink_job.age import SETTING, WINDOWS_TTL
from flink_job.cluster import ClusterError, last_cause
from flink_job.endpoints import EndpointsError, Kafka, read_endpoints
from flink_job.java import JavaError
from flink_job.job import Ends, assemble, options
from flink_job.verdict import verdict_jar

# They belong to the job and not to the cluster: Flink takes them from whoever submits it.
CHECKPOINTS = {
    # A job that is cancelled or has failed is gone on from by its newest checkpoint.
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    # The store may be away for as long as it likes: a job that failed for that could not start
    # again before the store is back. What grows is the time that a restart has to repeat.
    "execution.checkpointing.tolerable-failed-checkpoints": "2147483647",
}


def submit(
    kafka: Kafka, cluster: str, build: Path, settings: Mapping[str, str], savepoint: str | None
) -> str:
    """Submit the job; it goes on when this process ends.

    Args:
        kafka: How the job reaches Kafka.
        cluster: Host:port of the cluster's REST interface.
        build: Folder that the verdict's jar is made in.
        settings: Flink settings of the job.
        savepoint: A savepoint or retained checkpoint that it starts from.

    Returns:
        The job's id.

    Raises:
        ClusterError: Flink refuses the job or its plan; the sentence holds the last cause.
    """
    host, port = cluster.rsplit(":", 1)
    whole = {
        **CHECKPOINTS,
        **settings,
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": host,
        "rest.port": port,
    }
    if savepoint is not None:
        whole["execution.state-recovery.path"] = savepoint
    values = {
        "kafka_properties": options(kafka.flink_kafka_properties()),
        "windows_ttl": whole.pop(SETTING, WINDOWS_TTL),
    }
    jar = verdict_jar(build)
    try:
        result = assemble(Ends.KAFKA, values, [jar], whole).execute()
    except Exception as problem:
        raise ClusterError(f"Flink refuses the job: {last_cause(str(problem))}") from problem
    return str(result.get_job_client().get_job_id())


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flink_job.submit", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--cluster", required=True, metavar="HOST:PORT", help="Flink's REST interface"
    )
    parser.add_argument("--build", type=Path, required=True, help="folder for the function's jar")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="KEY=VALUE", help="a Flink setting"
    )
    parser.add_argument("--from", dest="origin", metavar="PATH", help="start from this savepoint")
    chosen = parser.parse_args(arguments)
    settings = dict(pair.split("=", 1) for pair in chosen.setting)
    try:
        kafka = read_endpoints(chosen.endpoints).kafka
        job = submit(kafka, chosen.cluster, chosen.build, settings, chosen.origin)
    except (ClusterError, EndpointsError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{job}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
