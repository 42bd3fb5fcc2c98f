"""Exact whatever goes wrong. The last of the tests, since each audit reads what this sends."""

from __future__ import annotations

from tests.lab.fleet import Lab
from tests.lab.soak import RATE, soaked

SEED = 1
# Enough for one of the longest faults behind another.
SECONDS = 210


def test_faults_one_after_another_under_load_cost_no_event(lab: Lab) -> None:
    assert soaked(lab, SECONDS, RATE, SEED)
