from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.shape import Constant, Day, Joined, Ramp, Shape, Spike, Steps

SHAPES = [
    Constant(500),
    Steps((100, 1_000, 400), 7.0),
    Ramp(1_000, 20.0),
    Spike(100, 2_000, 10.0),
    Day(50, 800, 12.0),
    Joined(Ramp(1_000, 20.0), 9.0, Day(50, 800, 12.0)),
]
each = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__.lower())


@each
def test_what_is_due_is_the_integral_of_the_rate(shape: Shape) -> None:
    step = 0.001
    summed = 0.0
    for tick in range(30_000):
        summed += shape.at((tick + 0.5) * step) * step
        if tick % 1_000 == 999:
            assert shape.due((tick + 1) * step) == pytest.approx(summed, rel=1e-3, abs=2.5)


@each
@given(moments=st.lists(st.floats(0, 10_000), min_size=2, max_size=20))
def test_what_is_due_never_falls(shape: Shape, moments: list[float]) -> None:
    due = [shape.due(moment) for moment in sorted(moments)]
    assert all(after >= before - 1e-6 for before, after in pairwise(due))


@each
def test_nothing_is_due_at_the_start(shape: Shape) -> None:
    assert shape.due(0) == pytest.approx(0)


def test_steps_go_on_at_the_last_one() -> None:
    steps = Steps((1, 10), 5.0)
    assert [steps.at(moment) for moment in (0, 4.9, 5, 9.9, 50)] == [1, 1, 10, 10, 10]


def test_a_ramp_begins_with_nothing_and_stays_at_its_top() -> None:
    ramp = Ramp(1_000, 10)
    assert [ramp.at(moment) for moment in (0, 5, 10, 20)] == [0, 500, 1_000, 1_000]


def test_a_spike_is_in_the_middle_of_each_period() -> None:
    spike = Spike(1, 9, 100)
    assert [spike.at(moment) for moment in (0, 44, 46, 54, 56, 146)] == [1, 1, 9, 9, 1, 9]


def test_a_day_goes_from_low_to_high_and_back() -> None:
    day = Day(10, 90, 100)
    assert [day.at(moment) for moment in (0, 25, 50, 100)] == pytest.approx([10, 50, 90, 10])


def test_a_shape_that_takes_over_begins_then() -> None:
    joined = Joined(Constant(5), 10, Steps((1, 100), 10))
    assert [joined.at(moment) for moment in (9, 10, 19, 20)] == [5, 1, 1, 100]
