"""The lab, made for the tests and removed after them, unless it was there before."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet import ROOT, Lab

HOSTS = Path("/var/lib/ctr-lab/hosts")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.fail("The lab's hosts need root: run these tests as root, or `make check` alone.")
    kept = HOSTS.is_dir() and any(HOSTS.iterdir())
    try:
        subprocess.run(["make", "lab"], cwd=ROOT, check=True)
        fleet = Lab()
        fleet.playbook("site")
        yield fleet
    finally:
        if not kept:
            subprocess.run(["make", "down"], cwd=ROOT, check=True)
