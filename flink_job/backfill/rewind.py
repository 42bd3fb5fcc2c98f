"""The loaders, sent back to what the job has said since a recount was begun."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata, TopicPartition

from flink_job.audit.reading import consuming, partitions_of
from flink_job.audit.topics import LOADED
from flink_job.endpoints import Kafka

# Twice the session of a loader, which stays a member for that long behind its stop.
SESSIONS_END_S, AGAIN_AFTER_S = 30.0, 0.5


def rewind(
    endpoint: Kafka, group: str, moment: int, *, kafka: Callable[..., Any] = KafkaConsumer
) -> None:
    """Let the loaders, which are stopped, read again what was said from a moment on.

    A window of the range that was open when the recount ended has grown since; its newer count may
    be in the tables already, and would be replaced by the older one. Never forward: what a loader
    that lags has not read yet, it reads.

    Args:
        endpoint: How to reach Kafka.
        group: Their consumer group.
        moment: In ms.
        kafka: Makes a consumer.

    Raises:
        TopicsError: Kafka cannot be reached, or a loader is a member still.
    """
    with consuming(endpoint, kafka, group_id=group) as consumer:
        partitions = partitions_of(consumer, LOADED)
        since = consumer.offsets_for_times(dict.fromkeys(partitions, moment))
        back = {
            one: OffsetAndMetadata(first.offset, "", -1)
            for one, first in since.items()
            if first is not None and first.offset < (consumer.committed(one) or 0)
        }
        if back:
            consumer.assign(list(back))
            _commit(consumer, back)


def _commit(consumer: Any, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:  # noqa: ANN401
    """Commit; a group takes it from nobody else until the sessions of its members have ended."""
    deadline = time.monotonic() + SESSIONS_END_S
    while True:
        try:
            consumer.commit(offsets)
        except KafkaError:
            if time.monotonic() > deadline:
                raise
            time.sleep(AGAIN_AFTER_S)
        else:
            return
