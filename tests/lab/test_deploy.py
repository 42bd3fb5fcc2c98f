"""A job is deployed, rescaled and rolled back under load, and no event is lost or counted twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lab.drill import acknowledged
from tests.lab.fleet import Lab, LabFailedError

RATE = 3_000
UNTIL_IT_IS_STOPPED = 0
LATENCY = ("-e", '{"ctr_job_latency": "400 ms"}')
# Flink refuses it at once, or only finds out while it runs.
REFUSED = ("-e", '{"ctr_job_settings": {"state.backend.type": "nonsense"}}')
USELESS = (
    *("-e", '{"ctr_job_settings": {"execution.checkpointing.timeout": "10 ms"}}'),
    *("-e", "ctr_job_within=45"),
)

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module", autouse=True)
def exact_under_load(lab: Lab) -> Iterator[None]:
    before = lab.offsets()
    lab.loaded(RATE, UNTIL_IT_IS_STOPPED)
    yield
    lab.playbook("job")
    sent = acknowledged(lab.playbook("load", "-e", "load_state=stopped").said)
    assert lab.offsets() - before == sent > 0
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()


def deployed(lab: Lab, *settings: str) -> str:
    """What a deployment says."""
    return lab.playbook("job", *settings).said


@pytest.mark.parametrize("settings", [REFUSED, USELESS])
def test_a_version_that_does_not_serve_is_taken_back_by_itself(
    lab: Lab, settings: tuple[str, ...]
) -> None:
    deployed(lab)
    with pytest.raises(LabFailedError, match="runs again as job"):
        deployed(lab, *settings)
    job = lab.running_job()
    assert not lab.playbook("job").changed["flink-jm"], "what runs is what the inventory says"
    assert lab.running_job() == job


def test_back_by_hand_is_one_version_and_no_further(lab: Lab) -> None:
    deployed(lab)
    assert "deployed: job" in deployed(lab, *LATENCY)
    assert "rolled back: job" in deployed(lab, "-e", "ctr_job_rollback=true")
    with pytest.raises(LabFailedError, match="no version to go back to"):
        deployed(lab, "-e", "ctr_job_rollback=true")
    assert not lab.playbook("job").changed["flink-jm"], "what runs is what the inventory says"


def test_state_goes_along_to_another_backend_and_another_parallelism(lab: Lab) -> None:
    for settings in (
        ("-e", "ctr_job_state_backend=rocksdb"),
        ("-e", "ctr_job_state_backend=rocksdb", "-e", "ctr_job_parallelism=4"),
        (),
    ):
        assert "deployed: job" in deployed(lab, *settings)
    assert lab.parallelism() == 2
