"""The drills of the runbooks: each fault raises its alert, and the alert's playbook mends it."""

from __future__ import annotations

import pytest

from tests.lab.drill import drilled, names, playbook
from tests.lab.fleet import Lab

# A lost TaskManager is among the faults of the soak, too; the others take longer.
QUICK = ("CtrJobDown", "KafkaBrokerDown")


def held(lab: Lab, alert: str) -> None:
    """Run a drill, and then the playbook once more, which has nothing to mend."""
    assert drilled(lab, alert).lost == 0
    again = lab.playbook(playbook(alert, "playbook"))
    assert not any(again.changed.values()), again.said
    assert "Nothing was to mend." in again.said


@pytest.mark.parametrize("alert", QUICK)
def test_a_part_that_is_lost_is_told_and_mended_and_costs_no_event(lab: Lab, alert: str) -> None:
    held(lab, alert)


@pytest.mark.thorough
@pytest.mark.parametrize("alert", sorted(set(names()) - set(QUICK)))
def test_a_fault_that_is_drilled_is_told_and_mended_and_costs_no_event(
    lab: Lab, alert: str
) -> None:
    held(lab, alert)


@pytest.mark.thorough
@pytest.mark.parametrize("alert", names())
def test_a_playbook_that_is_tried_on_a_healthy_fleet_would_do_nothing(lab: Lab, alert: str) -> None:
    tried = lab.playbook(playbook(alert, "playbook"), "--check")
    assert not any(tried.changed.values()), tried.said
    assert "Nothing was to mend." in tried.said
