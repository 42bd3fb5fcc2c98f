"""The specification gives each message of the corpus, and of the cases, its outcome."""

from __future__ import annotations

import json

import pytest

from flink_job.domain import Entry, LedgerKey, Outcome, Record, WindowKey, fold
from flink_job.domain.event import _BRACKETS_OUTSIDE_STRINGS
from tests.nasty import GOOD, NASTY, T


def records(values: list[bytes | None], appended: list[int] | None = None) -> list[Record]:
    times = appended or [T] * len(values)
    pairs = zip(values, times, strict=True)
    return [Record("impressions", 0, offset, at, value) for offset, (value, at) in enumerate(pairs)]


def event(timestamp: object, kind: str = "impression", product: str = "p") -> bytes:
    fields = {"userId": "u", "productId": product, "eventType": kind, "timestamp": timestamp}
    return json.dumps(fields).encode()


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_message_has_its_one_outcome(name: str) -> None:
    value, outcome = NASTY[name]
    tables = fold(records([GOOD, value]))
    behind = [key.outcome for key, entry in tables.ledger.items() if entry.last_offset == 1]
    assert behind == [outcome]
    letter = tables.dead_letters.get(("impressions", 0, 1))
    assert (letter is None) == (outcome is Outcome.COUNTED)
    if letter is not None:
        assert (letter.reason, letter.payload) == (outcome, value)


def test_a_string_that_is_not_closed_is_looked_at_once() -> None:
    text = '"' + r"\"" * 1_000
    matches = list(_BRACKETS_OUTSIDE_STRINGS.finditer(text + "[{"))
    assert [match.span() for match in matches] == [(0, len(text) + 2)]
    # A closed one ends where it did, and brackets behind it count.
    opening = [match.group(1) for match in _BRACKETS_OUTSIDE_STRINGS.finditer(text + '"[{')]
    assert opening == [None, "[", "{"]


def test_the_corpus_holds_every_outcome() -> None:
    assert {outcome for _, outcome in NASTY.values()} == set(Outcome)


def test_impressions_and_views_are_impressions_and_clicks_are_clicks() -> None:
    values: list[bytes | None] = [
        event(T, kind) for kind in ("impression", "view", "view", "click")
    ]
    (counts,) = fold(records(values)).windows.values()
    assert (counts.impressions, counts.clicks, counts.ctr) == (3, 1, 1 / 3)


def test_ctr_is_not_a_number_without_impressions() -> None:
    (counts,) = fold(records([event(T, "click")])).windows.values()
    assert counts.ctr is None


def test_lateness_begins_ten_seconds_behind_the_windows_end() -> None:
    # The window is [T, T + 10 s); it takes events while the clock is below T + 20 s.
    clocks = [T + 19_999, T + 19_999, T + 20_000, T + 20_000]
    values: list[bytes | None] = [event(T + 19_999), event(T), event(T + 20_000), event(T)]
    tables = fold(records(values, clocks))
    assert tables.windows[WindowKey("p", T)].impressions == 1
    assert tables.dead_letters[("impressions", 0, 3)].reason is Outcome.LATE


def test_a_device_ahead_of_its_time_makes_no_others_late() -> None:
    values: list[bytes | None] = [event(T + 60_000), event(T - 5_000)]
    assert not fold(records(values)).dead_letters


def test_an_event_is_not_late_before_its_own_append_time_says_so() -> None:
    # Append times may step back when a partition's leader changes.
    values: list[bytes | None] = [event(T + 30_000), event(T)]
    assert not fold(records(values, [T + 30_000, T + 1_000])).dead_letters


def test_rejected_messages_do_not_move_the_clock() -> None:
    far = T + 3_600_000
    values: list[bytes | None] = [event(T), event(far, "buy"), event(far + 60_001), event(T)]
    tables = fold(records(values, [T, far, far, far]))
    assert tables.windows[WindowKey("p", T)].impressions == 2


def test_partitions_have_clocks_of_their_own() -> None:
    later = T + 60_000
    ahead = Record("impressions", 0, 0, later, event(later))
    behind = Record("impressions", 1, 0, later, event(T))
    assert not fold([ahead, behind]).dead_letters


def test_counted_stands_in_the_hour_of_its_window_and_others_in_their_append_hour() -> None:
    hour = T + 3_600_000
    tables = fold(records([event(hour - 1), b"{", event(hour + 5)], [hour, hour, hour + 5]))
    assert tables.ledger == {
        LedgerKey("impressions", 0, Outcome.COUNTED, T): Entry(1, 0, 0),
        LedgerKey("impressions", 0, Outcome.MALFORMED, hour): Entry(1, 1, 1),
        LedgerKey("impressions", 0, Outcome.COUNTED, hour): Entry(1, 2, 2),
    }


def test_windows_and_hours_before_1970_begin_below_zero() -> None:
    tables = fold(records([event(-5)], [0]))
    assert WindowKey("p", -10_000) in tables.windows
    assert LedgerKey("impressions", 0, Outcome.COUNTED, -3_600_000) in tables.ledger
