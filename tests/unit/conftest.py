"""How hypothesis runs here, and the Flink that deployments are tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from flink_job import cluster as cluster_module
from tests.unit.played import Flink, Host, PlayedTime, playing

# No test fails for being slow: other work on the machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def flink(monkeypatch: pytest.MonkeyPatch) -> Iterator[Flink]:
    monkeypatch.setattr(cluster_module, "time", PlayedTime())
    with playing() as played:
        yield played


@pytest.fixture
def host(flink: Flink, tmp_path: Path) -> Host:
    return Host(flink, tmp_path / "deployed.json")
