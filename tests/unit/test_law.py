"""The first law, checked on tables that change while it is checked."""

from __future__ import annotations

import pytest

from flink_job.audit.law import EventsByHour, Ledger, Offsets, Reconciliation, accounts
from flink_job.domain import Entry, LedgerKey, Outcome

HOUR = 3_600_000
PLACE = ("impressions", 0)


def ledger(*rows: tuple[Outcome, int, int, int], hour: int = 0) -> Ledger:
    return {
        LedgerKey(*PLACE, outcome, hour): Entry(events, first, last)
        for outcome, events, first, last in rows
    }


def looked(offsets: Offsets, table: Ledger, windows: EventsByHour) -> Reconciliation:
    law = Reconciliation(offsets)
    law.look(windows, table, windows)
    return law


def test_every_offset_has_an_outcome() -> None:
    law = Reconciliation({PLACE: (0, 10), ("clicks", 0): (0, 0)})
    table = ledger(
        (Outcome.COUNTED, 7, 0, 9), (Outcome.LATE, 2, 3, 5), (Outcome.MALFORMED, 1, 4, 4)
    )
    assert law.look({0: 7}, table, {0: 7})
    assert law.broken() == []
    assert str(law) == (
        "conservation: consumed 10 = counted 7 + rejected 1 + late 2, unexplained 0"
    )


def test_an_event_without_outcome_is_named_with_its_partition() -> None:
    law = looked({PLACE: (0, 10)}, ledger((Outcome.COUNTED, 9, 0, 9)), {0: 9})
    assert law.unexplained == 1
    assert law.broken() == [
        "1 of 10 events of impressions partition 0 have no outcome in the ledger."
    ]


def test_an_event_with_two_outcomes_is_not_set_off_against_a_missing_one() -> None:
    clicks = LedgerKey("clicks", 0, Outcome.COUNTED, 0)
    table = {**ledger((Outcome.COUNTED, 11, 0, 9)), clicks: Entry(9, 0, 9)}
    law = looked({PLACE: (0, 10), ("clicks", 0): (0, 10)}, table, {0: 20})
    assert law.unexplained == 2
    assert law.broken() == [
        "1 of 10 events of clicks partition 0 have no outcome in the ledger.",
        "1 events of impressions partition 0 have two outcomes.",
    ]


@pytest.mark.parametrize(("in_windows", "word"), [(8, "more"), (12, "less")])
def test_windows_and_ledger_are_held_against_each_other_by_the_hour(
    in_windows: int, word: str
) -> None:
    table = ledger((Outcome.COUNTED, 10, 0, 9), hour=HOUR)
    law = looked({PLACE: (0, 10)}, table, {HOUR: in_windows})
    assert law.unexplained == 2
    (sentence,) = law.broken()
    assert sentence == (
        "In the hour from 1970-01-01T01:00:00Z on the ledger has 2 counted events "
        f"{word} than the windows."
    )


def test_an_hour_that_only_the_windows_have_is_unexplained() -> None:
    law = looked({PLACE: (0, 1)}, ledger((Outcome.COUNTED, 1, 0, 0)), {0: 1, HOUR: 4})
    assert law.unexplained == 4


def test_what_was_settled_in_one_look_stays_so_while_events_flow() -> None:
    law = Reconciliation({PLACE: (0, 10)})
    assert not law.look({0: 6}, ledger((Outcome.COUNTED, 10, 0, 9)), {0: 6})
    # The partition goes on and is half written, and the hour has caught up.
    assert law.look({0: 15}, ledger((Outcome.COUNTED, 15, 0, 19)), {0: 15})
    assert str(law).endswith("consumed 10 = counted 10 + rejected 0 + late 0, unexplained 0")


def test_a_ledger_that_is_behind_is_not_settled() -> None:
    law = Reconciliation({PLACE: (0, 10)})
    assert not law.look({0: 5}, ledger((Outcome.COUNTED, 5, 0, 4)), {0: 5})


@pytest.mark.parametrize(("before", "after"), [(9, 10), (10, 12)])
def test_an_hour_that_agrees_while_its_windows_move_is_not_settled(before: int, after: int) -> None:
    table = ledger((Outcome.COUNTED, 10, 0, 9))
    law = Reconciliation({PLACE: (0, 10)})
    assert not law.look({0: before}, table, {0: after})
    assert law.unexplained == after - before
    assert law.look({0: 10}, table, {0: 10})
    assert law.unexplained == 0


def test_the_count_goes_on_where_retention_has_removed_the_beginning() -> None:
    account = accounts({PLACE: (6, 10)}, ledger((Outcome.COUNTED, 10, 0, 9)))[PLACE]
    assert (account.consumed, account.gap, account.reached) == (10, 0, True)


def test_a_ledger_that_begins_after_the_log_leaves_the_beginning_unexplained() -> None:
    assert accounts({PLACE: (0, 10)}, ledger((Outcome.COUNTED, 4, 6, 9)))[PLACE].gap == 6
