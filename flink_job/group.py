"""What the job has committed to Kafka, which it does with each of its checkpoints.

Java's client asks, out of Flink's connector: where the job is deployed there is no other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flink_job.age import Reached
from flink_job.cluster import ClusterError
from flink_job.endpoints import Kafka
from flink_job.java import java_gateway

GROUP = "ctr-job"
ANSWER_TIMEOUT_S = 30
POLL_MS = 200
# A message of each partition is read, and no more of it than need be.
READING = {
    "enable.auto.commit": "false",
    "auto.offset.reset": "earliest",
    "max.partition.fetch.bytes": "131072",
}


def ran_before(kafka: Kafka) -> bool:
    """Whether the job's consumer group has offsets.

    Raises:
        ClusterError: Kafka cannot be asked.
    """
    jvm = java_gateway().jvm
    try:
        return bool(_committed(jvm, _properties(jvm, kafka)))
    except Exception as problem:
        raise ClusterError(
            f"Kafka does not tell whether the job has run before ({_cause(problem)}): name a "
            "checkpoint by --from, or say --from scratch, which counts the topics from their "
            "beginning."
        ) from problem


def reached(kafka: Kafka) -> Reached:
    """How far the newest checkpoint of the job that ran last has read.

    Raises:
        ClusterError: Kafka cannot be asked.
    """
    try:
        jvm = java_gateway().jvm
        properties = _properties(jvm, kafka)
        return _reached(jvm, properties, _committed(jvm, properties))
    except Exception as problem:
        raise ClusterError(
            f"Kafka does not tell how far the job has read: {_cause(problem)}"
        ) from problem


def _cause(problem: Exception) -> object:
    return getattr(problem, "java_exception", problem)


def _properties(jvm: Any, kafka: Kafka) -> Any:  # noqa: ANN401 - py4j has no types
    properties = jvm.java.util.Properties()
    for key, value in kafka.flink_kafka_properties().items():
        properties.setProperty(key, value)
    properties.setProperty("default.api.timeout.ms", str(ANSWER_TIMEOUT_S * 1_000))
    return properties


def _committed(jvm: Any, properties: Any) -> dict[Any, int]:  # noqa: ANN401
    """The offset that the group is at, by Java's partition."""
    client = jvm.org.apache.flink.kafka.shaded.org.apache.kafka.clients.admin.AdminClient.create(
        properties
    )
    try:
        found = client.listConsumerGroupOffsets(GROUP).partitionsToOffsetAndMetadata()
        offsets = found.get(ANSWER_TIMEOUT_S + 1, jvm.java.util.concurrent.TimeUnit.SECONDS)
        return {one: offsets[one].offset() for one in offsets if offsets[one] is not None}
    finally:
        client.close()


def _reached(jvm: Any, properties: Any, committed: Mapping[Any, int]) -> Reached:  # noqa: ANN401
    with _consuming(jvm, properties) as consumer:
        partitions = jvm.java.util.ArrayList()
        for one in committed:
            partitions.add(one)
        begins, ends = consumer.beginningOffsets(partitions), consumer.endOffsets(partitions)
        last = {one: at - 1 for one, at in committed.items() if at > begins[one]}
        following = {one: max(at, begins[one]) for one, at in committed.items()}
        read = _firsts(jvm, consumer, last, ends)
        unread = _firsts(jvm, consumer, following, ends)
    # Where a transaction ended there, what is found is behind it.
    newest = [appended for one, (offset, appended) in read.items() if offset < committed[one]]
    return Reached(
        max(newest, default=None), min((appended for _, appended in unread.values()), default=None)
    )


@contextmanager
def _consuming(jvm: Any, properties: Any) -> Iterator[Any]:  # noqa: ANN401
    shaded = jvm.org.apache.flink.kafka.shaded.org.apache.kafka
    bytes_of = "org.apache.flink.kafka.shaded.org.apache.kafka.common.serialization."
    for key, value in READING.items():
        properties.setProperty(key, value)
    for key in ("key.deserializer", "value.deserializer"):
        properties.setProperty(key, f"{bytes_of}ByteArrayDeserializer")
    consumer = shaded.clients.consumer.KafkaConsumer(properties)
    try:
        yield consumer
    finally:
        consumer.close()


def _firsts(
    jvm: Any,  # noqa: ANN401
    consumer: Any,  # noqa: ANN401
    starts: Mapping[Any, int],
    ends: Any,  # noqa: ANN401
) -> dict[Any, tuple[int, int]]:
    """The first message of each partition from an offset on: its offset and append time (ms).

    A partition without one is left out; a marker of a transaction is none.
    """
    missing = {one: start for one, start in starts.items() if start < ends[one]}
    partitions = jvm.java.util.ArrayList()
    for one in missing:
        partitions.add(one)
    consumer.assign(partitions)
    # What has been paused stays so, also when it is assigned anew.
    consumer.resume(partitions)
    for one, start in missing.items():
        consumer.seek(one, start)
    found: dict[Any, tuple[int, int]] = {}
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while missing:
        if time.monotonic() > deadline:
            raise ClusterError(f"it sent nothing for {ANSWER_TIMEOUT_S} s")
        records = consumer.poll(jvm.java.time.Duration.ofMillis(POLL_MS))
        for one in list(records.partitions()):
            first = records.records(one)[0]
            found.setdefault(one, (first.offset(), first.timestamp()))
        done = [one for one in missing if one in found or consumer.position(one) >= ends[one]]
        for one in done:
            consumer.pause(jvm.java.util.Collections.singleton(one))
            del missing[one]
    return found
