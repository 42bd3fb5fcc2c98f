"""Offsets that hold no record are told as that, and a lost record never is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition

from flink_job.audit import reading, records, topics
from flink_job.audit.law import Ledger, Partition, Reconciliation, Seen, Spans
from flink_job.domain import Entry, LedgerKey, Outcome
from flink_job.endpoints import Kafka
from tests.unit.logs import RECORD, Logs

ENDPOINT = Kafka(("kafka1:9092",))
ONE, OTHER = TopicPartition("impressions", 0), TopicPartition("clicks", 0)
CANARY = TopicPartition("canary", 0)
OUTCOMES = (Outcome.COUNTED, Outcome.MALFORMED, Outcome.LATE)
HELD = st.fixed_dictionaries(dict.fromkeys((ONE, OTHER, CANARY), st.text("rma", max_size=20)))


def ledger(offsets: Mapping[TopicPartition, Iterable[int]]) -> Ledger:
    """What the job books for records at these offsets."""
    table: dict[LedgerKey, Entry] = {}
    for (topic, number), booked in offsets.items():
        for offset in booked:
            key = LedgerKey(topic, number, OUTCOMES[offset % len(OUTCOMES)], 0)
            once = Entry(1, offset, offset)
            table[key] = table[key].plus(offset) if key in table else once
    return table


def windows(table: Ledger) -> dict[int, int]:
    counted: Counter[int] = Counter()
    for key, entry in table.items():
        if key.outcome is Outcome.COUNTED:
            counted[key.hour] += entry.events
    return counted


def placed(held: Mapping[TopicPartition, str]) -> dict[TopicPartition, list[int]]:
    return {
        one: [at for at, letter in enumerate(log) if letter == RECORD] for one, log in held.items()
    }


def reconciled(logs: Logs, *tables: Ledger, ends: Mapping[TopicPartition, int]) -> Reconciliation:
    """The law after a look at each of the tables, with Kafka read after each."""
    law = Reconciliation({(*one,): (logs.begins.get(one, 0), ends[one]) for one in logs.held})
    for table in tables:
        counted = windows(table)
        law.look(counted, table, counted)
        spans = law.doubtful(all_of_them=True)
        law.learn(records.seen_by_one(ENDPOINT, spans, kafka=logs.consumer()))
    return law


def ends_of(held: Mapping[TopicPartition, str]) -> dict[TopicPartition, int]:
    return {one: len(log) for one, log in held.items()}


def holes(held: Mapping[TopicPartition, str]) -> int:
    return sum(letter != RECORD for log in held.values() for letter in log)


@given(HELD, st.integers(1, 30))
def test_offsets_without_a_record_are_explained_by_exactly_their_number(
    held: dict[TopicPartition, str], fetched: int
) -> None:
    law = reconciled(Logs(held, fetched=fetched), ledger(placed(held)), ends=ends_of(held))
    assert law.settled
    assert law.broken() == []
    events = sum(map(len, placed(held).values()))
    line, _, told = str(law).partition("; ")
    assert line.startswith(f"conservation: consumed {events} = ")
    assert line.endswith("unexplained 0")
    assert told == (f"{holes(held)} offsets hold no record" if holes(held) else "")


@given(HELD, st.data())
def test_a_record_that_the_ledger_lacks_is_unexplained_whatever_is_beside_it(
    held: dict[TopicPartition, str], data: st.DataObject
) -> None:
    booked = placed(held)
    some = [(one, offset) for one, offsets in booked.items() for offset in offsets]
    if not some:
        held, booked, some = {**held, ONE: "mrm"}, {**booked, ONE: [1]}, [(ONE, 1)]
    one, offset = data.draw(st.sampled_from(some), label="lost")
    booked[one].remove(offset)
    law = reconciled(Logs(held), ledger(booked), ends=ends_of(held))
    assert not law.settled
    assert law.unexplained == 1
    (sentence,) = law.broken()
    assert sentence.startswith("1 of ")
    assert f"{one.topic} partition {one.partition} have no outcome" in sentence


@given(HELD, st.data())
def test_events_that_flow_while_it_is_checked_change_nothing(
    held: dict[TopicPartition, str], data: st.DataObject
) -> None:
    """The check began at some end; the ledger goes on beyond it, at times half written."""
    booked = placed(held)
    ends = {one: data.draw(st.integers(0, len(log)), label="end") for one, log in held.items()}
    written = st.fixed_dictionaries(
        {
            one: st.just([]) if not offsets else st.lists(st.sampled_from(offsets), unique=True)
            for one, offsets in booked.items()
        }
    )
    looks = map(ledger, data.draw(st.lists(written, max_size=3), label="looks before"))
    law = reconciled(Logs(held), *looks, ledger(booked), ends=ends)
    assert law.settled
    assert law.unexplained == 0


def test_a_partition_that_adds_up_is_never_read() -> None:
    law = Reconciliation({(*ONE,): (0, 3)})
    table = ledger({ONE: [0, 1, 2]})
    assert law.look(windows(table), table, windows(table))
    assert law.doubtful(all_of_them=True) == {}


def test_of_a_ledger_that_adds_up_but_does_not_reach_only_the_rest_is_read() -> None:
    law = Reconciliation({(*ONE,): (0, 9)})
    table = ledger({ONE: [0, 1, 2]})
    law.look(windows(table), table, windows(table))
    assert law.doubtful(all_of_them=True) == {(*ONE,): (3, 9)}


def test_what_moves_is_read_only_when_time_is_running_out() -> None:
    law = Reconciliation({(*ONE,): (0, 9), (*OTHER,): (0, 9)})
    for look in range(8):
        table = ledger({ONE: [0, *range(2, look + 2)], OTHER: [0, 2]})
        law.look(windows(table), table, windows(table))
    # One has moved between all looks, the other one never.
    assert law.doubtful(all_of_them=False) == {(*OTHER,): (0, 9)}
    assert law.doubtful(all_of_them=True).keys() == {(*ONE,), (*OTHER,)}


def test_what_retention_has_removed_is_told_apart_where_markers_are_among_what_is_left() -> None:
    held = {ONE: "rrmrrrmr"}
    logs = Logs(held, begins={ONE: 4})
    law = reconciled(logs, ledger(placed(held)), ends=ends_of(held))
    # The marker at 6 is explained; nobody can say any more that the one at 2 was none.
    assert law.settled
    assert law.unexplained == 0
    assert str(law).endswith(
        "consumed 6 = counted 2 + rejected 3 + late 1, unexplained 0; 1 offsets hold no record; of "
        "1 that retention has removed nobody can tell"
    )


def test_without_a_marker_what_retention_has_removed_is_unexplained() -> None:
    held = {ONE: "rrmrrrrr"}
    law = reconciled(Logs(held, begins={ONE: 4}), ledger(placed(held)), ends=ends_of(held))
    assert law.unexplained == 1
    (sentence,) = law.broken()
    assert sentence == (
        "1 of 8 events of impressions partition 0 have no outcome in the ledger. Kafka keeps 4 of "
        "its offsets no more, and cannot tell whether they held records."
    )


@given(st.text("rma", min_size=1, max_size=12), st.text("rma", max_size=12), st.data())
def test_a_record_that_kafka_keeps_and_the_ledger_lacks_is_unexplained_beside_what_is_gone(
    gone: str, kept: str, data: st.DataObject
) -> None:
    """Where an hour ends at the first offset that is kept."""
    held = {ONE: gone + kept + "mrr"}
    booked = placed(held)[ONE]
    lost = data.draw(st.sampled_from([one for one in booked if one >= len(gone)]), label="lost")
    hours = [
        (hour, [one for one in booked if one != lost and (one >= len(gone)) == bool(hour)])
        for hour in (0, 1)
    ]
    table = {
        LedgerKey("impressions", 0, Outcome.COUNTED, hour): Entry(
            len(offsets), offsets[0], offsets[-1]
        )
        for hour, offsets in hours
        if offsets
    }
    logs = Logs(held, begins={ONE: len(gone)})
    law = reconciled(logs, table, ends=ends_of(held))
    assert law.unexplained == 1


@given(st.integers(1, 4), st.integers(1, 11), st.integers(1, 4))
def test_records_that_are_removed_while_they_are_read_are_not_taken_for_markers(
    polls: int, begin: int, fetched: int
) -> None:
    logs = Logs({ONE: "r" * 12}, retention={polls: {ONE: begin}}, fetched=fetched)
    seen = records.seen_by_one(ENDPOINT, {(*ONE,): (0, 12)}, kafka=logs.consumer())[(*ONE,)]
    assert seen.without_record == 0
    assert seen.gone == max(0, begin - fetched * (polls - 1))
    assert seen.newest == 11


def test_an_offset_that_kafka_does_not_have_yet_is_an_error_and_no_endless_loop() -> None:
    logs = Logs({ONE: "rrr"})
    with pytest.raises(reading.TopicsError, match="Kafka cannot be read"):
        records.seen_by_one(ENDPOINT, {(*ONE,): (5, 9)}, kafka=logs.consumer())


@pytest.mark.parametrize(
    ("log", "waits"), [("mma", False), ("", False), ("mamr", True), ("r", True)]
)
def test_a_record_is_found_among_what_holds_none(log: str, *, waits: bool) -> None:
    spans = {(*ONE,): (0, len(log))}
    kafka = Logs({ONE: log}, fetched=1).consumer()
    assert records.any_record(ENDPOINT, spans, kafka=kafka) is waits


@given(HELD, st.integers(1, 30))
def test_the_input_is_read_to_its_end_wherever_markers_are(
    held: dict[TopicPartition, str], fetched: int
) -> None:
    kafka = Logs(held, fetched=fetched).consumer()
    read = Counter((one.topic, one.partition) for one in topics.read_input(ENDPOINT, kafka=kafka))
    assert read == Counter({(*one,): log.count(RECORD) for one, log in held.items()})


def test_a_kafka_that_falls_silent_is_an_error_and_no_endless_loop() -> None:
    logs = Logs({ONE: "rr"})
    with reading.consuming(ENDPOINT, logs.consumer()) as consumer:
        consumer.assign([ONE])
        consumer.seek(ONE, 0)
        with pytest.raises(reading.TopicsError, match=r"Kafka sent nothing for 0 s\."):
            list(reading.read_on(consumer, {ONE: 5}, silence_s=0))


def all_without_record(_: Kafka, spans: Spans) -> dict[Partition, Seen]:
    return {partition: Seen(without_record=end) for partition, (_, end) in spans.items()}


def test_spans_are_read_in_shares_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = {("impressions", number): (0, number) for number in range(5)}

    monkeypatch.setattr(records, "seen_by_one", all_without_record)
    for shares in (1, 2, 9):
        found = records.seen_in(ENDPOINT, spans, shares)
        assert {partition: one.without_record for partition, one in found.items()} == {
            partition: end for partition, (_, end) in spans.items()
        }
    assert records.seen_in(ENDPOINT, {}, 2) == {}
