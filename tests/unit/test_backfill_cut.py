"""A part of the topics gives the same results of a range as all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from hypothesis import assume, event, given
from hypothesis import strategies as st

from flink_job.backfill.cut import BEFORE_MS, BEHIND_MS, Passed, Watch
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, Record, WindowKey, fold
from tests.nasty import T

MANY = 40
# How old an event is when it is appended: mostly young, as in life.
AGES = st.one_of(st.integers(0, 5_000), st.integers(-65_000, 150_000))


@st.composite
def partitions(draw: st.DrawFn, before: int, behind: int) -> list[Record]:
    """A partition around the full hour T, whose append times step back now and then.

    Args:
        draw: Of hypothesis.
        before: How long before T it begins, ms.
        behind: How long behind T it ends, about.
    """
    highest = T - before
    records: list[Record] = []
    while highest < T + behind and len(records) < MANY:
        step = draw(st.sampled_from([1, 1, 1, 1, -1])) * draw(st.integers(0, 30_000))
        appended = highest + (2 * step + 1 if step < 0 else step)
        highest = max(highest, appended)
        kind = draw(st.sampled_from(["impression", "click", "impression", "buy"]))
        time = appended - draw(AGES)
        fields = {"userId": "u", "productId": "p", "eventType": kind, "timestamp": time}
        value = json.dumps(fields).encode()
        records.append(Record("clicks", 0, len(records), appended, value))
    return records


Results = tuple[dict[WindowKey, Counts], dict[LedgerKey, Entry]]


def results(records: Iterable[Record], of: Callable[[int, Outcome], bool]) -> Results:
    """The windows and the ledger's rows of some hours."""
    tables = fold(records)
    return (
        {k: v for k, v in tables.windows.items() if of(k.window_start, Outcome.COUNTED)},
        {k: v for k, v in tables.ledger.items() if of(k.hour, k.outcome)},
    )


def behind(records: list[Record], time: int) -> list[Record]:
    """What Kafka reads from a time on: all from the first record that is not older."""
    first = next((n for n, record in enumerate(records) if record.appended >= time), len(records))
    return records[first:]


def passed(records: Iterable[Record], clock: int) -> Passed | None:
    watch = Watch(clock)
    return next((found for record in records if (found := watch.look(record))), None)


@given(partitions(150_000, 150_000))
def test_what_was_appended_before_a_range_changes_nothing_that_is_counted_in_it(
    records: list[Record],
) -> None:
    def counted(time: int, outcome: Outcome) -> bool:
        return time >= T and outcome is Outcome.COUNTED

    cut = behind(records, T - BEFORE_MS)
    event("cut" if len(cut) < len(records) else "whole")
    assert results(cut, counted) == results(records, counted)


@given(partitions(200_000, 60_000))
def test_with_a_clock_that_is_known_in_front_of_it_a_range_has_all_its_outcomes(
    records: list[Record],
) -> None:
    first_in_it = behind(records, T)
    back, cut = BEFORE_MS, behind(records, T - BEFORE_MS)
    while cut and cut[0].offset and first_in_it:
        known = passed(cut, T - back)
        if known and known.offset <= first_in_it[0].offset:
            break
        back *= 2
        cut = behind(records, T - back)
    event("cut" if len(cut) < len(records) else "whole")
    assert results(cut, lambda time, _: time >= T) == results(records, lambda time, _: time >= T)


@given(partitions(60_000, 200_000), st.integers(0, 100_000))
def test_behind_a_clock_that_has_passed_a_range_nothing_of_it_is_counted(
    records: list[Record], later: int
) -> None:
    closed = passed(behind(records, T + BEHIND_MS), T + BEHIND_MS)
    assume(closed)
    assert closed is not None
    # Another partition may have the end later, never earlier.
    end = closed.appended + 1 + later
    cut = records[: len(records) - len(behind(records, end))]
    event("cut" if len(cut) < len(records) else "whole")
    assert closed.offset < len(cut)
    event("something of the range" if results(cut, lambda time, _: time < T)[0] else "nothing")
    assert results(cut, lambda time, _: time < T) == results(records, lambda time, _: time < T)


def test_a_clock_that_does_not_come_there_is_waited_for() -> None:
    value = json.dumps(
        {"userId": "u", "productId": "p", "eventType": "click", "timestamp": T}
    ).encode()
    records = [Record("clicks", 0, offset, T + 5, value) for offset in range(3)]
    assert passed(records, T + 1) is None
    assert passed(records, T) == Passed(0, T + 5)
    assert passed([Record("clicks", 0, 0, T, b"{")], T) is None
