"""The range that is counted anew, and what is told of a plan to others."""

from __future__ import annotations

import json

import pytest

from flink_job.backfill.cut import STEP_BACK_MS
from flink_job.backfill.plan import Plan
from flink_job.backfill.span import Span, SpanError, is_exact, span_of, told
from tests.nasty import T

HOUR_MS = 3_600_000
FROM, TO = "2025-11-24T16:00:00Z", "2025-11-24T18:00:00Z"
NOW = T + 24 * HOUR_MS


def test_whole_hours_are_taken_as_they_are() -> None:
    span = span_of(FROM, TO, NOW)
    assert span == Span(T, T + 2 * HOUR_MS)
    assert is_exact(span, FROM, TO)
    assert list(span.hours) == [T, T + HOUR_MS]
    assert T in span
    assert T + 2 * HOUR_MS not in span
    assert str(span) == f"{FROM} to {TO}"


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2025-11-24T16:00:01Z", "2025-11-24T17:00:00.001Z"),
        ("2025-11-24 16:59:59+00:00", "2025-11-24T17:59:59Z"),
    ],
)
def test_parts_of_hours_are_widened_to_whole_ones(first: str, last: str) -> None:
    span = span_of(first, last, NOW)
    assert span == Span(T, T + 2 * HOUR_MS)
    assert not is_exact(span, first, last)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("yesterday", TO, "from=yesterday is no time in UTC"),
        (FROM, "2025-11-24T18:00:00", "to=2025-11-24T18:00:00 is no time in UTC"),
        (FROM, "2025-11-24T18:00:00+01:00", "is no time in UTC: give it as in to=2026-"),
        ("1969-12-31T23:00:00Z", TO, "is before 1970"),
        (TO, FROM, "nothing is between them"),
        (FROM, FROM, "nothing is between them"),
        ("2025-11-25T16:00:00Z", "2025-11-25T17:00:00Z", "is in the future"),
    ],
)
def test_what_is_no_range_is_refused_in_a_sentence(first: str, last: str, sentence: str) -> None:
    with pytest.raises(SpanError, match=sentence):
        span_of(first, last, NOW)


def test_a_range_names_the_partitions_of_the_tables_that_it_touches() -> None:
    span = span_of("2026-01-30T23:00:00Z", "2026-02-01T01:00:00Z", 2 * T)
    assert span.days == ["20260130", "20260131", "20260201"]
    assert span.months == ["202601", "202602"]
    assert Span(T, T + HOUR_MS).days == ["20251124"]


def test_a_plan_is_the_same_on_the_host_that_it_is_told_to() -> None:
    plan = Plan(T, T + HOUR_MS, T - 61_000, None, T + 2 * HOUR_MS)
    assert Plan.parsed(plan.json(["A sentence."])) == plan
    assert json.loads(plan.json(["A sentence."]))["told"] == ["A sentence."]
    assert plan.topic("ctr-windows") == f"ctr-windows-backfill-{plan.asked}"


def test_the_append_hours_that_are_counted_anew_are_those_that_were_read_in_whole() -> None:
    whole = Plan(T, T + 2 * HOUR_MS, T - 61_000, T + 2 * HOUR_MS + 70_001, NOW)
    assert whole.appended == whole.span
    # One ends as the topics do, amid its second hour, and one does so where times may step back.
    for asked, end in (
        (T + HOUR_MS + STEP_BACK_MS, T + HOUR_MS),
        (T + HOUR_MS + STEP_BACK_MS - 1, T),
        (T + 1, T),
    ):
        open_still = Plan(T, T + 2 * HOUR_MS, T - 61_000, None, asked)
        assert open_still.appended == Span(T, end)
        assert open_still.holds("counted", T + HOUR_MS)
        assert not open_still.holds("late", T + HOUR_MS)
        assert open_still.holds("late", T) == (end > T)


def test_times_are_told_to_the_second() -> None:
    assert told(T) == FROM
