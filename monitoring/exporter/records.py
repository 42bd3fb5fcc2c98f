"""Reads, little by little, offsets in Kafka that lack an outcome for some time."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer

from flink_job.audit.law import Partition, Seen, Spans
from flink_job.audit.reading import TopicsError
from flink_job.audit.records import seen_by_one
from flink_job.endpoints import Kafka
from flink_job.loader.service import Clock
from monitoring.exporter.board import Board
from monitoring.exporter.gaps import Gap, Read
from monitoring.exporter.refresher import BEAT_S

log = logging.getLogger(__name__)

# One partition at a time and so many offsets of it, which is a second of work or less.
CHUNK = 20_000
# The share of a core that reading takes in the long run: about ten thousand records a second.
SHARE = 0.1
SETTINGS = {
    "bootstrap_timeout_ms": 3_000,
    "request_timeout_ms": 4_000,
    "max_partition_fetch_bytes": 2**18,
    "metrics_enabled": False,
}


def reading(endpoint: Kafka, spans: Spans) -> Mapping[Partition, Seen]:
    """What a reader of committed records sees in spans of offsets.

    Raises:
        TopicsError: Kafka cannot be reached, or stops to send.
    """
    consumer: Callable[..., Any] = partial(KafkaConsumer, **SETTINGS)
    return seen_by_one(endpoint, spans, kafka=consumer)


@dataclass(slots=True)
class Records:
    """Reads what is doubtful until it is asked to stop, each partition in its turn.

    Attributes:
        read: Reads spans of offsets, or raises TopicsError.
        board: Says what is doubtful, and takes what was read.
        keep: Where it is kept what is known by reading: retention removes what was read. None to
            keep it nowhere.
        stopping: Whether somebody has asked to stop.
        clock: Time.
        worked: Seconds of processor that this thread has taken.
    """

    read: Callable[[Spans], Mapping[Partition, Seen]]
    board: Board
    keep: Path | None
    stopping: Callable[[], bool]
    clock: Clock
    worked: Callable[[], float] = time.thread_time
    _asked: dict[Partition, Gap] = field(default_factory=dict)
    _turn: Partition = ("", -1)
    _kept: Mapping[Partition, Read] = field(default_factory=dict)
    _told: bool = False

    def run(self) -> None:
        """Read whenever something is doubtful."""
        while not self.stopping():
            before = self.worked()
            rest = BEAT_S
            try:
                if self.round():
                    rest = max(0.0, self.worked() - before) / SHARE
                self._told = False
            except TopicsError as problem:
                self.board.change(lambda state: replace(state, gaps=state.gaps.forgotten()))
                if not self._told:
                    log.warning("offsets without an outcome cannot be read: %s", problem)
                self._told = True
            self.clock.wait(rest, self.stopping)

    def round(self) -> bool:
        """Read some offsets of the partition whose turn it is; whether there was one.

        Raises:
            TopicsError: Kafka cannot be reached, or stops to send.
        """
        gaps = self.board.state.gaps
        doubtful = gaps.doubtful
        self._asked = {place: gap for place, gap in self._asked.items() if place in doubtful}
        self._save()
        if not doubtful:
            return False
        place = min((one for one in doubtful if one > self._turn), default=min(doubtful))
        self._turn = place
        begin = gaps.begin(place)
        asked = self._asked.get(place)
        if asked is None or not asked.first <= begin < asked.end:
            asked = self._asked[place] = doubtful[place]
        end = min(asked.end, begin + CHUNK)
        seen = self.read({place: (begin, end)})[place]
        part = Read(begin, end, seen.without_record)
        self.board.change(lambda state: replace(state, gaps=state.gaps.learned(place, part, asked)))
        return True

    def _save(self) -> None:
        """Keep what is known of partitions with offsets that hold no record, if it is new.

        Of others nothing has to be kept: once they add up they do so by sums alone.
        """
        known = {place: one for place, one in self.board.state.gaps.read.items() if one.recordless}
        if self.keep is None or known == self._kept:
            return
        rows = [[*place, one.first, one.to, one.recordless] for place, one in sorted(known.items())]
        beside = self.keep.with_suffix(".new")
        try:
            beside.write_text(json.dumps(rows), encoding="utf-8")
            beside.replace(self.keep)
        except OSError as problem:
            log.warning("%s cannot be written: %s", self.keep, problem.strerror)
        self._kept = known


def kept(file: Path) -> dict[Partition, Read]:
    """What was known by reading when it was written; nothing without a file that can be read."""
    try:
        rows = json.loads(file.read_bytes())
        return {
            (str(topic), int(partition)): Read(int(first), int(to), int(recordless))
            for topic, partition, first, to, recordless in rows
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError) as problem:
        log.warning("%s cannot be read, so offsets will be read again: %s", file, problem)
        return {}
