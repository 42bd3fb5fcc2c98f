"""What ansible/backfill.yml refuses before it counts anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
RANGE = ("-e", "from=2026-11-27T09:00:00Z", "-e", "to=2026-11-27T11:00:00Z")
HERE = {
    "ansible_connection": "local",
    "ansible_become": False,
    "ansible_python_interpreter": sys.executable,
}


def said(folder: Path, *options: str) -> str:
    """What the playbook says on a host where nothing is installed."""
    groups: dict[str, object] = {
        name: {"hosts": {"one": {}}} for name in ("clickhouse", "kafka", "flink_jobmanager")
    }
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"vars": HERE, "children": groups}}))
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", inventory, "ansible/backfill.yml", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout
    return " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize("options", [(), RANGE[:2], RANGE[2:], ("-e", "apply=true")])
def test_a_range_must_be_given(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert "Say which range to count anew" in said(tmp_path, *options)


@pytest.mark.parametrize("options", [(), ("-e", "apply=true"), ("--check",)])
def test_hosts_without_the_release_are_named_as_such(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    told = said(tmp_path, *RANGE, *options)
    assert "The release that serves cannot count anew: bring this one by site.yml first." in told
    assert "Make the topics" not in told
