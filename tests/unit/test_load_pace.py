from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.pace import LONGEST_TICK_S, Pace
from loadtest.shape import Constant, Day, Ramp, Shape, Spike, Steps

steps = st.lists(st.floats(0.001, 0.5), min_size=1, max_size=50)


@given(steps=steps, rate=st.floats(1, 100_000))
def test_the_rate_holds_in_total_however_uneven_the_moments_are(
    steps: list[float], rate: float
) -> None:
    pace, elapsed = Pace(Constant(rate)), 0.0
    for step in steps:
        elapsed += step
        pace.due(elapsed)
    # One event a moment is the least, so that the slowest rates get on as well.
    assert int(elapsed * rate) - 1 <= pace.sent <= elapsed * rate


@given(steps=steps)
def test_a_run_of_a_number_of_events_sends_exactly_so_many(steps: list[float]) -> None:
    pace, elapsed = Pace(Constant(1_000), events=700), 0.0
    for step in steps:
        elapsed += step
        pace.due(elapsed)
        assert pace.sent <= 700
    while not pace.done:
        elapsed += 0.1
        pace.due(elapsed)
    assert pace.sent == 700
    assert pace.due(elapsed + 1) == 0


def test_after_a_stall_what_was_missed_comes_at_twice_the_rate() -> None:
    pace, tick, stalled_for = Pace(Constant(1_000)), 0.02, 10.0
    burst = pace.due(stalled_for)
    assert burst <= 2 * 1_000 * LONGEST_TICK_S
    elapsed = stalled_for
    while pace.sent < int(elapsed * 1_000) - 1:
        elapsed += tick
        assert pace.due(elapsed) <= 2 * 1_000 * tick
    assert 2 * stalled_for - 2 <= elapsed <= 2 * stalled_for + 2


@pytest.mark.parametrize(
    "shape",
    [
        Constant(7_000),
        Steps((1_000, 10_000, 50_000), 2.0),
        Ramp(20_000, 8.0),
        Spike(2_000, 30_000, 5.0),
        Day(100, 9_000, 4.0),
    ],
    ids=lambda shape: type(shape).__name__.lower(),
)
@pytest.mark.parametrize("users", [1, 3])
def test_users_together_send_what_the_shape_has_due(shape: Shape, users: int) -> None:
    paces = [Pace(shape, users) for _ in range(users)]
    for tick in range(1, 501):
        for pace in paces:
            pace.due(tick * 0.02)
    assert sum(pace.sent for pace in paces) == pytest.approx(shape.due(10.0), abs=users)
