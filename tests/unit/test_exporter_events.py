"""Counters of events only grow, whatever becomes of the ledger and of the exporter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_job.domain import INPUT, Outcome
from monitoring.exporter.events import Events, Keeper, Tally, kept

KINDS = [(topic, outcome) for topic in INPUT for outcome in Outcome]
COUNTED, MALFORMED = ("clicks", Outcome.COUNTED), ("clicks", Outcome.MALFORMED)
LEDGERS = st.lists(
    st.fixed_dictionaries({kind: st.integers(0, 40) for kind in KINDS}), min_size=1, max_size=6
)


def booked(counted: int, malformed: int = 0) -> Events:
    return {**dict.fromkeys(KINDS, 0), COUNTED: counted, MALFORMED: malformed}


def of(topic: str, events: Events) -> int:
    return sum(number for (one, _), number in events.items() if one == topic)


@given(LEDGERS)
def test_whatever_the_ledger_becomes_no_counter_steps_back_and_no_event_is_told_twice(
    ledgers: list[Events],
) -> None:
    tally = Tally()
    for number, ledger in enumerate(ledgers):
        before, tally = tally, tally.seen(ledger)
        assert all(tally.told[kind] >= told for kind, told in before.told.items())
        for topic in INPUT:
            highest = max(of(topic, one) for one in ledgers[: number + 1])
            assert of(topic, tally.told) == highest


@given(LEDGERS)
def test_while_the_ledger_only_grows_the_counters_are_its_sums(ledgers: list[Events]) -> None:
    tally, sums = Tally(), dict.fromkeys(KINDS, 0)
    for more in ledgers:
        sums = {kind: sums[kind] + more[kind] for kind in KINDS}
        tally = tally.seen(sums)
        assert tally.told == sums


def test_what_a_recount_moves_is_told_of_neither_outcome_and_counting_goes_on() -> None:
    tally = Tally().seen(booked(10_000))
    # A thousand were counted that should have been rejected, and fifty have come meanwhile.
    tally = tally.seen(booked(9_049, 1_001))
    assert of("clicks", tally.told) == 10_050
    after = tally.seen(booked(9_147, 1_003))
    assert after.told[COUNTED] - tally.told[COUNTED] == 98
    assert after.told[MALFORMED] - tally.told[MALFORMED] == 2


def test_a_table_that_is_filled_again_tells_no_event_a_second_time() -> None:
    tally = Tally().seen(booked(900, 100))
    for part in (0, 400, 900):
        tally = tally.seen(booked(part, part // 9))
        assert tally.told == booked(900, 100)
    assert tally.seen(booked(910, 101)).told == booked(910, 101)


def test_a_restart_goes_on_from_what_was_told_and_brings_what_came_meanwhile(
    tmp_path: Path,
) -> None:
    file = tmp_path / "events.json"
    tally = Tally().seen(booked(10_000)).seen(booked(9_000, 1_000))
    Keeper(file).keep(tally)
    again = kept(file)
    assert again == replace(tally, of_former_run=True)
    assert again.seen(booked(9_080, 1_020)).told == booked(10_080, 20)


def test_a_restart_over_tables_that_were_made_anew_begins_with_them(tmp_path: Path) -> None:
    file = tmp_path / "events.json"
    Keeper(file).keep(Tally().seen(booked(10_000)))
    tally = kept(file).seen(booked(3))
    assert tally.told == booked(3)
    assert tally.seen(booked(1)).told == booked(3), "the same in one run is a table to be filled"


def test_what_is_not_there_or_cannot_be_read_is_the_ledgers_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert kept(tmp_path / "none.json") == Tally()
    assert caplog.messages == []
    for content in ("{", "[[1]]", '[["clicks", "nonsense", 1, 1]]', "7"):
        (tmp_path / "events.json").write_text(content)
        assert kept(tmp_path / "events.json") == Tally()
    assert len(caplog.messages) == 4
    assert Tally().seen(booked(7)).told == booked(7)


def test_a_file_that_cannot_be_written_is_said_once_and_again_after_it_could(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "none"
    keeper = Keeper(folder / "events.json")
    keeper.keep(Tally())
    assert caplog.messages == [], "nothing is known yet"
    for events in (1, 2):
        keeper.keep(Tally().seen(booked(events)))
    assert len(caplog.messages) == 1
    folder.mkdir()
    keeper.keep(Tally().seen(booked(3)))
    assert kept(folder / "events.json").told == booked(3)
    Keeper(None).keep(Tally().seen(booked(4)))
    assert kept(folder / "events.json").told == booked(3)
