"""What was killed, stopped or lost is told by its name, and the alert ends when it is back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.fleet import Lab, eventually
from tests.lab.prometheus import Heard, hear, silent, suppressed

# By the lab's times: a look, a scrape and an evaluation every 5 s, a condition that must hold for
# 5 s or less, and a second in which Alertmanager gathers.
TOLD_WITHIN_S = 30
GONE_WITHIN_S = 180


@contextmanager
def stopped(lab: Lab, host: str, unit: str) -> Iterator[None]:
    """Kill a unit, and let it stay away meanwhile."""
    try:
        lab.on(host, f"systemctl kill --signal=KILL {unit} && systemctl stop {unit}")
        yield
    finally:
        lab.on(host, f"systemctl start {unit}")


@contextmanager
def without_power(lab: Lab, host: str) -> Iterator[None]:
    """Let a host be away."""
    try:
        lab.power_off(host)
        yield
    finally:
        lab.power_on(host)


def test_a_killed_clickhouse_and_the_missing_rows_are_told_within_half_a_minute(lab: Lab) -> None:
    silent(lab, "ClickHouseDown", "CtrNoFreshRows")
    down = hear(lab, "ClickHouseDown", severity="critical", host="clickhouse1")
    stale = hear(lab, "CtrNoFreshRows", severity="critical")
    with stopped(lab, "clickhouse1", "clickhouse-server"):
        after = {heard.alert: heard.comes(TOLD_WITHIN_S) for heard in (down, stale)}
    down.goes()
    stale.goes()
    assert max(after.values()) < TOLD_WITHIN_S, after


def told_and_ended(lab: Lab, heard: Heard, seconds: float) -> None:
    """It was told in time, and ends."""
    assert seconds < GONE_WITHIN_S
    heard.goes()
    silent(lab, heard.alert)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("host", "unit", "alert", "job"),
    [
        ("monitor1", "ctr-exporter", "ExporterDown", "exporter"),
        ("kafka2", "prometheus-node-exporter", "TargetDown", "node"),
        ("clickhouse1", "ctr-loader", "TargetDown", "loader"),
    ],
)
def test_a_target_that_vanishes_is_told_by_host_and_job(
    lab: Lab, host: str, unit: str, alert: str, job: str
) -> None:
    silent(lab, alert)
    heard = hear(lab, alert, host=host, job=job)
    with stopped(lab, host, unit):
        seconds = heard.comes(GONE_WITHIN_S)
    told_and_ended(lab, heard, seconds)


@pytest.mark.thorough
def test_a_host_without_power_is_told_by_its_name(lab: Lab) -> None:
    silent(lab, "HostDown")
    heard = hear(lab, "HostDown", host="kafka3", job="node")
    with without_power(lab, "kafka3"):
        seconds = heard.comes(GONE_WITHIN_S)
        # It may have been told before: the lab does not wait for what silences it.
        suppressed(lab, "KafkaBrokerDown", host="kafka3")
    told_and_ended(lab, heard, seconds)
    since = int(time.time() * 1_000)
    eventually(lambda: lab.whole(since) or None, "every part is back")
    assert lab.law_is_kept()
