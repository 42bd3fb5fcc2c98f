"""The model is arithmetic: what it says can be said by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.scaling.model import (
    Costs,
    Demand,
    Host,
    Installed,
    distinct,
    limits,
    need,
)

COSTS = Costs(
    slot_us=4.0,
    broker_us=2.0,
    row_us=10.0,
    insert_us=2_000.0,
    loader_us=25.0,
    jobmanager_cores=0.05,
)
HOST = Host(cores=16, network=1.25e9, disk=4e12, used=0.5)


def by_hand(products: int, skew: float, drawn: float) -> float:
    total = sum(rank**-skew for rank in range(1, products + 1))
    return sum(1 - math.exp(-drawn * rank**-skew / total) for rank in range(1, products + 1))


@pytest.mark.parametrize("products", [1, 10, 1_000, 1_001, 50_000])
@pytest.mark.parametrize("skew", [0.0, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("drawn", [1.0, 3_000.0, 1e6])
def test_products_are_counted_as_one_by_one(products: int, skew: float, drawn: float) -> None:
    assert distinct(products, skew, drawn) == pytest.approx(
        by_hand(products, skew, drawn), rel=1e-3
    )


@given(st.integers(1, 2_000_000), st.floats(0, 3), st.integers(0, 10**8))
def test_no_more_products_are_seen_than_there_are_or_were_drawn(
    products: int, skew: float, drawn: int
) -> None:
    seen = distinct(products, skew, drawn)
    assert 0 <= seen <= min(products, drawn) * (1 + 1e-9)


def test_a_thousand_products_are_all_seen_and_each_is_a_row_a_latency() -> None:
    demand = Demand(1e6, products=1_000)
    assert demand.rows_per_s == pytest.approx(1_000 / 0.3, rel=0.001)
    assert demand.keys == pytest.approx(1_000)
    # Zipf's law: the first of a thousand has one part in 7.49 of them.
    assert demand.hottest == pytest.approx(0.8 / 7.485, rel=0.001)


def test_hosts_are_what_costs_and_bytes_come_to() -> None:
    found = need(COSTS, Demand(1e6, products=1_000, event_bytes=100), HOST)
    # 4 us of a million events are 4 cores, of which half is used.
    assert (found.slots, found.taskmanagers, found.partitions) == (8, 1, 8)
    assert (found.brokers, found.brokers_by) == (13, "disks")
    assert found.network == pytest.approx(3e8)
    assert found.disk_a_day == pytest.approx(25.92e12)
    assert (found.clickhouse, found.loaders) == (1, 1)
    assert found.rows_a_day == pytest.approx(8_640_000)
    assert found.keys_kept == pytest.approx(1_080_000)
    assert found.hosts == 13 + 1 + 1 + 2


@pytest.mark.parametrize(
    ("demand", "by", "brokers"),
    [
        (Demand(1_000, retention_days=0.01), "their copies", 3),
        (Demand(2e7, event_bytes=1, retention_days=0.001), "processors", 5),
        (Demand(1e6, event_bytes=10_000, retention_days=0.001), "network", 48),
    ],
)
def test_the_scarcest_decides_how_many_brokers(demand: Demand, by: str, brokers: int) -> None:
    found = need(COSTS, demand, HOST)
    assert (found.brokers_by, found.brokers) == (by, brokers)


def test_many_products_and_large_events_cost_what_the_simulation_says() -> None:
    costs = replace(COSTS, many_products_us=4.0, large_event_us=8.0)
    assert need(costs, Demand(1e6, 999_999), HOST).slots == 8
    assert need(costs, Demand(1e6, 1_000_000), HOST).slots == 16
    assert need(costs, Demand(1e6, 1_000_000, 10_000), HOST).slots == 32


@given(st.floats(1_000, 2e7), st.floats(1.01, 4))
def test_more_events_never_take_fewer_hosts(rate: float, factor: float) -> None:
    few, many = (need(COSTS, Demand(one, 1_000_000), HOST) for one in (rate, rate * factor))
    assert many.hosts >= few.hosts
    assert many.slots >= few.slots
    assert many.rows_per_s >= few.rows_per_s


def test_what_breaks_first_stands_first_with_its_rate() -> None:
    found = limits(COSTS, Demand(1e6, 1_000), HOST, Installed())
    rates = [one.events_per_s for one in found]
    assert rates == sorted(rates)
    by = {one.part: one.events_per_s for one in found}
    assert found[0].part == "slots of the job"
    assert by["slots of the job"] == 4 * 250_000
    assert by["partitions of a topic"] == 12 * 250_000 / 0.8
    assert by["the hottest partition"] == pytest.approx(250_000 * 7.485 / 0.8, rel=0.001)
    # A thousand products are 3,333 rows a second, whatever the load.
    assert by["the loader"] == by["ClickHouse"] == math.inf
    assert by["the brokers' processors"] == pytest.approx(3 * 16 / 2e-6)
    assert by["the brokers' network"] == pytest.approx(3 * 1.25e9 / 300)


def test_with_a_million_products_the_loader_breaks_before_the_slots() -> None:
    demand = Demand(1e6, 1_000_000)
    found = limits(COSTS, demand, HOST, Installed())
    assert found[0].part == "the loader"
    at = replace(demand, events_per_s=found[0].events_per_s)
    assert at.rows_per_s * COSTS.loader_us == pytest.approx(1e6, rel=0.01)


def test_more_of_a_part_takes_its_limit_away() -> None:
    demand = Demand(1e6, 1_000_000)
    one, four = (
        {limit.part: limit.events_per_s for limit in limits(COSTS, demand, HOST, there)}
        for there in (Installed(), Installed(loaders=4, slots=16, brokers=6))
    )
    assert four["the loader"] > 4 * one["the loader"]
    assert four["slots of the job"] == 4 * one["slots of the job"]
    assert four["the brokers' network"] == 2 * one["the brokers' network"]
    assert four["the hottest partition"] == one["the hottest partition"]
