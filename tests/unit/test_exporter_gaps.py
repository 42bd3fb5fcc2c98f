"""Offsets that hold no record need no outcome, and those that hold one do, however it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer

from flink_job.audit.law import Partition, Seen, Spans
from flink_job.audit.reading import TopicsError
from flink_job.endpoints import Kafka
from flink_job.loader.service import Clock
from monitoring.exporter import records
from monitoring.exporter.board import Board
from monitoring.exporter.gaps import STANDS_AFTER, Gap, Gaps, Read
from monitoring.exporter.records import CHUNK, SETTINGS, SHARE, Records, kept
from monitoring.exporter.refresher import BEAT_S

PLACE, OTHER = ("clicks", 0), ("clicks", 1)


def looked(gaps: Gaps, looks: int = STANDS_AFTER, **by_place: Gap) -> Gaps:
    """After some looks that tell all the same of PLACE, and of OTHER where it is given."""
    told = {PLACE: by_place["place"]} | ({OTHER: by_place["other"]} if "other" in by_place else {})
    for _ in range(looks):
        gaps = gaps.seen(told, begins_known=True)
    return gaps


def test_what_lacks_an_outcome_for_a_moment_is_told_and_not_read() -> None:
    gaps = looked(Gaps(), STANDS_AFTER - 1, place=Gap(0, 100, 7))
    assert gaps.unexplained == {PLACE: 7}
    assert gaps.unread == {PLACE: 100}
    assert gaps.doubtful == {}
    gaps = looked(gaps, 1, place=Gap(0, 100, 7))
    assert gaps.doubtful == {PLACE: Gap(0, 100, 7)}
    gaps = looked(gaps, 1, place=Gap(0, 120, 0))
    assert gaps.doubtful == {}
    assert gaps.unexplained == gaps.unread == {PLACE: 0}


def test_what_has_added_up_is_never_read() -> None:
    gaps = looked(looked(Gaps(), 1, place=Gap(0, 1_000_000, 0)), place=Gap(0, 1_000_050, 3))
    assert gaps.begin(PLACE) == 1_000_000
    assert gaps.unread == {PLACE: 50}


def test_offsets_without_a_record_are_explained_and_those_with_one_are_not() -> None:
    asked = Gap(0, 100, 7)
    gaps = looked(Gaps(), place=asked)
    half = gaps.learned(PLACE, Read(0, 60, 4), asked)
    assert half.unexplained == {PLACE: 3}
    assert half.unread == {PLACE: 40}
    assert half.learned(PLACE, Read(60, 100, 3), asked).unexplained == {PLACE: 0}
    assert half.learned(PLACE, Read(60, 100, 1), asked).unexplained == {PLACE: 2}


def test_a_flow_of_transactions_is_explained_all_the_time_though_its_end_is_never_read() -> None:
    gaps = Gaps()
    for round_ in range(1, 20):
        asked = Gap(0, 100 * round_, 10 * round_)
        gaps = looked(gaps, place=asked)
        before = looked(gaps, 1, place=Gap(0, asked.end + 50, asked.missing + 5))
        gaps = before.learned(PLACE, Read(before.begin(PLACE), asked.end, 10), asked)
        assert gaps.unexplained == {PLACE: 0}
        assert gaps.recordless == {PLACE: 10 * round_}


def test_a_record_that_is_lost_in_a_flow_of_transactions_stays_told() -> None:
    gaps, lost = Gaps(), 3
    for round_ in range(1, 20):
        asked = Gap(0, 100 * round_, 10 * round_ + lost * (round_ > 4))
        gaps = looked(gaps, place=asked)
        gaps = gaps.learned(PLACE, Read(gaps.begin(PLACE), asked.end, 10), asked)
        assert gaps.unexplained == {PLACE: lost if round_ > 5 else 0}


def test_rows_that_were_under_way_at_one_reading_are_no_loss() -> None:
    first, second = Gap(0, 100, 10), Gap(0, 200, 24)
    gaps = looked(Gaps(), place=first).learned(PLACE, Read(0, 100, 10), first)
    gaps = looked(gaps, place=second).learned(PLACE, Read(100, 200, 10), second)
    assert gaps.unexplained == {PLACE: 0}


def test_what_was_read_does_not_hold_for_another_beginning_nor_for_a_topic_made_anew() -> None:
    asked = Gap(0, 100, 7)
    gaps = looked(Gaps(), place=asked).learned(PLACE, Read(0, 100, 7), asked)
    assert gaps.unexplained == {PLACE: 0}
    assert looked(gaps, 1, place=Gap(0, 50, 2)).unexplained == {PLACE: 2}
    moved = looked(gaps, 1, place=Gap(5, 100, 2))
    assert moved.unexplained == {PLACE: 2}
    assert moved.begin(PLACE) == 5
    # Where Kafka has not told of its beginnings yet, it is kept.
    assert gaps.seen({PLACE: Gap(5, 100, 2)}, begins_known=False).read == gaps.read


def test_what_was_read_of_a_partition_that_changed_meanwhile_is_left_out() -> None:
    asked = Gap(0, 100, 7)
    gaps = looked(looked(Gaps(), place=asked), 1, place=Gap(0, 110, 0))
    assert gaps.learned(PLACE, Read(0, 60, 4), asked) == gaps
    assert Gaps().learned(PLACE, Read(0, 60, 4), asked) == Gaps()


@dataclass
class Topic:
    """A Kafka whose partitions hold these offsets without a record."""

    hollow: Mapping[Partition, set[int]]
    problems: list[TopicsError] = field(default_factory=list)
    read: list[Spans] = field(default_factory=list)

    def __call__(self, spans: Spans) -> dict[Partition, Seen]:
        self.read.append(spans)
        if self.problems:
            raise self.problems.pop(0)
        return {
            place: Seen(sum(begin <= offset < end for offset in self.hollow[place]))
            for place, (begin, end) in spans.items()
        }


def reader(topic: Topic, gaps: Gaps, keep: Path | None = None) -> Records:
    board = Board()
    board.change(lambda state: replace(state, gaps=gaps))
    return Records(topic, board, keep, lambda: False, Clock())


def test_long_parts_are_read_little_by_little_and_partitions_take_turns() -> None:
    topic = Topic({PLACE: {5, CHUNK + 5}, OTHER: {7}})
    one = reader(
        topic, looked(Gaps(), place=Gap(0, CHUNK + 10, 2), other=Gap(0, 2 * CHUNK + 10, 2))
    )
    while one.round():
        pass
    assert [list(spans) for spans in topic.read] == [[PLACE], [OTHER], [PLACE], [OTHER], [OTHER]]
    assert all(end - begin <= CHUNK for spans in topic.read for begin, end in spans.values())
    assert one.board.state.gaps.unexplained == {PLACE: 0, OTHER: 1}
    assert one.board.state.gaps.unread == {PLACE: 0, OTHER: 0}


@given(st.sets(st.integers(0, 99)), st.sets(st.integers(0, 99)))
def test_whatever_is_hollow_or_lost_the_lost_are_told(hollow: set[int], lost: set[int]) -> None:
    missing = len(hollow | lost)
    one = reader(Topic({PLACE: hollow}), looked(Gaps(), place=Gap(0, 100, missing)))
    one.round()
    assert one.board.state.gaps.unexplained == {PLACE: len(lost - hollow)}


def test_what_was_read_is_kept_over_restarts(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    one = reader(Topic({PLACE: {5, 6}}), looked(Gaps(), place=Gap(0, 100, 2)), file)
    assert kept(file) == {}
    one.round()
    one.round()
    assert kept(file) == {PLACE: Read(0, 100, 2)}
    again = looked(Gaps(read=kept(file)), 1, place=Gap(0, 110, 2))
    assert again.unexplained == {PLACE: 0}


def test_a_file_that_cannot_be_used_is_a_warning_and_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for content in ("{", "[[1]]", "7"):
        (tmp_path / "records.json").write_text(content)
        assert kept(tmp_path / "records.json") == {}
    assert caplog.text.count("cannot be read, so offsets will be read again") == 3
    one = reader(
        Topic({PLACE: {5}}), looked(Gaps(), place=Gap(0, 9, 1)), tmp_path / "none" / "records.json"
    )
    one.round()
    one.round()
    assert "records.json cannot be written: No such file" in caplog.text


def test_reading_takes_a_share_of_a_core_and_its_failure_ends_old_verdicts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = Gap(0, 100, 2)
    known = looked(Gaps(), place=asked).learned(PLACE, Read(0, 100, 2), asked)
    gaps = looked(known, place=Gap(0, 200, 4))
    assert gaps.unexplained == {PLACE: 0}
    topic = Topic({PLACE: {150}}, [TopicsError("away"), TopicsError("away")])
    one = reader(topic, gaps)
    told: list[int] = []
    rests: list[float] = []
    worked = iter(range(100))

    class Counting(Clock):
        def wait(self, seconds: float, _: object) -> None:
            rests.append(seconds)
            told.append(one.board.state.gaps.unexplained[PLACE])

    one.clock, one.worked = Counting(), lambda: float(next(worked))
    one.stopping = lambda: len(rests) == 4
    one.run()
    assert told == [2, 2, 1, 1]
    assert rests == [BEAT_S, BEAT_S, 1 / SHARE, BEAT_S]
    assert caplog.messages == ["offsets without an outcome cannot be read: away"]


def test_kafka_is_read_by_settings_that_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    assert SETTINGS.keys() <= KafkaConsumer.DEFAULT_CONFIG.keys()
    asked: list[object] = []

    def seen(endpoint: Kafka, spans: Spans, *, kafka: object) -> dict[Partition, Seen]:
        asked.extend((endpoint, spans, kafka.keywords))  # type: ignore[attr-defined]
        return {PLACE: Seen(1)}

    monkeypatch.setattr(records, "seen_by_one", seen)
    kafka = Kafka(("kafka1:9092",))
    assert records.reading(kafka, {PLACE: (0, 9)}) == {PLACE: Seen(1)}
    assert asked == [kafka, {PLACE: (0, 9)}, SETTINGS]
