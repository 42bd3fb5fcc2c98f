"""What is installed already is left alone, however it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.lab.fleet import INVENTORY, Lab, Recap


def nothing_changed(recap: Recap) -> bool:
    """Whether hosts were reached, and nothing was changed on any."""
    return bool(recap.changed) and not any(recap.changed.values())


def test_a_second_run_changes_nothing(lab: Lab) -> None:
    recap = lab.playbook("site")
    assert nothing_changed(recap), recap.changed


@pytest.mark.thorough
def test_a_dry_run_on_an_installed_fleet_succeeds_and_would_change_nothing(lab: Lab) -> None:
    recap = lab.playbook("site", "--check", "--diff")
    assert nothing_changed(recap), recap.changed


@pytest.mark.thorough
def test_the_order_of_hosts_means_nothing(lab: Lab, tmp_path: Path) -> None:
    shutil.copytree(INVENTORY, tmp_path / "lab")
    hosts = tmp_path / "lab" / "hosts.yml"
    lines = hosts.read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "kafka1: {ansible_host" in line)
    lines[first : first + 3] = reversed(lines[first : first + 3])
    hosts.write_text("".join(lines).replace("{kafka1: {}, kafka2: {}", "{kafka2: {}, kafka1: {}"))
    recap = lab.playbook("site", inventory=tmp_path / "lab")
    assert nothing_changed(recap), recap.changed


@pytest.mark.thorough
def test_one_host_alone_is_brought_to_the_same(lab: Lab) -> None:
    recap = lab.playbook("site", "--limit", "kafka2")
    assert set(recap.changed) == {"kafka2"}
    assert nothing_changed(recap), recap.changed
