"""The SQL job gives what the specification gives."""

from __future__ import annotations

from pathlib import Path

from flink_job.domain import Outcome, Record, fold
from loadtest.messages import Traffic, messages
from tests.job.conftest import Outputs, RunJob
from tests.nasty import GOOD, NASTY, T


def expected(records: list[Record]) -> Outputs:
    tables = fold(records)
    return Outputs(tables.windows, tables.ledger, tables.dead_letters)


def test_each_nasty_message_has_its_one_outcome(run_job: RunJob) -> None:
    # A partition for each, behind a good message that has set the partition's clock.
    values = [value for value, _ in NASTY.values()]
    records = [
        Record("impressions", partition, offset, T, value)
        for partition, nasty in enumerate(values)
        for offset, value in enumerate((GOOD, nasty))
    ]
    outputs = run_job(records)

    given = {
        key.partition: key.outcome
        for key, entry in outputs.ledger.items()
        if entry.last_offset == 1
    }
    wanted = {partition: outcome for partition, (_, outcome) in enumerate(NASTY.values())}
    names = list(NASTY)
    assert {names[partition]: outcome for partition, outcome in given.items()} == {
        names[partition]: outcome for partition, outcome in wanted.items()
    }
    assert outputs == expected(records)


def test_nasty_messages_in_one_partition_are_each_explained(run_job: RunJob) -> None:
    values = [value for value, _ in NASTY.values()]
    records = [Record("clicks", 7, offset, T, value) for offset, value in enumerate(values)]
    assert run_job(records) == expected(records)


def test_generated_traffic_is_counted_as_specified(run_job: RunJob) -> None:
    traffic = Traffic(rate=200, products=50, partitions=3, disorder=25_000, bad=0.02)
    records = list(messages(30_000, traffic, seed=20_251_124))
    outputs = run_job(records)
    assert {key.outcome for key in outputs.ledger} == set(Outcome)
    assert outputs == expected(records)


def test_times_that_sit_on_every_edge_are_judged_as_specified(run_job: RunJob) -> None:
    edges = [
        side + step
        for side in (0, 10_000, 15_000, 20_000, 30_000, 60_000, 604_800_000)
        for step in (-1, 0, 1)
    ]
    records = []
    for partition, lead in enumerate((0, 19_999, 20_000, 20_001, 60_000)):
        times = [T + lead, *(T + edge for edge in edges), *(T - edge for edge in edges)]
        for offset, time in enumerate(times):
            value = GOOD.replace(str(T).encode(), str(time).encode())
            records.append(Record("impressions", partition, offset, T + lead, value))
    assert run_job(records) == expected(records)


def test_a_leader_whose_clock_is_behind_makes_nothing_late(run_job: RunJob) -> None:
    # The second was appended by a broker whose clock is a minute behind the first one's.
    appended = (T + 60_000, T)
    records = [
        Record("clicks", 0, offset, time, GOOD.replace(str(T).encode(), str(time).encode()))
        for offset, time in enumerate(appended)
    ]
    outputs = run_job(records)
    assert {key.outcome for key in outputs.ledger} == {Outcome.COUNTED}
    assert outputs == expected(records)


def test_times_before_1970_fall_into_their_windows_and_hours(run_job: RunJob) -> None:
    times = (-1, -5, -10_000, -10_001, -3_600_000, -3_600_001, 0, 1)
    records = [
        Record("clicks", 0, offset, 0, GOOD.replace(str(T).encode(), str(time).encode()))
        for offset, time in enumerate(times)
    ]
    assert run_job(records) == expected(records)


def test_product_names_of_any_text_stay_what_they_are(run_job: RunJob) -> None:
    names = (
        r"\u0000",
        r"a\nb\tc",
        'quote\\"',
        "é",
        "e\u0301",
        r"\ud83d\ude00",
        ",;|",
        "\x7f",
        "NULL",
    )
    records = [
        Record("clicks", 0, offset, T, GOOD.replace(b'"p"', f'"{name}"'.encode()))
        for offset, name in enumerate(names)
    ]
    outputs = run_job(records)
    assert len(outputs.windows) == len(names)
    assert outputs == expected(records)


def test_a_message_beyond_the_json_formats_own_limit_is_read(run_job: RunJob) -> None:
    records = [Record("clicks", 0, 0, T, b"\xfe" * 21_000_000)]
    assert run_job(records) == expected(records)


def test_a_wide_character_takes_twelve_bytes_in_a_result_and_no_more(
    run_job: RunJob, tmp_path: Path
) -> None:
    # What tests/unit/test_limits.py reckons with.
    name = "\U0001f600" * 200_000
    records = [Record("clicks", 0, 0, T, GOOD.replace(b'"p"', f'"{name}"'.encode()))]
    assert run_job(records) == expected(records)
    (part,) = (tmp_path / "windows").glob("part-*")
    assert 12 * len(name) <= part.stat().st_size < 12 * len(name) + 500
