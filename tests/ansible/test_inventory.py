"""What is asked of no host is no success: a check that runs by a timer must not stay green."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


@pytest.mark.parametrize("text", [None, "all: {hosts: {one: {}"])
def test_an_inventory_that_cannot_be_read_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "hosts.yml").write_text(text)
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", tmp_path / "hosts.yml", "ansible/reconcile.yml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode
    assert "failed to parse inventory source" in ended.stderr
