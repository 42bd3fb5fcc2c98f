"""The loader loses nothing and stops for nobody, whatever Kafka and ClickHouse do meanwhile."""

from __future__ import annotations

import json
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver.errors import ServerException
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from flink_job.endpoints import ClickHouse, Kafka
from flink_job.loader import clickhouse
from flink_job.loader.__main__ import main
from flink_job.loader.backoff import Backoff
from flink_job.loader.batch import Message, Partition
from flink_job.loader.clickhouse import NativeClient
from flink_job.loader.consumer import Consumer, ConsumerError, MemberLostError
from flink_job.loader.metrics import Metrics
from flink_job.loader.service import Clock, Limits, Service, joined
from flink_job.loader.stop import Stop
from flink_job.loader.tables import Columns

T = 1_764_000_000_000
HOUR_S = 3_600.0
MAX_POLL_INTERVAL_S = 300.0
W0, W1, L0 = Partition("ctr-windows", 0), Partition("ctr-windows", 1), Partition("ctr-ledger", 0)
AWAY = ConnectionRefusedError("Connection refused")


@dataclass(frozen=True)
class Record:
    offset: int
    value: bytes | None


def window(product: str, clicks: int) -> bytes:
    fields = {"product_id": product, "window_start": T, "impressions": 0, "clicks": clicks}
    return json.dumps(fields).encode()


def entry(events: int) -> bytes:
    place = {"topic": "clicks", "partition": 0, "outcome": "counted", "hour": T}
    counts = {"events": events, "first_offset": 0, "last_offset": events - 1}
    return json.dumps(place | counts).encode()


@dataclass
class Time:
    """A clock that goes on only when somebody waits."""

    at: float = 0.0
    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept += seconds

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at, now=lambda: T / 1_000 + self.at, sleep=self.sleep)


@dataclass
class Broker:
    """What outlives a member: the log and the commits."""

    log: dict[Partition, list[Record]] = field(default_factory=dict)
    committed: dict[Partition, int] = field(default_factory=dict)

    def append(self, partition: Partition, *values: bytes | None) -> None:
        log = self.log.setdefault(partition, [])
        for value in values:
            log.append(Record(len(log), value))


@dataclass
class Group:
    """A member of a group, as librdkafka is one.

    A rebalance happens inside a poll; what is new begins at its commit and is not paused, and its
    first messages may come from that very poll. What stays keeps position and pause.
    """

    broker: Broker
    time: Time
    positions: dict[Partition, int] = field(default_factory=dict)
    paused: set[Partition] = field(default_factory=set)
    rebalances: list[tuple[float, set[Partition]]] = field(default_factory=list)
    refusals: list[ConsumerError] = field(default_factory=list)
    poll_errors: list[ConsumerError] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    handed_out: int = 0
    journal: list[str] = field(default_factory=list)
    closed: bool = False
    knows_ends: bool = True

    def assign(self, partitions: set[Partition]) -> None:
        self.positions = {
            partition: self.positions.get(partition, self.broker.committed.get(partition, 0))
            for partition in sorted(partitions)
        }
        self.paused &= partitions

    def assignment(self) -> set[Partition]:
        return set(self.positions)

    def poll(self, timeout_s: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        assert not self.closed
        assert timeout_s > 0
        self.polls.append(self.time.at)
        if self.poll_errors:
            raise self.poll_errors.pop(0)
        if self.rebalances and self.rebalances[0][0] <= self.time.at:
            self.assign(self.rebalances.pop(0)[1])
        got: dict[Partition, Sequence[Message]] = {}
        for partition, position in self.positions.items():
            there = self.broker.log.get(partition, [])[position : position + messages]
            if partition not in self.paused and there:
                got[partition] = there
                self.positions[partition] += len(there)
                messages -= len(there)
        self.handed_out += sum(map(len, got.values()))
        self.time.at += 0.001 if got else timeout_s
        return got

    def pause(self, partitions: Iterable[Partition]) -> None:
        self.paused |= set(partitions) & self.assignment()

    def resume(self, partitions: Iterable[Partition]) -> None:
        self.paused -= set(partitions)

    def seek(self, partition: Partition, offset: int) -> None:
        if partition in self.positions:
            self.positions[partition] = offset

    def position(self, partition: Partition) -> int | None:
        return self.positions.get(partition)

    def ends(self, partitions: Iterable[Partition]) -> Mapping[Partition, int]:
        if not self.knows_ends:
            raise ConsumerError("KafkaTimeoutError")
        return {partition: len(self.broker.log.get(partition, [])) for partition in partitions}

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        self.journal.append("commit")
        if self.refusals:
            raise self.refusals.pop(0)
        assert set(offsets) <= self.assignment(), "a commit for somebody else's partition"
        self.broker.committed |= offsets

    def close(self) -> None:
        self.closed = True


@dataclass
class Server:
    """ClickHouse as far as ReplacingMergeTree goes: of a key the highest version is shown."""

    time: Time
    journal: list[str] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    away_until: float = float("-inf")
    missing: set[str] = field(default_factory=set)
    blocks: list[int] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    rows: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=dict)

    def execute(self, query: str, columns: Columns, *, columnar: bool) -> object:
        assert columnar
        self.calls.append(self.time.at)
        table = query.split()[2].removeprefix("ctr.")
        if self.failures:
            raise self.failures.pop(0)
        if self.time.at < self.away_until:
            raise AWAY
        if table in self.missing:
            raise ServerException(f"Table ctr.{table} doesn't exist.\n\nStack trace:\n0. main", 60)
        self.journal.append(table)
        self.blocks.append(len(columns[0]))
        key_columns = {"ctr_windows": 2, "ledger": 4}[table]
        shown = self.rows.setdefault(table, {})
        for row in zip(*columns, strict=True):
            key = row[:key_columns]
            if key not in shown or row[-1] >= shown[key][-1]:
                shown[key] = row
        return len(columns[0])


class World:
    """A broker, a server, a clock, and one loader after another."""

    def __init__(self, *assigned: Partition, limits: Limits | None = None) -> None:
        self.time = Time()
        self.broker = Broker()
        self.server = Server(self.time)
        self.limits = limits or Limits()
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.group = self.member(*assigned)

    def member(self, *assigned: Partition) -> Group:
        group = Group(self.broker, self.time, journal=self.server.journal)
        group.assign(set(assigned))
        return group

    def run(self, stopping: Callable[[], bool]) -> None:
        Service(
            consumer=self.group,
            client=self.server,
            metrics=self.metrics,
            stopping=stopping,
            limits=self.limits,
            clock=self.time.clock(),
            clickhouse_backoff=Backoff(chance=lambda: 0.0),
            kafka_backoff=Backoff(chance=lambda: 0.0),
        ).run()

    def run_until(self, seconds: float) -> None:
        self.run(lambda: self.time.at >= seconds)

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"ctr_loader_{name}", labels)

    def windows(self) -> dict[str, int]:
        return {key[0]: row[4] for key, row in self.server.rows.get("ctr_windows", {}).items()}


def test_messages_of_both_topics_are_rows_and_are_committed() -> None:
    world = World(W0, L0)
    world.broker.append(W0, window("p-1", 1), window("p-1", 2), window("p-2", 1))
    world.broker.append(L0, entry(3))
    world.run_until(5)
    assert world.windows() == {"p-1": 2, "p-2": 1}
    assert world.server.rows["ledger"] == {
        ("clicks", 0, "counted", T // 1_000): ("clicks", 0, "counted", T // 1_000, 3, 0, 2, 3)
    }
    assert world.broker.committed == {W0: 3, L0: 1}
    assert world.server.blocks == [2, 1], "of a key one row, and one insert a table"
    assert world.value("rows_inserted_total", table="ctr_windows") == 2
    assert world.value("messages_read_total", topic="ctr-windows") == 3
    assert world.value("insert_seconds_count", table="ledger") == 1
    assert world.value("last_insert_timestamp_seconds") == pytest.approx(T / 1_000, abs=5)
    assert world.group.closed


def test_offsets_are_committed_only_after_the_rows_are_in() -> None:
    world = World(W0, L0)
    world.broker.append(W0, window("p-1", 1))
    world.broker.append(L0, entry(1))
    world.server.failures = [AWAY, AWAY]
    world.run_until(5)
    assert world.server.journal == ["ctr_windows", "ledger", "commit"]


def test_offsets_are_committed_once_a_second_and_once_more_when_nothing_comes() -> None:
    world = World(W0, limits=Limits(messages=10))
    world.broker.append(W0, *(window(f"p-{number}", 1) for number in range(50)))
    world.run_until(5)
    assert world.server.journal == ["ctr_windows", "commit", *["ctr_windows"] * 4, "commit"]
    assert world.broker.committed == {W0: 50}


def test_asked_to_stop_it_commits_what_is_in_before_the_second_is_over() -> None:
    world = World(W0, limits=Limits(messages=10))
    world.broker.append(W0, *(window(f"p-{number}", 1) for number in range(20)))
    world.run_until(0.3)
    assert world.broker.committed == {W0: 20}


def test_while_one_table_is_missing_nothing_is_committed_and_the_other_is_not_written_again() -> (
    None
):
    world = World(W0, L0)
    world.broker.append(W0, window("p-1", 1))
    world.broker.append(L0, entry(1))
    world.server.missing = {"ledger"}
    world.run_until(60)
    assert world.server.journal == ["ctr_windows"]
    assert world.broker.committed == {}
    assert world.value("clickhouse_up") == 0
    assert world.value("insert_failures_total", table="ctr_windows") == 0


def test_a_batch_is_full_by_messages() -> None:
    world = World(W0, limits=Limits(messages=10))
    world.broker.append(W0, *(window(f"p-{number}", 1) for number in range(25)))
    world.run_until(5)
    assert world.server.blocks == [10, 10, 5]


def test_a_batch_is_full_by_the_age_of_its_first_message() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.run_until(1)
    assert world.server.calls == [pytest.approx(0.2, abs=0.01)]


def test_clickhouse_away_for_an_hour_loses_nothing_and_leaves_no_group() -> None:
    world = World(W0, L0, limits=Limits(messages=100))
    world.broker.append(W0, *(window(f"p-{number % 300}", number) for number in range(1_000)))
    world.server.away_until = HOUR_S
    world.run_until(HOUR_S - 20)

    assert world.group.handed_out == 100, "what is in memory is one batch"
    assert world.broker.committed == {}
    assert world.value("clickhouse_up") == 0
    gaps = [b - a for a, b in zip(world.group.polls, world.group.polls[1:], strict=False)]
    assert max(gaps) < MAX_POLL_INTERVAL_S / 100
    waits = [b - a for a, b in zip(world.server.calls, world.server.calls[1:], strict=False)]
    assert waits[:7] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0])
    assert max(waits) == pytest.approx(10.0)
    assert world.time.slept == 0, "it waits in polls, where it is heard of"


def test_it_goes_on_by_itself_when_clickhouse_is_back() -> None:
    world = World(W0, L0, limits=Limits(messages=100))
    world.broker.append(W0, *(window(f"p-{number % 300}", number) for number in range(1_000)))
    world.server.away_until = HOUR_S
    world.run_until(HOUR_S + 30)
    assert world.windows() == {f"p-{number % 300}": number for number in range(1_000)}
    assert world.broker.committed == {W0: 1_000}
    assert world.group.paused == set()
    assert world.value("clickhouse_up") == 1


def test_the_next_outage_begins_with_short_waits_again() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.server.failures = [AWAY] * 5

    def until_the_second_outage_is_over() -> bool:
        if world.broker.committed == {W0: 1} and len(world.broker.log[W0]) == 1:
            world.broker.append(W0, window("p-1", 2))
            world.server.failures = [AWAY]
        return world.windows() == {"p-1": 2}

    world.run(until_the_second_outage_is_over)
    assert world.server.calls[-1] - world.server.calls[-2] == pytest.approx(0.2)


def test_what_is_assigned_while_clickhouse_is_away_is_paused_and_not_lost() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.broker.append(W1, *(window(f"p-{number}", 7) for number in range(2, 50)))
    world.server.away_until = 60
    world.group.rebalances = [(10, {W0, W1}), (20, {W1}), (30, {W0, W1})]
    world.run_until(55)
    assert world.group.paused == {W0, W1}
    assert world.group.positions == {W0: 0, W1: 0}, "read again from the commit, put back"
    world.group = world.member(W0, W1)
    world.run_until(70)
    assert len(world.windows()) == 49
    assert world.broker.committed == {W0: 1, W1: 48}


def test_a_partition_that_comes_while_clickhouse_is_away_is_read_in_the_same_run() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.broker.append(W1, *(window(f"p-{number}", 7) for number in range(2, 50)))
    world.server.away_until = 60
    world.group.rebalances = [(10, {W0, W1})]
    world.run_until(80)
    assert len(world.windows()) == 49
    assert world.broker.committed == {W0: 1, W1: 48}
    assert world.group.paused == set()


def test_a_partition_that_somebody_else_has_now_is_not_committed() -> None:
    world = World(W0, W1)
    world.broker.append(W0, window("p-1", 1))
    world.broker.append(W1, window("p-2", 1))
    world.server.away_until = 10
    world.group.rebalances = [(5, {W1})]
    world.run_until(20)
    assert world.windows() == {"p-1": 1, "p-2": 1}
    assert world.broker.committed == {W1: 1}


def test_with_all_partitions_taken_away_nothing_is_committed() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.server.away_until = 10
    world.group.rebalances = [(5, set())]
    world.run_until(20)
    assert "commit" not in world.server.journal


def test_a_refused_commit_is_counted_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.group.refusals = [ConsumerError("CommitFailedError: a rebalance")]
    world.run_until(1)
    assert world.broker.committed == {}
    assert world.value("commit_failures_total") == 1
    assert "CommitFailedError: a rebalance" in caplog.text

    world.group = world.member(W0)  # reads it again
    world.run_until(2)
    assert world.windows() == {"p-1": 1}
    assert world.broker.committed == {W0: 1}


def test_messages_without_a_row_are_counted_and_passed(caplog: pytest.LogCaptureFixture) -> None:
    world = World(W0, L0)
    world.broker.append(W0, b"nonsense", None, *[b"{}"] * 30, window("p-1", 1))
    world.broker.append(L0, b"[]")
    world.run_until(5)
    assert world.windows() == {"p-1": 1}
    assert world.broker.committed == {W0: 33, L0: 1}
    unreadable = "messages_unreadable_total"
    assert world.value(unreadable, topic="ctr-windows", reason="not_json") == 1
    assert world.value(unreadable, topic="ctr-windows", reason="tombstone") == 1
    assert world.value(unreadable, topic="ctr-windows", reason="missing_field") == 30
    assert world.value(unreadable, topic="ctr-ledger", reason="not_json") == 1
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "skipped ctr-ledger partition 0 offset 0, not_json: the value is not a JSON object "
        "(and 0 more since the last such line)"
    )


def test_messages_without_a_row_are_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    world = World(W0, limits=Limits(messages=1))

    def nonsense_for_ever() -> bool:
        world.broker.append(W0, b"nonsense")
        world.time.at += 1
        return world.time.at > 150

    world.run(nonsense_for_ever)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3
    assert lines[1].endswith("(and 29 more since the last such line)")


def test_asked_to_stop_it_finishes_the_batch_in_hand() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.run(lambda: world.group.handed_out > 0)
    assert world.windows() == {"p-1": 1}
    assert world.broker.committed == {W0: 1}
    assert world.group.closed


@pytest.mark.parametrize("asked_at", [0.1, 0.25, 100.0])
def test_asked_to_stop_while_clickhouse_is_away_it_commits_nothing_and_goes(
    asked_at: float, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.server.away_until = HOUR_S
    world.run_until(asked_at)
    assert world.time.at < asked_at + 1
    assert world.broker.committed == {}
    assert world.group.closed
    assert "stopped with 1 messages not in ClickHouse, uncommitted" in caplog.text

    world.server.away_until = 0
    world.group = world.member(W0)
    world.run_until(asked_at + 5)
    assert world.windows() == {"p-1": 1}


def test_asked_to_stop_just_when_clickhouse_is_back_it_brings_the_batch_home() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.server.failures = [AWAY] * 8  # and now it waits for ten seconds
    world.run(lambda: len(world.server.calls) >= 8 and world.time.at > world.server.calls[7] + 2)
    assert world.broker.committed == {W0: 1}


def test_errors_of_kafka_are_waited_out() -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.group.poll_errors = [ConsumerError("TopicAuthorizationFailedError")] * 7
    world.run_until(60)
    assert world.time.slept == pytest.approx(0.2 + 0.4 + 0.8 + 1.6 + 3.2 + 6.4 + 10.0)
    assert world.windows() == {"p-1": 1}
    assert world.value("kafka_failures_total") == 7


@pytest.mark.parametrize(
    "failure",
    [
        AWAY,
        TimeoutError("timed out"),
        EOFError(),
        ServerException("a\nb" * 900, 241),
        ServerException("a.\n\nStack trace:\n\n0. main.cpp", 241),
    ],
)
def test_whatever_clickhouse_fails_with_is_one_line_and_tried_again(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    world.server.failures = [failure]
    world.run_until(5)
    assert world.windows() == {"p-1": 1}
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert line.startswith("1 rows for ctr_windows wait: ")
    assert "\n" not in line
    assert "main.cpp" not in line
    assert len(line) < 400
    assert world.value("insert_failures_total", table="ctr_windows") == 1


def test_the_lag_is_what_is_not_in_clickhouse_yet() -> None:
    world = World(W0, W1, limits=Limits(messages=10))
    world.broker.append(W0, *(window("p-1", number) for number in range(30)))
    world.server.away_until = HOUR_S
    world.run_until(60)
    lag = "consumer_lag_messages"
    assert world.value(lag, topic="ctr-windows", partition="0") == 30, "ten of them are in hand"
    assert world.value(lag, topic="ctr-windows", partition="1") == 0
    world.server.away_until = 0
    world.group = world.member(W0, W1)
    world.run_until(90)
    assert world.value(lag, topic="ctr-windows", partition="0") == 0


def test_the_lag_of_a_partition_that_is_gone_is_gone() -> None:
    world = World(W0, W1)
    world.broker.append(W1, window("p-1", 1))
    world.group.rebalances = [(15, {W0})]
    world.run_until(30)
    lag = "consumer_lag_messages"
    assert world.value(lag, topic="ctr-windows", partition="0") == 0
    assert world.value(lag, topic="ctr-windows", partition="1") is None


def test_a_lag_that_kafka_does_not_tell_is_noticed_and_holds_nothing_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(W0)
    world.group.knows_ends = False
    world.broker.append(W0, window("p-1", 1))
    world.run_until(25)
    assert world.windows() == {"p-1": 1}
    assert world.value("consumer_lag_messages", topic="ctr-windows", partition="0") is None
    assert world.value("kafka_failures_total") == 3
    assert len(caplog.records) == 3


def test_a_group_that_cannot_be_left_in_order_does_not_hide_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World(W0)

    def refuse() -> None:
        raise ConsumerError("KafkaTimeoutError")

    world.group.close = refuse  # type: ignore[method-assign]
    world.run_until(1)
    assert "the group was not left in order: KafkaTimeoutError" in caplog.text


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.sampled_from([W0, W1]), st.integers(0, 2)),
        st.tuples(st.just("fail"), st.just(W0), st.integers(1, 4)),
        st.tuples(st.just("refuse"), st.just(W0), st.just(0)),
        st.tuples(st.just("take away"), st.sampled_from([W0, W1]), st.just(0)),
        st.tuples(st.just("give"), st.sampled_from([W0, W1]), st.just(0)),
        st.tuples(st.just("kill"), st.just(W0), st.just(0)),
    ),
    max_size=40,
)


@given(STEPS, st.integers(1, 5))
def test_whatever_happens_the_tables_end_as_the_topics_say(
    steps: list[tuple[str, Partition, int]], messages: int
) -> None:
    world = World(W0, W1, limits=Limits(messages=messages))
    truth: dict[str, int] = {}
    script = iter(steps)
    killed = False
    quiet = 0

    def next_step() -> bool:
        # Asked before every poll and after every failure: the world changes in between.
        nonlocal quiet, killed
        if killed:
            return True
        name, partition, number = next(script, ("nothing", W0, 0))
        quiet = quiet + 1 if name == "nothing" else 0
        assigned = world.group.assignment()
        if name == "append":
            product = f"p-{partition.partition}-{number}"
            truth[product] = truth.get(product, 0) + 1
            world.broker.append(partition, window(product, truth[product]))
        elif name == "fail":
            world.server.failures += [AWAY] * number
        elif name == "refuse":
            world.group.refusals.append(ConsumerError("RebalanceInProgressError"))
        elif name == "take away":
            world.group.rebalances.append((0, assigned - {partition}))
        elif name == "give":
            world.group.rebalances.append((0, assigned | {partition}))
        killed = name == "kill"
        return killed or quiet > 200

    while quiet <= 200:
        killed = False
        world.run(next_step)
        world.group = world.member(W0, W1)
    world.server.failures = []
    world.run_until(world.time.at + 30)
    assert world.windows() == truth
    assert {p: len(log) for p, log in world.broker.log.items()} == {
        p: offset for p, offset in world.broker.committed.items() if p in world.broker.log
    }


def test_kafka_away_at_the_start_is_waited_for_with_a_line_an_attempt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    answers: list[Exception | None] = [ConsumerError("NoBrokersAvailable"), ConsumerError(""), None]

    def attempt() -> Consumer:
        answer = answers.pop(0)
        if answer is not None:
            raise answer
        return world.group

    backoff = Backoff(chance=lambda: 0.0)
    member = joined(attempt, world.metrics, lambda: False, world.time.clock(), backoff)
    assert member is world.group
    assert [record.getMessage() for record in caplog.records] == [
        "Kafka is away, next attempt in 0.2 s: NoBrokersAvailable",
        "Kafka is away, next attempt in 0.4 s: ConsumerError",
    ]
    assert world.value("kafka_failures_total") == 2


def test_asked_to_stop_while_kafka_is_away_it_goes() -> None:
    world = World()

    def attempt() -> Consumer:
        raise ConsumerError("NoBrokersAvailable")

    def stopping() -> bool:
        return world.time.at > 21

    assert joined(attempt, world.metrics, stopping, world.time.clock(), Backoff()) is None
    assert world.time.at < 22


def test_waits_differ_from_loader_to_loader() -> None:
    assert Backoff(chance=lambda: 0.0).next() == pytest.approx(0.2)
    assert Backoff(chance=lambda: 0.999).next() == pytest.approx(0.1, abs=0.001)
    backoff = Backoff()
    assert all(backoff.next() <= 10 for _ in range(100))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_to_stop_and_a_second_one_changes_nothing(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with Stop() as stop:
        assert not stop()
        signal.raise_signal(number)
        signal.raise_signal(number)
        assert stop()
    assert signal.getsignal(number) is before


def test_what_takes_too_long_to_stop_is_ended_with_status_0() -> None:
    ends: list[int] = []
    ended = threading.Event()

    def end(status: int) -> None:
        ends.append(status)
        ended.set()

    with Stop(grace_s=0.01, end=end):
        signal.raise_signal(signal.SIGTERM)
        assert ended.wait(30), "also where the process itself is in a library"
    assert ends == [0]


def test_an_end_in_time_is_not_ended_again() -> None:
    ends: list[int] = []
    with Stop(grace_s=0.5, end=ends.append):
        signal.raise_signal(signal.SIGTERM)
    with Stop(grace_s=0.5, end=ends.append):
        pass
    assert not [
        one
        for one in threading.enumerate()
        if isinstance(one, threading.Timer) and not one.finished.is_set()
    ]
    assert ends == []


class Driver:
    """clickhouse-driver's Client as far as NativeClient calls it."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.disconnected = False

    def execute(self, _query: str, columns: Columns, *, columnar: bool) -> int:
        assert columnar
        if self.error is not None:
            raise self.error
        return len(columns[0])

    def disconnect(self) -> None:
        self.disconnected = True


@pytest.mark.parametrize("error", [AWAY, EOFError(), ServerException("no", 60)])
def test_after_a_failure_clickhouse_is_connected_to_anew(error: Exception) -> None:
    driver = Driver(error)
    with pytest.raises(type(error)):
        NativeClient(driver).execute("INSERT", [["p-1"]], columnar=True)
    assert driver.disconnected


def test_a_connection_to_clickhouse_is_kept() -> None:
    driver = Driver(None)
    assert NativeClient(driver).execute("INSERT", [["p-1"]], columnar=True) == 1
    assert not driver.disconnected


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections, held so that nobody else can listen on it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_refused_connection_is_a_failure_that_the_loader_waits_out(closed_port: int) -> None:
    client = clickhouse.client(ClickHouse("127.0.0.1", closed_port, "ctr", "hidden", "ctr"))
    with pytest.raises(clickhouse.FAILURES) as failure:
        client.execute("INSERT INTO ctr.ledger (topic) VALUES", [["clicks"]], columnar=True)
    assert "hidden" not in str(failure.value)


@pytest.fixture
def endpoints(tmp_path: Path) -> Path:
    clickhouse = {"host": "c", "port": 9000, "user": "u", "password": "hidden", "database": "ctr"}
    file = tmp_path / "endpoints.json"
    file.write_text(
        json.dumps({"kafka": {"bootstrap.servers": "k:9092"}, "clickhouse": clickhouse})
    )
    return file


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_service_runs_until_a_signal_and_ends_with_status_0(
    endpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(W0)
    world.broker.append(W0, window("p-1", 1))
    joins: list[tuple[str, tuple[str, ...], str | None]] = []

    def joining(_kafka: Kafka, group: str, topics: Iterable[str], instance: str | None) -> Consumer:
        joins.append((group, tuple(topics), instance))
        world.group.rebalances = [(30, set())]
        return world.group

    poll = world.group.poll

    def polled(timeout_s: float, messages: int) -> Mapping[Partition, Sequence[Message]]:
        if world.time.at > 5:
            signal.raise_signal(signal.SIGTERM)
        return poll(timeout_s, messages)

    world.group.poll = polled  # type: ignore[method-assign]
    status = main(
        ["--endpoints", str(endpoints), "--metrics-port=0", "--epoch=3", "--instance=one"],
        join=joining,
        client=lambda _endpoint: world.server,
        registry=CollectorRegistry(),
        clock=world.time.clock(),
    )
    assert status == 0
    assert joins == [("ctr-loader", ("ctr-windows", "ctr-ledger"), "one")]
    assert [row[-1] for row in world.server.rows["ctr_windows"].values()] == [3 * 2**40 + 1]
    assert world.broker.committed == {W0: 1}
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "INFO loading ctr-windows and ctr-ledger as group ctr-loader",
        "INFO stopped",
    ]


def test_a_signal_while_kafka_is_away_ends_with_status_0(endpoints: Path) -> None:
    def joining(
        _kafka: Kafka, _group: str, _topics: Iterable[str], _instance: str | None
    ) -> Consumer:
        signal.raise_signal(signal.SIGTERM)
        raise ConsumerError("NoBrokersAvailable")

    status = main(
        ["--endpoints", str(endpoints), "--metrics-port", "0"],
        join=joining,
        registry=CollectorRegistry(),
        clock=Time().clock(),
    )
    assert status == 0


def test_a_membership_that_is_lost_for_good_ends_the_service_for_a_new_start(
    endpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(W0)

    def polled(_timeout_s: float, _messages: int) -> Mapping[Partition, Sequence[Message]]:
        raise MemberLostError("FENCED_INSTANCE_ID: another has its name")

    world.group.poll = polled  # type: ignore[method-assign, assignment]
    status = main(
        ["--endpoints", str(endpoints), "--metrics-port=0"],
        join=lambda *_: world.group,
        client=lambda _endpoint: world.server,
        registry=CollectorRegistry(),
        clock=world.time.clock(),
    )
    assert status == 1
    assert world.group.closed
    assert "ERROR no member of group ctr-loader any more: FENCED_INSTANCE_ID" in (
        capsys.readouterr().err
    )


def test_a_mistake_in_the_endpoints_is_a_sentence_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--endpoints", str(tmp_path / "none.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("none.json cannot be read: No such file or directory.")


def test_a_port_that_is_taken_is_a_sentence_and_status_2(
    endpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104 - where the metrics are served
        taken.listen()
        port = taken.getsockname()[1]
        arguments = ["--endpoints", str(endpoints), "--metrics-port", str(port)]
        assert main(arguments, registry=CollectorRegistry()) == 2
    assert capsys.readouterr().err == f"Port {port} for the metrics: Address already in use.\n"


@pytest.mark.parametrize(
    "option",
    [("--epoch", "-1"), ("--epoch", str(2**24)), ("--batch-rows", "0"), ("--batch-ms", "x")],
)
def test_a_number_out_of_bounds_is_refused(
    option: tuple[str, str], endpoints: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["--endpoints", str(endpoints), f"{option[0]}={option[1]}"])
    assert refused.value.code == 2
    assert "must be a whole number from" in capsys.readouterr().err
