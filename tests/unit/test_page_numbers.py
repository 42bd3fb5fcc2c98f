"""What the views show is what the tables and topics say, and no more."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_job.domain import Counts, Entry, LedgerKey, Outcome
from monitoring.page import numbers as numbers_module
from monitoring.page.books import END_S, OLD_AFTER_S, OLD_AGAIN_AFTER_S, OLD_EVERY_S, Books
from monitoring.page.chart import BARS, HEIGHT, chart
from monitoring.page.conserved import LOOKS_WITHIN_S, Looks, conservation
from monitoring.page.forms import ago, axis, clock, count, day_and_clock, iso, percent, share_of
from monitoring.page.numbers import By, Numbers, Window
from monitoring.page.tables import PRODUCTS, Found, Tables
from monitoring.page.topics import Topics
from monitoring.page.visible import visible, visible_bytes
from tests.unit.page_played import AWAY, Clock, Played, T, at_once, full


def shown(
    played: Played, clock: Clock | None = None, topics: Topics | None = None
) -> tuple[Numbers, Clock]:
    clock = clock or Clock()
    known = topics or Topics()
    return (
        Numbers(Tables(played), lambda: known, wall=clock.wall, clock=clock, later=at_once),
        clock,
    )


def key(outcome: Outcome, topic: str = "clicks", partition: int = 0) -> LedgerKey:
    return LedgerKey(topic, partition, outcome, 0)


def test_the_newest_windows_are_laid_over_the_hour() -> None:
    numbers, _ = shown(full())
    now = numbers.now().value
    assert now is not None
    assert now.hour == Counts(80 + 8 + 4, 8 + 2 + 1), "8 of 14 s ago, not the 7 of before"
    assert now.window == Window(T, Counts(4, 1), open=True)
    assert now.window.end == T + 10
    assert now.written_age == 1
    assert now.minutes == {
        (T - 300) // 60 * 60: Counts(80, 8),
        T - 60: Counts(8, 2),
        T: Counts(4, 1),
    }
    assert [one.product_id for one in now.top] == ["product-1", "<script>/'\"é"]


def test_a_window_is_open_until_no_event_of_it_can_be_counted() -> None:
    for age, is_open in ((19, True), (20, False)):
        played = full()
        played.rows |= {"recent": [(T - age, 4, 1, T)], "hour": []}
        now = shown(played)[0].now().value
        assert now is not None
        assert now.window is not None
        assert now.window.open is is_open


def test_without_a_row_there_is_no_window_and_no_rate() -> None:
    played = full()
    played.rows |= {"recent": [], "hour": [], "top": []}
    now = shown(played)[0].now().value
    assert now is not None
    assert (now.window, now.hour.ctr, now.written_age) == (None, None, None)


def test_windows_leave_the_hour_with_time_though_it_was_asked_for_before() -> None:
    played = full()
    played.rows |= {"hour": [(T - 3_590, 5, 0), (T - 10, 7, 2)], "recent": []}
    numbers, clock = shown(played)
    first = numbers.now().value
    clock.now = 3.5
    played.rows["hour"] = []
    clock.now = 3.9
    assert first is not None
    assert first.hour == Counts(12, 2)
    clock.now = 30
    again = numbers.now().value
    assert again is not None
    assert again.hour == Counts(7, 2), "the answer of before, without what is older than an hour"


def test_during_an_outage_the_numbers_are_those_of_before_as_they_stood() -> None:
    played = full()
    numbers, clock = shown(played)
    before = numbers.now().value
    played.away, clock.now = True, 34
    answer = numbers.now()
    assert (answer.age_s, answer.problem) == (34.0, str(AWAY))
    assert answer.value == before, "the hour does not run out while nobody knows it"
    played.away, clock.now = False, 36
    numbers.now()
    assert numbers.now().problem is None


def test_old_hours_of_the_ledger_are_read_once_an_hour_or_where_offsets_are_missing() -> None:
    old: list[tuple[object, ...]] = [
        ("clicks", 1, "counted", 5, 0, 0, 4),
        ("clicks", 1, "late", 1, 0, 5, 5),
    ]
    new: list[tuple[object, ...]] = [("clicks", 1, "counted", 4, 3, 6, 9)]
    spans: list[tuple[int, int]] = []

    def ledger(parameters: Mapping[str, int]) -> list[tuple[object, ...]]:
        spans.append((parameters["since"], parameters["before"]))
        return new if parameters["since"] else old

    clock = Clock()
    played = Played({"ledger": ledger})
    books = Books(Tables(played).booked, clock, clock.wall)
    edge = T - OLD_AFTER_S
    whole = books.read()
    assert whole.ledger == {
        key(Outcome.COUNTED, partition=1): Entry(9, 0, 9),
        key(Outcome.LATE, partition=1): Entry(1, 5, 5),
    }
    assert whole.day == {("clicks", Outcome.COUNTED): 3, ("clicks", Outcome.LATE): 0}
    assert spans == [(0, edge), (edge, END_S)]
    clock.now = OLD_AGAIN_AFTER_S + 1
    books.read()
    assert spans[2:] == [(edge, END_S)], "all adds up, so that old hours are what they were"
    # A recount has changed an old hour and a new one: only together do they add up.
    old[0], new[0] = ("clicks", 1, "counted", 4, 0, 0, 3), ("clicks", 1, "counted", 5, 3, 4, 9)
    assert books.read().ledger[key(Outcome.COUNTED, partition=1)] == Entry(9, 0, 9)
    moved = int(clock.wall()) - OLD_AFTER_S
    assert spans[3:] == [(edge, END_S), (0, moved), (moved, END_S)]
    clock.now += OLD_EVERY_S + 1
    books.read()
    assert spans[6][0] == 0


def refused(_parameters: object) -> list[tuple[object, ...]]:
    raise AWAY


def test_a_ledger_that_cannot_be_read_keeps_nobody_from_the_rest() -> None:
    played = full()
    booked, played.rows["ledger"] = played.rows["ledger"], refused
    numbers, clock = shown(played)
    answer = numbers.now()
    assert answer.problem is None
    assert answer.value is not None
    assert answer.value.hour == Counts(92, 11)
    assert (answer.value.conservation, answer.value.doubt) == (None, str(AWAY))
    played.rows["ledger"], clock.now = booked, 5
    numbers.now()
    known = numbers.now().value
    assert known is not None
    assert known.doubt is None
    assert known.conservation is not None
    played.rows["ledger"], clock.now = refused, 100
    numbers.now()
    again = numbers.now().value
    assert again is not None
    assert again.conservation == known.conservation
    assert (again.doubt, again.doubt_s) == (str(AWAY), 95.0)


def test_where_nothing_was_ever_known_there_is_only_the_sentence() -> None:
    played = full()
    played.away = True
    numbers, _ = shown(played)
    assert (numbers.now().value, numbers.now().problem) == (None, str(AWAY))
    assert (numbers.shares().value, numbers.shares().problem) == (None, str(AWAY))


def test_all_users_together_ask_each_question_once_a_second() -> None:
    played = full()
    numbers, _ = shown(played)
    for _ in range(20):
        numbers.now()
        numbers.shares()
        numbers.products("p")
        numbers.history("product-1", By.WINDOW)
    names = [name for name, _ in played.asked]
    # Of the ledger the old hours once, and the new ones.
    assert sorted(names) == sorted([*full().rows, "ledger"])


def test_what_is_remembered_of_searches_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbers_module, "REMEMBERED", 2)
    played = full()
    numbers, _ = shown(played)
    for prefix in ("a", "b", "a", "c", "a", "b"):
        numbers.products(prefix)
    assert [parameters["pattern"] for _, parameters in played.asked if parameters] == [
        "a%",
        "b%",
        "c%",
        "b%",
    ]


def test_what_takes_long_is_asked_before_somebody_waits() -> None:
    played = full()
    numbers, _ = shown(played)
    stopping = threading.Event()

    def last(_parameters: object) -> list[tuple[object, ...]]:
        stopping.set()
        return []

    played.rows["ledger"] = last
    numbers.keep_warm(stopping, every_s=0)
    assert {name for name, _ in played.asked} == {"hour", "top", "ledger"}


@pytest.mark.parametrize(
    ("by", "step", "span"), [(By.WINDOW, 10, 3_600), (By.HOUR, 3_600, 2_592_000)]
)
def test_a_history_ends_with_the_step_under_way(by: By, step: int, span: int) -> None:
    played = full()
    numbers, _ = shown(played)
    history = numbers.history("product-1", by).value
    assert history is not None
    assert history.end - step <= T < history.end
    assert (history.end - history.first, history.first % step) == (span, 0)
    assert history.total == Counts(84, 8)
    asked = {"product": "product-1", "step": step, "first": history.first, "end": history.end}
    assert played.asked[-1] == ("history", asked)


def test_a_product_that_was_never_counted_has_no_history() -> None:
    played = full()
    played.rows["seen"] = [(0, 0, 0)]
    answer = shown(played)[0].history("nobody", By.MINUTE)
    assert (answer.value, answer.problem) == (None, None)


def test_of_too_many_products_the_one_that_is_asked_for_is_shown() -> None:
    played = full()
    played.rows["products"] = [(f"p{number}",) for number in range(PRODUCTS + 1)]
    found = shown(played)[0].products("p").value
    assert found is not None
    assert (found.products[0], len(found.products), found.more) == ("p", PRODUCTS + 1, True)
    played.rows["seen"] = [(0, 0, 0)]
    found = shown(played)[0].products("p").value
    assert found is not None
    assert (len(found.products), found.more) == (PRODUCTS, True)


def test_signs_with_a_meaning_in_a_pattern_are_searched_literally() -> None:
    played = full()
    assert shown(played)[0].products("50%_\\").value == Found(
        ("product-0", "product-1"), more=False
    )
    assert played.asked[0][1] == {"pattern": "50\\%\\_\\\\%", "limit": PRODUCTS + 1}


def test_shares_are_of_each_topic_and_name_every_outcome() -> None:
    shares = shown(full())[0].shares().value
    assert shares is not None
    assert [one.topic for one in shares] == ["impressions"] * 7 + ["clicks"] * 7
    of = {(one.topic, one.outcome): one for one in shares}
    malformed = of["impressions", Outcome.MALFORMED]
    assert (malformed.day, malformed.of_day, malformed.events) == (6, 86, 6)
    assert malformed.of_events == 100
    assert of["clicks", Outcome.LATE].events == 0


def test_conservation_adds_up_and_tells_what_waits_in_kafka() -> None:
    offsets = {("impressions", 0): (0, 103), ("clicks", 1): (0, 10), ("clicks", 2): (5, 7)}
    now = shown(full(), topics=Topics(offsets))[0].now().value
    assert now is not None
    law = now.conservation
    assert law is not None
    assert (law.counted, law.rejected, law.late, law.unexplained) == (100, 6, 4, 0)
    assert law.consumed == 110
    assert law.waiting == 3 + 2
    assert conservation({}, 0, None).waiting is None


@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=60), st.data())
def test_offsets_are_explained_unless_one_is_missing(
    outcomes: list[Outcome], data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.integers(1, max(1, len(outcomes) - 2)), max_size=3))
    lost = {one for one in lost if 0 < one < len(outcomes) - 1}
    ledger: dict[LedgerKey, Entry] = {}
    for offset, outcome in enumerate(outcomes):
        if offset not in lost:
            place = key(outcome)
            once = Entry(1, offset, offset)
            ledger[place] = ledger[place].plus(offset) if place in ledger else once
    unexplained = Looks().take(0, ledger)
    assert unexplained == len(lost)
    law = conservation(ledger, unexplained, None)
    assert (law.consumed, law.unsettled) == (len(outcomes), 0)


def test_what_is_missing_for_a_moment_is_under_way_and_what_stays_is_not() -> None:
    looks = Looks()
    moment = {key(Outcome.COUNTED): Entry(8, 0, 9)}
    stays = {key(Outcome.COUNTED): Entry(17, 0, 19), key(Outcome.LATE): Entry(2, 4, 8)}
    assert looks.take(0, {key(Outcome.COUNTED): Entry(4, 0, 3)}) == 0
    assert looks.take(2, moment) == 0
    assert conservation(moment, 0, None).unsettled == 2
    assert looks.take(2 + LOOKS_WITHIN_S, stays) == 1, "the look at 0 is too old to excuse it"


def test_events_with_two_outcomes_are_unexplained() -> None:
    twice = {key(Outcome.COUNTED): Entry(10, 0, 9), key(Outcome.LATE): Entry(1, 4, 4)}
    assert Looks().take(0, twice) == 1


@given(
    st.dictionaries(
        st.integers(0, 59).map(lambda step: T + 10 * step),
        st.builds(Counts, st.integers(0, 10**12), st.integers(0, 10**12)),
    )
)
def test_a_chart_stays_in_its_box_whatever_was_counted(series: dict[int, Counts]) -> None:
    drawn = chart(series, T, T + 600, 10)
    ET.fromstring(f'<path d="{drawn.line}"/>')  # noqa: S314 - made here
    assert drawn.width == 600
    assert drawn.top >= max((counts.ctr or 0 for counts in series.values()), default=0) * 0.999
    heights = [
        float(part.split()[1].split("h")[0]) for part in drawn.line.replace("L", "M").split("M")[1:]
    ]
    assert len(heights) == sum(counts.impressions > 0 for counts in series.values())
    assert all(-0.1 <= y <= HEIGHT for y in heights)
    assert len(drawn.bars) == sum(counts != Counts() for counts in series.values())
    assert all(0 <= bar.height <= BARS and bar.y + bar.height <= HEIGHT + 0.1 for bar in drawn.bars)


def test_a_line_has_a_gap_where_there_were_no_impressions() -> None:
    drawn = chart({0: Counts(10, 1), 10: Counts(10, 3), 30: Counts(10, 2)}, 0, 40, 10)
    assert drawn.top == pytest.approx(0.3)
    assert drawn.line == "M5 66.7h0L15 0M35 33.3h0"
    assert drawn.middle == 20


def test_numbers_and_times_read_well() -> None:
    assert [percent(0.25), percent(None), axis(0.15), axis(0.025)] == [
        "25.00 %",
        "\N{EN DASH}",
        "15 %",
        "2.5 %",
    ]
    assert [count(1234567), share_of(1, 4), share_of(0, 0)] == ["1,234,567", 0.25, None]
    assert [ago(3.4), ago(90), ago(7_200), ago(200_000)] == ["3 s", "2 min", "2 h", "2 d"]
    assert [clock(T), day_and_clock(T), iso(T)] == [
        "16:00:00",
        "2025-11-24 16:00",
        "2025-11-24T16:00:00Z",
    ]


@given(st.text())
def test_every_sign_of_a_shown_text_is_seen(text: str) -> None:
    assert visible(text).isprintable()


@given(st.binary(max_size=40), st.integers(0, 50))
def test_any_bytes_can_be_shown_and_long_ones_say_so(value: bytes, most: int) -> None:
    text = visible_bytes(value, most)
    assert text.isprintable()
    assert text.endswith("…") or len(value) <= most


def test_signs_that_turn_others_around_are_escaped() -> None:
    assert visible("a\u202eb\n\0é🎉") == "a\\u202eb\\n\\x00é🎉"
    assert visible_bytes(b"\xff{}", 9) == "\\xff{}"
