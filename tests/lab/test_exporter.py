"""No counter steps back: not when what tells it is started again, nor when what it tells of is."""

from __future__ import annotations

import math
import random
import time
from functools import partial

import pytest

from tests.lab.faults import kill_jobmanager, kill_taskmanager, new_version
from tests.lab.fleet import Lab, eventually
from tests.lab.prometheus import MONITOR, Series, counters, number

EXPORTER, CANARY = 9406, 9407
FLOWS_WITHIN_S = 300

Told = dict[Series, float]


def told(lab: Lab) -> Told | None:
    """All counters of both; None until both tell theirs."""
    ledger, canary = counters(lab, EXPORTER), counters(lab, CANARY)
    return {**ledger, **canary} if ledger and canary else None


def seen(lab: Lab) -> Told:
    return eventually(lambda: told(lab), "exporter and canary tell their counters")


def grown(lab: Lab, before: Told) -> Told | None:
    """What is told once canaries have become rows since; None until then."""
    now = told(lab)
    counted = ("ctr_events_total", (("outcome", "counted"), ("topic", "canary")))
    rows = ("ctr_canary_seconds_count", ())
    return now if now and all(now[name] > before[name] for name in (counted, rows)) else None


def whole(lab: Lab, since_ms: int) -> bool | None:
    """Whether the job has made a checkpoint since; None until then."""
    return lab.whole(since_ms) or None


def no_step_back(lab: Lab, before: Told, after: Told, since: float) -> None:
    """Neither from one to the other, nor in what Prometheus has read meanwhile."""
    assert before.keys() <= after.keys()
    lower = {name: (value, after[name]) for name, value in before.items() if after[name] < value}
    assert lower == {}
    window = f"{math.ceil(time.time() - since) + 10}s"
    names = sorted({name for name, _ in before})
    resets = {name: number(lab, f"sum(resets({name}[{window}]))") for name in names}
    assert set(resets.values()) == {0}, resets


@pytest.mark.parametrize("how", ["restart", "kill --signal=KILL"])
def test_counters_go_on_where_they_were_when_exporter_and_canary_start_again(
    lab: Lab, how: str
) -> None:
    since = time.time()
    before = seen(lab)
    lab.on(MONITOR, f"systemctl {how} ctr-exporter ctr-canary")
    after = eventually(partial(grown, lab, before), "they count on", FLOWS_WITHIN_S)
    no_step_back(lab, before, after, since)


@pytest.mark.thorough
def test_counters_go_on_where_they_were_when_the_job_starts_again(lab: Lab) -> None:
    chance = random.Random(8)  # noqa: S311 - a test that can be repeated
    try:
        for fault in (kill_taskmanager, kill_jobmanager, new_version):
            since = time.time()
            before = seen(lab)
            fault(lab, chance)
            over_ms = int(time.time() * 1_000)
            # What was on its way counts behind a kill too, before the job has noticed.
            eventually(partial(whole, lab, over_ms), "all is well again", FLOWS_WITHIN_S)
            again = seen(lab)
            after = eventually(partial(grown, lab, again), "they count on", FLOWS_WITHIN_S)
            no_step_back(lab, before, after, since)
    finally:
        lab.playbook("job")
