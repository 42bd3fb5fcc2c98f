"""Submit the job to a session cluster, from nothing or from a savepoint."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flink_job.cluster import ClusterError, last_cause
from flink_job.endpoints import Kafka
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
        ClusterError: Flink refuses the job; the sentence holds its last cause.
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
    values = {"kafka_properties": options(kafka.flink_kafka_properties())}
    job = assemble(Ends.KAFKA, values, [verdict_jar(build)], whole)
    try:
        result = job.execute()
    except Exception as problem:
        raise ClusterError(f"Flink refuses the job: {last_cause(str(problem))}") from problem
    return str(result.get_job_client().get_job_id())
