"""`python -m flink_job.backfill.extent`: which part of the topics tells all of a range, as JSON.

The reasons are in the package's own words.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from kafka import KafkaConsumer, TopicPartition

from flink_job.audit.reading import TopicsError, consuming, partitions_of, read_on
from flink_job.audit.topics import record_of
from flink_job.backfill.cut import BEFORE_MS, BEHIND_MS, Passed, Watch
from flink_job.backfill.plan import Plan
from flink_job.backfill.span import Span, SpanError, is_exact, span_of, told
from flink_job.domain import INPUT, Record
from flink_job.domain.ledger import HOUR_MS, hour_of
from flink_job.endpoints import EndpointsError, Kafka, read_endpoints

TOLD, REFUSED = 0, 2
SHOWN = 5

Offsets = Mapping[TopicPartition, int]
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Log:
    """The input topics, as far as they went at one moment.

    Attributes:
        consumer: Of kafka-python, which has no types.
        begins: The first offset of each partition.
        ends: The offset behind the last one.
    """

    consumer: Any
    begins: Offsets
    ends: Offsets

    @classmethod
    def of(cls, consumer: Any) -> Log:  # noqa: ANN401
        """How far they go now."""
        partitions = partitions_of(consumer, INPUT)
        return cls(
            consumer, consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        )

    def offsets(self, moment: int) -> dict[TopicPartition, int]:
        """The first message of each partition that was appended at a time (ms) or later, if any."""
        found = self.consumer.offsets_for_times(dict.fromkeys(self.ends, moment))
        return {one: first.offset for one, first in found.items() if first is not None}

    def first(
        self,
        starts: Offsets,
        stops: Offsets,
        asking: Callable[[], Callable[[Record], Found | None]],
    ) -> dict[TopicPartition, Found]:
        """The first answer that is not None, of each partition that has one.

        Args:
            starts: Where to begin.
            stops: Behind what to end.
            asking: Makes what is asked of the records of a partition, one after the other.

        Raises:
            TopicsError: Kafka sends nothing.
        """
        asks = {one: asking() for one, start in starts.items() if start < stops[one]}
        answers: dict[TopicPartition, Found] = {}
        if not asks:
            return answers
        self.consumer.assign(list(asks))
        for one in asks:
            self.consumer.seek(one, starts[one])
        wanted = {one: stops[one] for one in asks}
        for one, messages, _ in read_on(self.consumer, wanted):
            answer = next((said for each in messages if (said := asks[one](record_of(each)))), None)
            if answer is not None:
                answers[one] = answer
                del wanted[one]
                self.consumer.pause(one)
        return answers


def planned(log: Log, span: Span, now: int) -> tuple[Plan, list[TopicPartition]]:
    """The part of the topics, and the partitions of which more of the range may come.

    Raises:
        SpanError: Retention has removed what is needed.
        TopicsError: Kafka does not answer.
    """
    start, read = _start(log, span)
    closed = span.end + BEHIND_MS
    passed = log.first(log.offsets(closed), log.ends, partial(_watching, closed))
    waiting = sorted(read.keys() - passed.keys())
    end = None if waiting or not passed else 1 + max(one.appended for one in passed.values())
    return Plan(span.start, span.end, start, end, now), waiting


def _start(log: Log, span: Span) -> tuple[int, Offsets]:
    """The append time to read from, and the first offset of each partition that has something."""
    _refuse_without_a_message(log)
    first, behind = log.offsets(span.start), log.offsets(span.end)
    inside = {one for one, offset in first.items() if offset < behind.get(one, log.ends[one])}
    back = BEFORE_MS
    while True:
        start = max(0, span.start - back)
        read = log.offsets(start)
        _refuse_what_is_gone(log, span, read)
        unsure = {one: offset for one, offset in read.items() if offset and one in inside}
        stops = {one: first[one] + 1 for one in unsure}
        known = log.first(unsure, stops, partial(_watching, start))
        if known.keys() == unsure.keys():
            return start, read
        back *= 2


def _watching(clock: int) -> Callable[[Record], Passed | None]:
    return Watch(clock).look


def _refuse_without_a_message(log: Log) -> None:
    empty = [one for one, begin in log.begins.items() if 0 < begin == log.ends[one]]
    if empty:
        raise SpanError(
            f"Retention has removed all messages of {_named(empty)}: whether some of the range "
            "were among them cannot be told, so that no range can be counted anew."
        )


def _refuse_what_is_gone(log: Log, span: Span, read: Offsets) -> None:
    cut = {one: begin for one, begin in log.begins.items() if begin and read.get(one) == begin}
    if cut:
        oldest = log.first(cut, log.ends, lambda: lambda record: record.appended)
        possible = hour_of(max(oldest.values()) + BEFORE_MS) + HOUR_MS
        # The clock of a quiet partition may be known from a later hour on only.
        possible = max(possible, span.start + HOUR_MS)
        raise SpanError(
            f"Retention has removed messages of {_named(list(cut))} that a range from "
            f"{told(span.start)} needs: begin at {told(possible)} or later."
        )


def _named(partitions: list[TopicPartition]) -> str:
    some = [f"{one.topic}/{one.partition}" for one in sorted(partitions)]
    more = f" and {len(some) - SHOWN} more" if len(some) > SHOWN else ""
    return ", ".join(some[:SHOWN]) + more


def main(
    arguments: list[str] | None = None,
    *,
    kafka: Callable[..., Any] = KafkaConsumer,
    clock: Callable[[], float] = time.time,
) -> int:
    """Run from the command line; the exit status: 0 told, 2 refused."""
    parser = argparse.ArgumentParser(
        prog="python -m flink_job.backfill.extent", description=__doc__
    )
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument("--from", dest="first", required=True, metavar="TIME", help="ISO 8601, UTC")
    parser.add_argument("--to", dest="last", required=True, metavar="TIME", help="the same")
    chosen = parser.parse_args(arguments)
    now = int(clock() * 1_000)
    try:
        span = span_of(chosen.first, chosen.last, now)
        plan, waiting = _asked(read_endpoints(chosen.endpoints).kafka, span, now, kafka)
    except (EndpointsError, SpanError, TopicsError) as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    sentences = []
    if not is_exact(span, chosen.first, chosen.last):
        sentences.append(f"The range is widened to whole hours: {span}.")
    if waiting:
        sentences.append(
            f"The clocks of {_named(waiting)} have not passed the end of the range: more of it may "
            "come, which the job counts as ever."
        )
    sys.stdout.write(f"{plan.json(sentences)}\n")
    return TOLD


def _asked(
    endpoint: Kafka, span: Span, now: int, kafka: Callable[..., Any]
) -> tuple[Plan, list[TopicPartition]]:
    with consuming(endpoint, kafka) as consumer:
        return planned(Log.of(consumer), span, now)


if __name__ == "__main__":
    sys.exit(main())
