"""Exact to the event, whatever goes wrong on the way."""

from __future__ import annotations

import pytest

from tests.lab.fleet import Lab
from tests.lab.soak import RATE, soaked

SEED = 1
SECONDS = 180


@pytest.mark.thorough
def test_faults_one_after_another_under_load_cost_no_event(lab: Lab) -> None:
    assert soaked(lab, SECONDS, RATE, SEED)
