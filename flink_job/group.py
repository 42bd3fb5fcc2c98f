"""Whether the job has run before, by what it has committed to Kafka."""

from __future__ import annotations

from flink_job.cluster import ClusterError
from flink_job.endpoints import Kafka
from flink_job.java import java_gateway

GROUP = "ctr-job"
ANSWER_TIMEOUT_S = 30


def ran_before(kafka: Kafka) -> bool:
    """Whether the job's consumer group has offsets, which the job commits with its checkpoints.

    Java's client asks, out of Flink's connector: where the job is deployed there is no other.

    Raises:
        ClusterError: Kafka cannot be asked.
    """
    jvm = java_gateway().jvm
    properties = jvm.java.util.Properties()
    for key, value in kafka.flink_kafka_properties().items():
        properties.setProperty(key, value)
    properties.setProperty("default.api.timeout.ms", str(ANSWER_TIMEOUT_S * 1_000))
    admin = jvm.org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClient
    try:
        client = admin.create(properties)
        try:
            found = client.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata()
            offsets = found.get(ANSWER_TIMEOUT_S + 1, jvm.java.util.concurrent.TimeUnit.SECONDS)
        finally:
            client.close()
    except Exception as problem:
        cause = getattr(problem, "java_exception", problem)
        raise ClusterError(
            f"Kafka does not tell whether the job has run before ({cause}): name a checkpoint by "
            "--from, or say --from scratch, which counts the topics from their beginning."
        ) from problem
    return bool(offsets.size())
