"""What is simulated are the same events, of other numbers and sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from flink_job.domain import Outcome, Record, judge
from loadtest.embedded import Ran
from loadtest.messages import Traffic, messages
from loadtest.scaling.found import LARGE, MANY_PARTITIONS, MANY_PRODUCTS, USUAL
from loadtest.scaling.simulate import SCENARIOS, WARM_UP, Scenario, padded, simulated


def outcomes(records: list[Record]) -> list[Outcome]:
    return [judge(record, None).outcome for record in records]


def test_a_large_event_is_as_large_as_asked_for_and_has_the_same_outcome() -> None:
    plain = list(messages(3_000, Traffic(), 1))
    large = list(padded(iter(plain), 10_000))
    assert outcomes(large) == outcomes(plain)
    assert {
        len(one.value or b"") for one in large if judge(one, None).outcome is Outcome.COUNTED
    } == {10_000}
    assert list(padded(iter(plain), 10_000)) == large


def test_what_is_no_object_or_is_long_already_stays() -> None:
    values = (None, b"", b"[{}]", b'{"a": 1')
    records = [Record("clicks", 0, at, 1, value) for at, value in enumerate(values)]
    assert list(padded(iter(records), 100)) == records
    (long,) = padded(iter([Record("clicks", 0, 0, 1, b'{"a": "%b"}' % (b"x" * 99))]), 50)
    assert json.loads(long.value or b"") == {"a": "x" * 99, "note": ""}


def test_scenarios_differ_from_the_usual_in_what_they_are_named_for() -> None:
    by_name = {one.name: one for one in SCENARIOS}
    assert set(by_name) == {USUAL, MANY_PRODUCTS, MANY_PARTITIONS, LARGE}
    usual = by_name[USUAL].traffic
    assert by_name[MANY_PRODUCTS].traffic == replace(usual, products=1_000_000)
    assert by_name[MANY_PARTITIONS].traffic == replace(usual, partitions=1_000)
    assert by_name[LARGE].event_bytes == 10_000
    some = replace(by_name[MANY_PARTITIONS], events=20_000)
    assert len({(one.topic, one.partition) for one in some.records()}) > 1_500


def test_each_scenario_is_told_behind_a_warm_up() -> None:
    sizes: list[int] = []
    told: list[str] = []

    def ran(records: Iterator[Record]) -> Ran:
        sizes.append(sum(1 for _ in records))
        return Ran(sizes[-1], 2.0, 0.01, sizes[-1] - 1, 7)

    small = (
        Scenario("one", 1_000, Traffic()),
        Scenario("two", 500, Traffic(), 2_000),
    )
    first, second = simulated(small, "abc", told.append, ran)
    assert sizes == [WARM_UP, 1_000, 500]
    assert (first.name, first.events, first.us, first.keys) == ("one", 1_000, 10.0, 7)
    assert (first.unexplained, first.commit) == (1, "abc")
    assert first.megabytes == sum(len(one.value or b"") for one in small[0].records()) / 1e6
    assert 0.9 < second.megabytes < 1.1
    assert told[-1] == "  20.00 us an event, 7 rows, unexplained 1"
