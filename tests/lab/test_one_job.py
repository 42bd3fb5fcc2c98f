"""Whatever goes wrong around a deployment, there is never a second job that counts."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import pytest

from tests.lab.fleet import Lab, LabFailedError, eventually

RATE = 2_000
ENDED = {"CANCELED", "FAILED", "FINISHED", "SUSPENDED"}
BACK_WITHIN_S = 120

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def under_load(lab: Lab) -> Iterator[None]:
    lab.playbook("job")
    lab.loaded(RATE, seconds=1_200)
    yield
    lab.playbook("load", "-e", "load_state=stopped")
    assert lab.law_is_kept()


def live(lab: Lab) -> list[str]:
    """The states of all jobs that have not ended."""
    jobs = lab.flink("/jobs/overview")["jobs"]
    return [job["state"] for job in jobs if job["state"] not in ENDED]


def runs(lab: Lab) -> bool | None:
    """Whether the one job runs, asked of a JobManager that may be away."""
    try:
        return live(lab) == ["RUNNING"] or None
    except (OSError, HTTPException, ValueError):
        return None


@contextmanager
def never_two(lab: Lab) -> Iterator[None]:
    """Look at the jobs all the while."""
    ended, most = threading.Event(), 0

    def look() -> None:
        nonlocal most
        while not ended.wait(0.5):
            try:
                most = max(most, len(live(lab)))
            except (OSError, HTTPException, ValueError):  # the JobManager is away
                continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert most == 1


def test_a_deployment_without_its_store_stops_nothing_and_starts_nothing(lab: Lab) -> None:
    """Fails in one sentence; the job goes on by itself, and the next deployment succeeds."""
    version = ("-e", '{"ctr_job_latency": "350 ms"}')
    rule = "INPUT -p tcp --dport 7070 -j DROP"
    with never_two(lab):
        try:
            lab.on("store1", f"iptables -I {rule}")
            with pytest.raises(LabFailedError) as failed:
                lab.playbook("job", *version)
        finally:
            lab.on("store1", f"iptables -D {rule}")
        assert "Traceback" not in str(failed.value)
        eventually(lambda: runs(lab), "the job runs again by itself", BACK_WITHIN_S)
        back_ms = int(time.time() * 1_000)
        eventually(lambda: lab.whole(back_ms) or None, "it checkpoints", BACK_WITHIN_S)
        assert "deployed: job" in lab.playbook("job", *version).said
        lab.playbook("job")


def test_deployments_beside_a_jobmanager_that_comes_back_start_no_second_job(lab: Lab) -> None:
    with never_two(lab):
        lab.on("flink-jm", "systemctl kill --signal=KILL flink-jobmanager")

        def answers() -> bool | None:
            try:
                return lab.flink("/jobs/overview") is not None or None
            except (OSError, HTTPException, ValueError):
                return None

        eventually(answers, "the JobManager answers", BACK_WITHIN_S)
        changed = [lab.playbook("job").changed["flink-jm"] for _ in range(3)]
        eventually(lambda: runs(lab), "the job runs", BACK_WITHIN_S)
    assert changed[-1] == 0
