"""From what an event costs to how many hosts it takes, and what breaks first. Pure.

It is arithmetic and no measurement: costs add up, and hosts that are more do as much each. What is
not so by its nature, the hottest partition and the one loader, is told as a limit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

US, DAY_S = 1e6, 86_400
# Ranks up to here are looked at one by one, and those behind them in groups that grow by a
# hundredth, which is exact to a hundredth of a hundredth.
SINGLE, GROWTH = 1_000, 0.01
LOADS_A_SECOND, TABLES = 5, 2
IMPRESSIONS = 0.8
MOST_EVENTS = 1e9


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured; processor time is in microseconds.

    Attributes:
        slot_us: Of TaskManagers, an event.
        broker_us: Of all brokers together, an event: taken in, copied twice, and given out once.
        row_us: Of ClickHouse, a row of windows.
        insert_us: Of ClickHouse, an insert without its rows, at most.
        loader_us: Of the loader, a row of windows.
        jobmanager_cores: Of the JobManager, at whatever load.
        rows_seen: Rows a second that were loaded for each that the model has.
        many_products_us: What an event costs more where products are a million.
        large_event_us: What an event of 10 KB costs more.
    """

    slot_us: float
    broker_us: float
    row_us: float
    insert_us: float
    loader_us: float
    jobmanager_cores: float
    rows_seen: float = 1.0
    many_products_us: float = 0.0
    large_event_us: float = 0.0


@dataclass(frozen=True, slots=True)
class Demand:
    """What is to be carried.

    Attributes:
        events_per_s: Events a second.
        products: That there are.
        event_bytes: Of an event on the network and on disks.
        skew: Zipf's exponent of the products' popularity.
        retention_days: That Kafka keeps events.
        replication: Copies of each event.
        latency_s: Between two results of a window.
        window_s: Length of a window.
        kept_s: For how long the job remembers a window.
    """

    events_per_s: float
    products: int = 1_000
    event_bytes: int = 100
    skew: float = 1.0
    retention_days: float = 1.0
    replication: int = 3
    latency_s: float = 0.3
    window_s: float = 10.0
    kept_s: float = 10_800.0

    @property
    def rows_per_s(self) -> float:
        """Results of windows: each key that has had an event is told once in a latency."""
        drawn = self.events_per_s * self.latency_s
        return distinct(self.products, self.skew, drawn) / self.latency_s

    @property
    def keys(self) -> float:
        """Products that have an event in a window."""
        return distinct(self.products, self.skew, self.events_per_s * self.window_s)

    @property
    def hottest(self) -> float:
        """The share of all events that goes to the partition of the most popular product."""
        return IMPRESSIONS / _total(self.products, self.skew)


@dataclass(frozen=True, slots=True)
class Host:
    """What a host is taken to have.

    Attributes:
        cores: Of its processors.
        network: Bytes a second, in each direction.
        disk: Bytes.
        used: The share of it all that is to be used; the rest is for what has fallen behind, and
            for a host that is away.
    """

    cores: int = 16
    network: float = 1.25e9
    disk: float = 4e12
    used: float = 0.5


@dataclass(frozen=True, slots=True)
class Need:
    """What a demand takes.

    Attributes:
        brokers: Hosts of Kafka.
        brokers_by: What decides their number.
        slots: Of the job, its parallelism.
        taskmanagers: Hosts for them, a slot a core.
        partitions: Of each topic, at least.
        loaders: Processes of the loader.
        clickhouse: Hosts of ClickHouse.
        network: Bytes a second into all brokers, copies among them; the larger of in and out.
        disk_a_day: Bytes a day on all brokers.
        rows_per_s: Into ClickHouse.
        rows_a_day: That ClickHouse keeps of a day.
        keys_kept: Windows that the job remembers at once.
    """

    brokers: int
    brokers_by: str
    slots: int
    taskmanagers: int
    partitions: int
    loaders: int
    clickhouse: int
    network: float
    disk_a_day: float
    rows_per_s: float
    rows_a_day: float
    keys_kept: float

    @property
    def hosts(self) -> int:
        """All, with two JobManagers; loaders are on the hosts of ClickHouse."""
        return self.brokers + self.taskmanagers + self.clickhouse + 2


@dataclass(frozen=True, slots=True)
class Installed:
    """What there is of what does not grow by itself.

    Attributes:
        brokers: Hosts of Kafka.
        slots: Of all TaskManagers.
        partitions: Of each topic.
        loaders: Processes of the loader.
        clickhouse: Hosts of ClickHouse.
    """

    brokers: int = 3
    slots: int = 4
    partitions: int = 12
    loaders: int = 1
    clickhouse: int = 1


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a part is at its end.

    Attributes:
        part: Which.
        events_per_s: At how many events a second; infinite where at none.
        why: A sentence without its end.
        then: What helps.
    """

    part: str
    events_per_s: float
    why: str
    then: str


def distinct(products: int, skew: float, drawn: float) -> float:
    """How many of the products are expected among so many draws by Zipf's law."""
    if drawn <= 0:
        return 0.0
    total = _total(products, skew)
    return math.fsum(
        count * -math.expm1(-drawn * math.pow(rank, -skew) / total)
        for rank, count in _ranks(products)
    )


def need(costs: Costs, demand: Demand, host: Host) -> Need:
    """How many hosts a demand takes."""
    rate = demand.events_per_s
    rows = demand.rows_per_s * costs.rows_seen
    loaders = _whole(rows * costs.loader_us / US, host.used)
    inserts = loaders * LOADS_A_SECOND * TABLES
    slots = _whole(rate * _slot_us(costs, demand) / US, host.used)
    inward = rate * demand.event_bytes * demand.replication
    # The copies are given to other brokers, and an event to the job: as many as come in.
    stored = inward * DAY_S
    brokers = {
        "their copies": demand.replication,
        "processors": _whole(rate * costs.broker_us / US, host.cores * host.used),
        "network": _whole(inward, host.network * host.used),
        "disks": _whole(stored * demand.retention_days, host.disk * host.used),
    }
    by = max(brokers, key=lambda name: brokers[name])
    return Need(
        brokers=brokers[by],
        brokers_by=by,
        slots=slots,
        taskmanagers=_whole(slots, host.cores),
        partitions=slots,
        loaders=loaders,
        clickhouse=_whole(
            (rows * costs.row_us + inserts * costs.insert_us) / US, host.cores * host.used
        ),
        network=inward,
        disk_a_day=stored,
        rows_per_s=rows,
        rows_a_day=demand.keys * DAY_S / demand.window_s,
        keys_kept=demand.keys * demand.kept_s / demand.window_s,
    )


def limits(costs: Costs, demand: Demand, host: Host, installed: Installed) -> list[Limit]:
    """What breaks, the first first: at what rate each part would have nothing left.

    Args:
        costs: What was measured.
        demand: What events are; its rate does not matter.
        host: What a host has, all of which is used here.
        installed: What there is.
    """
    slot = US / _slot_us(costs, demand)

    def at(rate: float) -> Demand:
        return Demand(
            rate, demand.products, demand.event_bytes, demand.skew, latency_s=demand.latency_s
        )

    def rows(rate: float) -> float:
        return at(rate).rows_per_s * costs.rows_seen

    copies = demand.event_bytes * demand.replication
    found = [
        Limit(
            "slots of the job",
            slot * installed.slots,
            f"a slot counts {slot:,.0f} events a second, and there are {installed.slots}",
            "more TaskManagers and a higher `ctr_job_parallelism`",
        ),
        Limit(
            "partitions of a topic",
            slot * installed.partitions / IMPRESSIONS,
            f"a partition is read by one slot, and impressions have {installed.partitions}",
            "more partitions, made before they are needed, as a product changes its partition",
        ),
        Limit(
            "the hottest partition",
            slot / demand.hottest,
            f"{demand.hottest:.1%} of all events are impressions of the most popular product, and "
            "one slot reads them",
            "no host: a key of product and a number, as the job counts in two phases and does not "
            "need a product in one partition",
        ),
        Limit(
            "the loader",
            _rate_where(lambda rate: rows(rate) * costs.loader_us / US, installed.loaders),
            f"it takes a core for {US / max(costs.loader_us, 1e-9):,.0f} rows a second, and is one "
            "process",
            "more loaders, which share the partitions, or a higher `ctr_job_latency`",
        ),
        Limit(
            "ClickHouse",
            _rate_where(
                lambda rate: (
                    (
                        rows(rate) * costs.row_us
                        + installed.loaders * LOADS_A_SECOND * TABLES * costs.insert_us
                    )
                    / US
                ),
                installed.clickhouse * host.cores,
            ),
            f"a row costs {costs.row_us:,.1f} us of its processors",
            "another host by product, or a higher `ctr_job_latency`",
        ),
        Limit(
            "the brokers' processors",
            installed.brokers * host.cores * US / costs.broker_us,
            f"an event costs {costs.broker_us:.2f} us of them",
            "more brokers",
        ),
        Limit(
            "the brokers' network",
            installed.brokers * host.network / copies,
            f"an event of {demand.event_bytes:,} bytes comes in {demand.replication} times",
            "more brokers, or a smaller event",
        ),
    ]
    return sorted(found, key=lambda one: one.events_per_s)


def _slot_us(costs: Costs, demand: Demand) -> float:
    many, large = 1_000_000, 10_000
    return (
        costs.slot_us
        + (costs.many_products_us if demand.products >= many else 0.0)
        + (costs.large_event_us if demand.event_bytes >= large else 0.0)
    )


def _whole(wanted: float, each: float) -> int:
    # What rounding adds is no reason for another host.
    return max(1, math.ceil(wanted / each - 1e-9))


def _rate_where(used: Callable[[float], float], most: float) -> float:
    """The rate at which something that grows with it comes to its most; infinite where never."""
    low, high = 0.0, MOST_EVENTS
    if used(high) <= most:
        return math.inf
    while high - low > max(1.0, low / 1_000):
        middle = (low + high) / 2
        low, high = (middle, high) if used(middle) <= most else (low, middle)
    return low


def _ranks(products: int) -> Iterator[tuple[float, int]]:
    """Ranks that stand for a number of products each."""
    first = 1
    while first <= products:
        count = 1 if first <= SINGLE else min(int(first * GROWTH), products - first + 1)
        yield first + (count - 1) / 2, count
        first += count


def _total(products: int, skew: float) -> float:
    return math.fsum(count * math.pow(rank, -skew) for rank, count in _ranks(products))
