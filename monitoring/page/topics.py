"""What the page knows of Kafka, read beside the requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from flink_job.audit.law import Offsets
from flink_job.audit.reading import TopicsError, consuming, partitions_of, read_on
from flink_job.audit.topics import DEAD_LETTERS
from flink_job.endpoints import Kafka
from monitoring.page.letters import NEWEST, Letter, Shelf, letter

# The topics of the business; the canary's is none of them.
BUSINESS = ("impressions", "clicks")
EVERY_S = 3.0
SILENCE_S = 10.0
# A look is no audit: of a partition no more than this is asked for at once.
PARTITION_BYTES, ANSWER_BYTES = 128 * 1024, 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topics:
    """What is known of Kafka.

    Attributes:
        offsets: First and end offset of each partition of the input; None until they are known.
        letters: The newest dead letters by reason, those of any reason under no text.
        read_at: When it was read, by the clock that only goes forward; None until then.
        problem: Why nothing newer is known; None where all is well.
    """

    offsets: Offsets | None = None
    letters: Mapping[str, tuple[Letter, ...]] | None = None
    read_at: float | None = None
    problem: str | None = None


class Watch:
    """Looks at the topics every few seconds, and keeps what was seen."""

    def __init__(
        self,
        endpoint: Kafka,
        *,
        kafka: Callable[..., Any] = KafkaConsumer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Know nothing yet.

        Args:
            endpoint: How to reach Kafka.
            kafka: Makes a consumer.
            clock: Seconds, only forward.
        """
        self._endpoint = endpoint
        self._kafka = kafka
        self._clock = clock
        self._known = Topics()

    def known(self) -> Topics:
        """What is known, at once."""
        return self._known

    def run(self, stopping: threading.Event, every_s: float = EVERY_S) -> None:
        """Look until it is time to stop."""
        while not stopping.is_set():
            try:
                for seen in self._looks():
                    self._known = seen
                    if stopping.wait(every_s):
                        return
            except TopicsError as problem:
                self._known = replace(self._known, problem=str(problem))
                stopping.wait(every_s)

    def _looks(self) -> Iterator[Topics]:
        """One look after another by one consumer.

        Raises:
            TopicsError: Kafka cannot be read.
        """
        with consuming(
            self._endpoint,
            self._kafka,
            fetch_max_bytes=ANSWER_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
        ) as consumer:
            shelf, read_to = Shelf(), dict[TopicPartition, int]()
            input_partitions = partitions_of(consumer, BUSINESS)
            dead = partitions_of(consumer, (DEAD_LETTERS,))
            consumer.assign(dead)
            while True:
                shelf.put(_unread(consumer, dead, read_to))
                begins = consumer.beginning_offsets(input_partitions)
                ends = consumer.end_offsets(input_partitions)
                yield Topics(
                    {(one.topic, one.partition): (begins[one], ends[one]) for one in ends},
                    shelf.letters(),
                    self._clock(),
                )


def _unread(
    consumer: Any,  # noqa: ANN401 - kafka-python has no types
    partitions: list[TopicPartition],
    read_to: dict[TopicPartition, int],
) -> list[Letter]:
    """The letters since the last look, of each partition no more than are shown.

    Args:
        consumer: It is assigned these partitions.
        partitions: All of the topic.
        read_to: How far each was read; moved on.
    """
    begins = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    for one in partitions:
        at = max(begins[one], ends[one] - NEWEST, read_to.get(one, 0))
        consumer.seek(one, at)
        # What was read to its end once is paused since then.
        consumer.resume(one)
    found = [
        letter(message)
        for _, messages, _ in read_on(consumer, ends, silence_s=SILENCE_S)
        for message in messages
    ]
    read_to.update(ends)
    return [one for one in found if one.topic != "canary"]
