"""Figures out of samples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.benchmark.series import at, increase, percentile, rate, risen, thirds, within

VALUES = st.lists(st.floats(0, 100), min_size=1, max_size=200)


@given(VALUES, st.floats(0.01, 1.0))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(
    values: list[float], share: float
) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= len(values) * share - 1e-9
    assert sum(value < found for value in values) < len(values) * share


def test_percentiles_of_a_hundred_are_counted_off() -> None:
    values = [float(one) for one in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.5, 0.95, 0.99, 1.0)] == [50, 95, 99, 100]
    assert percentile([7.0], 0.99) == 7.0


def test_a_counter_that_begins_anew_goes_on_rising() -> None:
    samples = [(0.0, 100.0), (5.0, 150.0), (10.0, 20.0), (15.0, 30.0)]
    assert increase(samples) == 50 + 20 + 10
    assert rate(samples) == pytest.approx(80 / 15)


@pytest.mark.parametrize("samples", [[], [(1.0, 5.0)], [(1.0, 5.0), (1.0, 6.0)]])
def test_what_spans_no_time_has_no_rate(samples: list[tuple[float, float]]) -> None:
    assert rate(samples) is None


def test_between_samples_a_value_lies_on_the_line() -> None:
    samples = [(0.0, 0.0), (2.0, 10.0), (2.0, 10.0), (4.0, 40.0)]
    assert [at(samples, when) for when in (0.0, 1.0, 2.0, 3.0, 4.0)] == [0, 5, 10, 25, 40]


@pytest.mark.parametrize("when", [-0.1, 4.1])
def test_what_was_not_sampled_is_not_guessed(when: float) -> None:
    with pytest.raises(ValueError, match="Nothing was read"):
        at([(0.0, 0.0), (4.0, 40.0)], when)


def test_thirds_are_those_of_the_first_and_of_the_last_samples() -> None:
    samples = [(float(one), float(one)) for one in range(9)]
    assert thirds(samples) == (1.0, 7.0)
    assert thirds([(0.0, 3.0)]) == (3.0, 3.0)
    with pytest.raises(ValueError, match="no sample"):
        thirds([])


def test_samples_are_cut_to_a_span() -> None:
    assert within([(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)], 2.0, 3.0) == [(2.0, 2.0), (3.0, 3.0)]


def test_counters_that_are_new_or_begin_anew_rise_from_nothing() -> None:
    before, after = {"a": 5.0, "b": 9.0, "gone": 1.0}, {"a": 7.0, "b": 2.0, "new": 3.0}
    assert risen(before, after) == {"a": 2.0, "b": 2.0, "new": 3.0}
