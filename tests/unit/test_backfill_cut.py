"""A part of the topics gives the same results of a range as all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from hypothesis import event, given
from hypothesis import strategies as st

from flink_job.backfill.cut import BEFORE_MS, BEHIND_MS, Passed, Watch
from flink_job.domain import Counts, Entry, LedgerKey, Outcome, Record, WindowKey, fold
from tests.nasty import T

# How long behind the one before it a message is appended, whether by a broker whose clock is late,
# how old its event is, which may be ahead of it, and of which kind.
STEPS = st.tuples(
    st.integers(0, 30_000),
    st.sampled_from([False, False, False, True]),
    st.one_of(st.integers(0, 5_000), st.integers(-65_000, 0), st.integers(0, 150_000)),
    st.sampled_from(["impression", "click", "impression", "buy"]),
)


@st.composite
def partitions(draw: st.DrawFn, before: int, fewest: int = 25) -> list[Record]:
    """A partition that begins so long before the full hour T, in ms, and has some records."""
    highest = T - before
    records = []
    for offset, (step, behind_it, age, kind) in enumerate(draw(st.lists(STEPS, min_size=fewest))):
        appended = highest + (1 - 2 * step if behind_it else step)
        highest = max(highest, appended)
        event_time = appended - age
        fields = {"userId": "u", "productId": "p", "eventType": kind, "timestamp": event_time}
        records.append(Record("clicks", 0, offset, appended, json.dumps(fields).encode()))
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


@given(partitions(150_000))
def test_what_was_appended_before_a_range_changes_nothing_that_is_counted_in_it(
    records: list[Record],
) -> None:
    def counted(time: int, outcome: Outcome) -> bool:
        return time >= T and outcome is Outcome.COUNTED

    cut = behind(records, T - BEFORE_MS)
    event("cut" if len(cut) < len(records) else "whole")
    assert results(cut, counted) == results(records, counted)


@given(partitions(200_000))
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


@given(partitions(60_000, 30), st.integers(0, 100_000))
def test_behind_a_clock_that_has_passed_a_range_nothing_of_it_is_counted(
    records: list[Record], later: int
) -> None:
    closed = passed(behind(records, T + BEHIND_MS), T + BEHIND_MS)
    # Another partition may have the end later, never earlier. Without one all is read.
    cut = records
    if closed:
        cut = records[: len(records) - len(behind(records, closed.appended + 1 + later))]
        assert closed.offset < len(cut)
    event("cut" if len(cut) < len(records) else "whole")
    found = results(cut, lambda time, _: time < T)
    event("something of the range" if found[0] else "nothing of the range")
    assert found == results(records, lambda time, _: time < T)


def test_a_clock_that_does_not_come_there_is_waited_for() -> None:
    value = json.dumps(
        {"userId": "u", "productId": "p", "eventType": "click", "timestamp": T}
    ).encode()
    records = [Record("clicks", 0, offset, T + 5, value) for offset in range(3)]
    assert passed(records, T + 1) is None
    assert passed(records, T) == Passed(0, T + 5)
    assert passed([Record("clicks", 0, 0, T, b"{")], T) is None
