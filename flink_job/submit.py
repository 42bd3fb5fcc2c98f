"""`python -m flink_job.submit`: submit the job to a session cluster, and say its id.

A deployment starts every version so, each by its own code: the options are what releases promise
each other, and what a later release adds to them an earlier one does not know.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flink_job.age import SETTING, WINDOWS_TTL
from flink_job.cluster import ClusterError, last_cause
from flink_job.endpoints import EndpointsError, Kafka, read_endpoints
from flink_job.java import JavaError
from flink_job.job import RESULTS, SERVING, Ends, assemble, options
from flink_job.verdict import verdict_jar

READY = "ready"

# They belong to the job and not to the cluster: Flink takes them from whoever submits it.
CHECKPOINTS = {
    # A job that is cancelled or has failed is gone on from by its newest checkpoint.
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    # The store may be away for as long as it likes: a job that failed for that could not start
    # again before the store is back. What grows is the time that a restart has to repeat.
    "execution.checkpointing.tolerable-failed-checkpoints": "2147483647",
    # Less than a deployment waits for its savepoint: Flink gives up first, and the job goes on. The
    # other way round it would stop once the store is back, behind a deployment that is over.
    "execution.checkpointing.timeout": "2 min",
}


def rehearse(kafka: Kafka, build: Path, settings: Mapping[str, str]) -> None:
    """Plan the job and throw the plan away: the same again takes a fraction of the time.

    Raises:
        ClusterError: Flink refuses the plan; the sentence holds the last cause.
    """
    values, whole = _parts(kafka, {**CHECKPOINTS, **settings}, SERVING)
    jar = verdict_jar(build)
    try:
        assemble(Ends.KAFKA, values, [jar], whole).explain()
    except Exception as problem:
        raise ClusterError(f"Flink refuses the job: {last_cause(str(problem))}") from problem


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
    origin = {} if savepoint is None else {"execution.state-recovery.path": savepoint}
    whole = {**CHECKPOINTS, **settings, **origin}
    return started(kafka, cluster, build, whole, SERVING)


def started(  # noqa: PLR0913 - all of them are what a job is
    kafka: Kafka,
    cluster: str,
    build: Path,
    settings: Mapping[str, str],
    values: Mapping[str, str],
    *,
    results: Sequence[str] = RESULTS,
) -> str:
    """Start a job of these views on a cluster; its id.

    Args:
        kafka: How the job reaches Kafka.
        cluster: Host:port of the cluster's REST interface.
        build: Folder that the verdict's jar is made in.
        settings: Flink settings of the job, all that it has.
        values: What the SQL leaves open, as in `SERVING`.
        results: Which of the results it writes.

    Raises:
        ClusterError: Flink refuses the job or its plan; the sentence holds the last cause.
    """
    host, port = cluster.rsplit(":", 1)
    whole = {
        **settings,
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": host,
        "rest.port": port,
    }
    filled, own = _parts(kafka, whole, values)
    jar = verdict_jar(build)
    try:
        result = assemble(Ends.KAFKA, filled, [jar], own, results).execute()
    except Exception as problem:
        raise ClusterError(f"Flink refuses the job: {last_cause(str(problem))}") from problem
    return str(result.get_job_client().get_job_id())


def _parts(
    kafka: Kafka, settings: Mapping[str, str], values: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """All that the SQL leaves open, and the settings that are Flink's own."""
    filled = {
        "kafka_properties": options(kafka.flink_kafka_properties()),
        "windows_ttl": settings.get(SETTING, WINDOWS_TTL),
        **values,
    }
    return filled, {key: value for key, value in settings.items() if key != SETTING}


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
    parser.add_argument(
        "--await",
        dest="awaits",
        action="store_true",
        help=f"make everything ready, say `{READY}`, and start from what a line of stdin names",
    )
    chosen = parser.parse_args(arguments)
    settings = dict(pair.split("=", 1) for pair in chosen.setting)
    try:
        kafka = read_endpoints(chosen.endpoints).kafka
        origin = chosen.origin
        if chosen.awaits:
            rehearse(kafka, chosen.build, settings)
            sys.stdout.write(f"{READY}\n")
            sys.stdout.flush()
            line = sys.stdin.readline()
            if not line:
                return 0
            origin = line.strip() or None
        job = submit(kafka, chosen.cluster, chosen.build, settings, origin)
    except (ClusterError, EndpointsError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write(f"{job}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
