"""What is installed already is left alone."""

from __future__ import annotations

from tests.lab.fleet import Lab


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = lab.playbook("site")
    assert recap.changed
    assert {host: number for host, number in recap.changed.items() if number} == {}


def test_a_dry_run_on_an_installed_fleet_succeeds_and_would_change_nothing(lab: Lab) -> None:
    recap = lab.playbook("site", "--check", "--diff")
    assert {host: number for host, number in recap.changed.items() if number} == {}
