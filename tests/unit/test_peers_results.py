"""A peer's results against the specification's, and how long events took to be in them."""

from __future__ import annotations

import json
from dataclasses import replace

from flink_job.domain import Counts, DeadLetter, Outcome, WindowKey
from loadtest.peers.latency import latency
from loadtest.peers.results import Difference, Results, Row, difference
from loadtest.peers.supplied import CLOSING_PRODUCT, closing
from loadtest.peers.truth import Truth, business
from loadtest.peers.written import letter, window_value

W = WindowKey("p", 10_000)
LATE = DeadLetter(Outcome.LATE, b"x")
TRUTH = Truth(5, {W: Counts(3, 1)}, {("clicks", 0, 7): LATE})


def results() -> Results:
    # Nothing listens there, and nothing is asked of it.
    return Results("127.0.0.1:1", "windows", "letters")


def test_equal_results_have_no_difference() -> None:
    assert difference(TRUTH, TRUTH.windows, TRUTH.letters).exact
    assert str(Difference()) == "equal"


def test_each_way_to_differ_is_told_apart() -> None:
    other = WindowKey("q", 10_000)
    found = difference(TRUTH, {W: Counts(1, 1), other: Counts(0, 4)}, {})
    assert found == Difference(lacking=2, excess=4, letters_lacking=1)
    wrong = {("clicks", 0, 7): replace(LATE, payload=b"y"), ("clicks", 0, 8): LATE}
    found = difference(TRUTH, TRUTH.windows, wrong)
    assert found == Difference(letters_excess=1, letters_other=1)
    assert str(found) == "1 dead letters too many, 1 dead letters other than specified"


def test_of_a_window_the_highest_counts_are_kept_and_closing_events_are_left_out() -> None:
    followed = results()
    for counts in ((1, 0), (3, 1), (2, 1)):
        followed.take_window(window_value("p", 10_000, *counts), 0)
    followed.take_window(window_value(f"{CLOSING_PRODUCT}clicks-1", 10_000, 1, 0), 0)
    followed.take_window(None, 0)
    assert followed.windows == {W: Counts(3, 1)}
    assert not followed.complete(TRUTH)
    words = letter("clicks", 0, 7, Outcome.LATE, b"x")
    followed.take_letter(words["key"], words["headers"], words["value"])
    assert followed.complete(TRUTH)
    assert difference(TRUTH, followed.windows, followed.letters).exact
    followed.close()


def test_every_partition_has_a_closing_event_that_is_not_compared() -> None:
    events = list(closing(25_000))
    assert len({(topic, partition) for topic, partition, *_ in events}) == len(events) == 24
    products = [json.loads(value)["productId"] for *_, value in events]
    assert [key.decode() for _, _, key, _ in events] == products
    keys = {WindowKey(product, 20_000): Counts(1, 0) for product in products}
    assert business({**keys, W: Counts(3, 1)}) == {W: Counts(3, 1)}


def test_an_impression_is_seen_with_the_first_row_that_counts_it() -> None:
    rows = [
        Row(W, Counts(1, 0), 1_200),
        Row(W, Counts(3, 5), 1_500),
        Row(W, Counts(2, 9), 9_000),
        Row(WindowKey("another's", 10_000), Counts(1, 0), 9_000),
    ]
    found = latency({W: [1_000, 1_100, 1_400]}, rows)
    assert (found.p50, found.p99, found.events, found.unseen) == (200, 400, 3, 0)


def test_what_was_not_seen_is_slower_than_all_that_was() -> None:
    found = latency({W: [1_000, 1_100, 1_400, 1_500]}, [Row(W, Counts(2, 0), 1_200)])
    assert (found.p50, found.p99, found.unseen) == (200, None, 2)
    assert latency({}, []).p50 is None
