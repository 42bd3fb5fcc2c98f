"""The power of everything goes and comes back, and nobody has to do anything."""

from __future__ import annotations

import time

import pytest

from tests.lab.fleet import Lab, eventually

RATE = 5_000


@pytest.mark.thorough
def test_a_fleet_that_lost_its_power_comes_back_by_itself_and_is_exact(lab: Lab) -> None:
    begin = int(time.time())
    # It ends with the power: what was acknowledged until then is what Kafka has.
    lab.loaded(RATE, seconds=600)
    counted = lab.counted_since(begin)
    eventually(lambda: counted() or None, "rows flow")
    lab.power_off(*lab.hosts)
    lab.power_on(*lab.hosts)
    booted_ms = int(time.time() * 1_000)
    eventually(lambda: lab.whole(booted_ms) or None, "all is well again", within_s=300)
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()
    lab.loaded(RATE, seconds=10)
    assert lab.acknowledged() == 10 * RATE
    assert lab.law_is_kept()
