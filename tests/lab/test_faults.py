"""Faults under load: afterwards every result is as specified, to the event."""

from __future__ import annotations

import time
from http.client import HTTPException

import pytest

from tests.lab.fleet import Lab, LabFailedError, eventually
from tests.lab.prometheus import hear, number, silent

RATE = 10_000
# Longer than a member of a group may stay silent (max.poll.interval.ms is five minutes).
AWAY_S = 360
MEMORY_BYTES, PARTS = 100 * 2**20, 300
# What two seconds make; of six minutes there is a hundred times as much.
UNDER_WAY = 6_000


def flows(lab: Lab) -> bool | None:
    """Whether rows have come in lately; a ClickHouse that only starts tells none."""
    try:
        (row,) = lab.query(
            "SELECT toInt64(now()) - toInt64(max(inserted_at)) AS age FROM ctr.ctr_windows "
            "WHERE product_id NOT LIKE 'ctr-canary-%'"
        )
    except (OSError, HTTPException, ValueError):
        return None
    return True if int(row["age"]) < 5 else None


@pytest.mark.thorough  # the soak and a drill kill one in the quick set
def test_a_killed_taskmanager_costs_no_event(lab: Lab) -> None:
    before = lab.offsets()
    lab.loaded(RATE, seconds=40)
    eventually(lambda: flows(lab), "rows flow")
    host = lab.busy_taskmanager()
    lab.on(host, "systemctl kill --signal=KILL flink-taskmanager")
    acknowledged = lab.acknowledged()
    assert lab.offsets() - before == acknowledged == 40 * RATE
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()


@pytest.mark.thorough
def test_clickhouse_away_for_half_a_minute_costs_no_event(lab: Lab) -> None:
    before = lab.offsets()
    job = lab.running_job()
    lab.loaded(RATE, seconds=50)
    eventually(lambda: flows(lab), "rows flow")
    lab.on(
        "clickhouse1",
        "systemctl stop clickhouse-server && sleep 30; systemctl start clickhouse-server",
    )
    acknowledged = lab.acknowledged()
    assert lab.offsets() - before == acknowledged == 50 * RATE
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()
    assert lab.running_job() == job


def drained(lab: Lab) -> bool | None:
    """Whether the loader has written all but what is under way."""
    return number(lab, "sum(ctr_loader_lag_messages)") < UNDER_WAY or None


def loader_memory(lab: Lab) -> int:
    """Memory of the loader, in bytes."""
    show = "systemctl show --value --property=MemoryCurrent ctr-loader"
    return int(lab.on("clickhouse1", show))


@pytest.mark.thorough
def test_the_loader_waits_for_a_clickhouse_that_is_away_for_minutes(lab: Lab) -> None:
    """For longer than a consumer may be silent; it keeps little, repeats nothing and catches up."""
    before = lab.offsets()
    job = lab.running_job()
    lab.loaded(2_000, seconds=500)
    eventually(lambda: flows(lab), "rows flow")
    memory = loader_memory(lab)
    silent(lab, "ClickHouseDown")
    down = hear(lab, "ClickHouseDown", host="clickhouse1")
    lab.on("clickhouse1", "systemctl stop clickhouse-server")
    try:
        time.sleep(AWAY_S)
        down.comes(AWAY_S)
        grown = loader_memory(lab) - memory
    finally:
        lab.on("clickhouse1", "systemctl start clickhouse-server")
    eventually(lambda: flows(lab), "rows flow again")
    eventually(lambda: drained(lab), "the loader has caught up")
    down.goes()
    assert grown < MEMORY_BYTES
    acknowledged = lab.acknowledged()
    assert lab.offsets() - before == acknowledged == 500 * 2_000
    assert lab.law_is_kept()
    parts = lab.query(
        "SELECT max(parts) AS most FROM (SELECT count() AS parts FROM system.parts "
        "WHERE active AND database = 'ctr' GROUP BY table, partition)"
    )
    assert int(parts[0]["most"]) < PARTS
    assert lab.running_job() == job


def test_tables_that_were_lost_are_filled_from_the_results_topics(lab: Lab) -> None:
    lab.loaded(500, seconds=10)
    lab.acknowledged()
    assert lab.law_is_kept()
    lab.on("clickhouse1", "systemctl stop ctr-loader")
    for table in ("ctr.ctr_windows", "ctr.ledger"):
        lab.as_admin(f"DROP TABLE {table}")
    lab.playbook("reload")
    assert lab.all_is_as_specified()


@pytest.mark.thorough
def test_no_roll_goes_on_while_another_broker_is_away(lab: Lab) -> None:
    """A changed setting waits until all replicas are there, and then goes round."""

    def processes() -> list[str]:
        show = "systemctl show --value --property=MainPID kafka"
        return [lab.on(host, show).strip() for host in ("kafka1", "kafka2", "kafka3")]

    heap = ("-e", "kafka_heap=520m")
    lab.loaded(500, seconds=240)
    lab.on("kafka1", "systemctl stop kafka")
    before = processes()
    try:
        with pytest.raises(LabFailedError, match="partitions lack replicas"):
            lab.playbook("kafka", "--limit", "kafka2,kafka3", *heap)
        lab.on("kafka1", "systemctl mask --runtime kafka")
        with pytest.raises(LabFailedError, match="masked"):
            lab.playbook("kafka", *heap)
        assert processes() == before
    finally:
        lab.on("kafka1", "systemctl unmask --runtime kafka && systemctl start kafka")
    lab.playbook("kafka", *heap)
    after = processes()
    assert all(one != other for one, other in zip(before, after, strict=True))
    lab.playbook("kafka")
    lab.acknowledged()
    assert lab.law_is_kept()
