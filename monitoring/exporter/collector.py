"""What is known, in Prometheus' words."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flink_job.audit.law import Offsets, Partition
from monitoring.exporter.events import Tally
from monitoring.exporter.state import Source, State, Tables

# Three looks: a source whose look hangs is away, whatever its last look has said.
STALE_S = 15.0
# A lag that stands still looks like one that is well, or like one that does not fall.
LAG_STALE_S = 30.0


class StateCollector(Collector):
    """Renders the state of the moment; asks nobody."""

    def __init__(
        self,
        state: Callable[[], State],
        now: Callable[[], float] = time.time,
        keep: Callable[[Tally], None] = lambda _: None,
    ) -> None:
        """Render what this gives.

        Args:
            state: Gives the state of the moment.
            now: Seconds since the epoch.
            keep: Takes what will be told of events, before it is.
        """
        self._state = state
        self._now = now
        self._keep = keep

    def describe(self) -> Iterable[Metric]:
        """Nothing: which series there are hangs on what is known."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All series of the moment."""
        state = self._state()
        self._keep(state.tally)
        yield from _sources(state, self._now())
        yield _events(state)
        yield _by_partition(
            "ctr_unexplained_events",
            "Offsets below the ledger's last that have no outcome; below zero, some have two. More "
            "than 0 for a moment while results are under way. What stays is read in Kafka: offsets "
            "that hold no record, such as markers of transactions, do not count once they were "
            "read, and the value is then that of the offsets which were read last.",
            state.gaps.unexplained,
        )
        yield _by_partition(
            "ctr_recordless_offsets",
            "Offsets without an outcome that were read in Kafka and hold no record: markers of "
            "transactions, and what was aborted.",
            state.gaps.recordless,
        )
        yield _by_partition(
            "ctr_unread_offsets",
            "Offsets that have to be read in Kafka until it is known whether those without an "
            "outcome hold records; 0 where all adds up.",
            state.gaps.unread,
        )
        yield _by_partition(
            "ctr_lag_events",
            "Offsets of the partition that the ledger in ClickHouse does not reach. Without series "
            "once nobody has known for 30 s, since Kafka or ClickHouse is away or slow.",
            state.lag if self._now() - state.lag_known <= LAG_STALE_S else {},
        )
        yield _by_partition(
            "ctr_partition_clock_timestamp_seconds",
            "How far event time has come in the partition at least: the highest lesser of "
            "timestamp and append time among the newest records, looked at every 15 s or less "
            "often. It is Kafka's side; how far the job is behind it ctr_lag_events tells.",
            state.clocks,
            scale=1_000,
        )
        if state.kafka.found is not None:
            yield _loader_lag(state.kafka.found.results)
        yield _newest_events(state)
        if state.newest_row is not None:
            yield GaugeMetricFamily(
                "ctr_newest_row_timestamp_seconds",
                "When a row was last written, by ClickHouse's clock; the canary's among them.",
                value=state.newest_row,
            )
        if state.clickhouse.found is not None:
            yield from _recent(state.clickhouse.found)
            yield _parts(state.clickhouse.found.parts)
        yield _expiry(state.expiry)


def _sources(state: State, now: float) -> Iterator[Metric]:
    labels = ["source", "address"]
    up = GaugeMetricFamily(
        "ctr_source_up",
        "Whether the last look at the source succeeded, no longer than 15 s ago. While it is 0, "
        "what the source tells stands still. Of Kafka the address is that of the first bootstrap "
        "server, and any broker may have answered; the store is up if it answers HTTP at all.",
        labels=labels,
    )
    seconds = GaugeMetricFamily(
        "ctr_source_seconds", "How long the last look at the source took.", labels=labels
    )
    refreshed = GaugeMetricFamily(
        "ctr_source_refreshed_timestamp_seconds",
        "When a look at the source last succeeded, by the clock of this host.",
        labels=labels,
    )
    looked_at: dict[str, Source[Any]] = {
        "kafka": state.kafka,
        "clickhouse": state.clickhouse,
        "store": state.store,
    }
    for name, address in state.addresses.items():
        source = looked_at[name]
        fresh = source.when is not None and now - source.when.ended <= STALE_S
        up.add_metric([name, address], float(source.answers and fresh))
        if source.seconds is not None:
            seconds.add_metric([name, address], source.seconds)
        if source.when is not None:
            refreshed.add_metric([name, address], source.when.ended)
    yield from (up, seconds, refreshed)


def _events(state: State) -> Metric:
    # Without series until the ledger was read: from 0 to its sum would be a rate that never was.
    family = CounterMetricFamily(
        "ctr_events",
        "Events by outcome, from the ledger in ClickHouse. After a recount, which moves events "
        "from one outcome to another, it is right in all, and no outcome is taken back.",
        labels=["topic", "outcome"],
    )
    # Not what was kept either: the first look brings what came meanwhile.
    for (topic, outcome), number in (state.tally.told if state.clickhouse.found else {}).items():
        family.add_metric([topic, outcome.value], number)
    return family


def _by_partition(
    name: str, documentation: str, values: Mapping[Partition, int], *, scale: int = 1
) -> Metric:
    family = GaugeMetricFamily(name, documentation, labels=["topic", "partition"])
    for (topic, partition), value in sorted(values.items()):
        family.add_metric([topic, str(partition)], value / scale)
    return family


def _loader_lag(results: Offsets) -> Metric:
    family = GaugeMetricFamily(
        "ctr_loader_lag_messages",
        "Offsets of the results topic that the loader has not committed; compaction may have left "
        "fewer messages.",
        labels=["topic"],
    )
    behind: dict[str, int] = {}
    for (topic, _), (committed, end) in results.items():
        behind[topic] = behind.get(topic, 0) + max(0, end - committed)
    for topic, messages in sorted(behind.items()):
        family.add_metric([topic], messages)
    return family


def _newest_events(state: State) -> Metric:
    family = GaugeMetricFamily(
        "ctr_newest_event_timestamp_seconds",
        "When the newest record of the topic was appended, by the brokers' clock; looked at every "
        "15 s or less often.",
        labels=["topic"],
    )
    for topic, appended in sorted(state.newest.items()):
        family.add_metric([topic], appended / 1_000)
    return family


def _recent(tables: Tables) -> Iterator[Metric]:
    for name, documentation, value in (
        (
            "ctr_active_products",
            "Products with a row in the windows of the last minute",
            tables.products,
        ),
        (
            "ctr_recent_impressions",
            "Impressions in the windows of the last minute",
            tables.impressions,
        ),
        ("ctr_recent_clicks", "Clicks in the windows of the last minute", tables.clicks),
    ):
        yield GaugeMetricFamily(name, f"{documentation}; the canary is left out.", value=value)


def _parts(parts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(
        "ctr_clickhouse_parts",
        "Active parts of the table's partition that has the most, in the database ctr.",
        labels=["table"],
    )
    for table, number in sorted(parts.items()):
        family.add_metric([table], number)
    return family


def _expiry(expiry: Mapping[tuple[str, str], int]) -> Metric:
    family = GaugeMetricFamily(
        "ctr_certificate_expiry_timestamp_seconds",
        "Until when the certificate is valid that the endpoint itself presents, whoever issued it; "
        "in the past once it has expired. Asked every 5 minutes, and kept while nobody answers. "
        "Certificates of authorities are not looked at.",
        labels=["source", "address"],
    )
    for place, until in sorted(expiry.items()):
        family.add_metric(place, until)
    return family
