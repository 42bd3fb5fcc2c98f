"""A job that was away for longer than its windows live says so, and what they lack is recounted."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from tests.lab.fleet import Lab, LabFailedError, eventually
from tests.lab.test_pipeline import a_window, event, name, wait_for_rows

KEPT_S = 60
SHORT = ("-e", f"ctr_job_windows_kept={KEPT_S}")
# What the refusal says to do.
DESPITE = "-e ctr_job_despite_age=true"
RECOUNT = re.compile(r"ansible/backfill\.yml -e (from=\S+) -e (to=\S+) -e (apply=true)")

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def short_lived(lab: Lab) -> Iterator[None]:
    """Windows that live for a minute, and no events but those of the test."""
    lab.on("monitor1", "systemctl stop ctr-canary")
    try:
        lab.playbook("job", *SHORT)
        yield
        lab.playbook("job", "-e", "ctr_job_despite_age=true")
    finally:
        lab.on("monitor1", "systemctl start ctr-canary")


def cancelled(lab: Lab) -> None:
    """Let the job end as by the button on Flink's page; its newest checkpoint stays."""
    job = lab.running_job()
    lab.on("flink-jm", f"curl -sf -X PATCH http://localhost:8081/jobs/{job}?mode=cancel")
    eventually(
        lambda: lab.flink(f"/jobs/{job}")["state"] == "CANCELED" or None, "the job is cancelled"
    )


def test_expired_windows_are_refused_with_what_recounts_them(lab: Lab) -> None:
    product, window = name(), a_window()
    lab.send([event(product, "impression", window)])
    wait_for_rows(lab, product, [(window, 1, 0)])
    checkpointed_ms = int(time.time() * 1_000)
    eventually(lambda: lab.whole(checkpointed_ms) or None, "the event is in a checkpoint")
    cancelled(lab)
    gone = time.monotonic()
    lab.send([event(product, "impression", window)])

    def expired() -> bool | None:
        return time.monotonic() > gone + KEPT_S or None

    eventually(expired, "the window in the state has expired", 2 * KEPT_S)
    with pytest.raises(LabFailedError, match=f"live in it for {KEPT_S} s") as refused:
        lab.playbook("job", *SHORT)
    said = " ".join(str(refused.value).split())
    assert DESPITE in said
    recount = RECOUNT.search(said)
    assert recount is not None

    lab.playbook("job", *SHORT, *DESPITE.split())
    wait_for_rows(lab, product, [(window, 1, 0)])
    lab.playbook("backfill", *(word for told in recount.groups() for word in ("-e", told)))
    wait_for_rows(lab, product, [(window, 2, 0)])
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()
