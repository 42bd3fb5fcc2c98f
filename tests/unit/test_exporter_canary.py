"""Each canary is one event in its window, and is counted once, whatever fails meanwhile."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from prometheus_client import CollectorRegistry

from flink_job.audit.tables import TablesError
from flink_job.domain import CANARY, CANARY_PRODUCT, Outcome, Record, judge, window_start
from flink_job.endpoints import ClickHouse, Kafka
from flink_job.loader.service import Clock
from monitoring.exporter import service
from monitoring.exporter.canary import __main__ as program
from monitoring.exporter.canary import outlet as outlet_module
from monitoring.exporter.canary.flight import LATE_S, NEVER_S, Canary, Flight
from monitoring.exporter.canary.metrics import Metrics
from monitoring.exporter.canary.outlet import SETTINGS, Outlet
from monitoring.exporter.canary.rows import EVERY_S, Lookout, seen_of
from monitoring.exporter.canary.schedule import Schedule, product_of
from monitoring.exporter.canary.sender import Sender, event
from monitoring.exporter.canary.tally import KAFKA, LATE, SECONDS

BEGIN = 1_764_000_000.0
ONE, OTHER = Canary("ctr-canary-00", 1_764_000_000), Canary("ctr-canary-01", 1_764_000_000)


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A service that is started here logs in its own way; those after it must not."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@dataclass
class Time:
    """A clock that goes on only when somebody waits; the one on the wall can be set."""

    at: float = 0.0
    wall: float = BEGIN

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: self.wall + self.at, self.sleep)


@dataclass
class Sent:
    """An outlet that keeps what was sent, and refuses some of it."""

    time: Time
    refuses: bool = False
    slots: list[int] = field(default_factory=list)
    events: list[tuple[float, str, int]] = field(default_factory=list)

    def send(self, slot: int, key: str, value: bytes, failed: Callable[[], None]) -> None:
        fields = json.loads(value)
        assert fields["productId"] == key
        self.slots.append(slot)
        self.events.append((self.time.at, key, fields["timestamp"]))
        if self.refuses:
            failed()


def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


def counted(told: Metrics) -> dict[str, float]:
    """What Prometheus would read."""
    return {
        sample.name.removeprefix("ctr_canary_") + "".join(sample.labels.values()): sample.value
        for family in told.collect()
        for sample in family.samples
    }


def run(time: Time, stalls: Sequence[float], sent: Sent) -> None:
    """A process that sends until it has stalled as often, for so long each time."""
    left = list(stalls)

    def sleep(seconds: float) -> None:
        time.at += seconds
        if seconds and left:
            time.at += left.pop(0)

    clock = Clock(lambda: time.at, lambda: time.wall + time.at, sleep)
    Sender(sent, Flight(metrics(), clock), lambda: not left, clock).run()


STALLS = st.lists(st.floats(0, 30), min_size=1, max_size=40)


@given(st.floats(0, 100), st.lists(STALLS, min_size=1, max_size=3), st.floats(0, 20))
def test_no_window_of_a_product_holds_two_canaries_whatever_stalls_or_starts_again(
    begin: float, runs: list[list[float]], between: float
) -> None:
    time = Time(wall=BEGIN + begin)
    sent = Sent(time)
    for stalls in runs:
        run(time, stalls, sent)
        time.at += between
    rows = [(product, window_start(timestamp)) for _, product, timestamp in sent.events]
    assert len(rows) == len(set(rows))
    assert sent.slots == sorted(set(sent.slots))


def test_one_a_second_is_sent_for_hours_without_drift() -> None:
    time = Time(wall=BEGIN + 0.3)
    sent = Sent(time)
    # Each sleep of up to half a second is a little late, thousands of times.
    run(time, [0.007] * 7_200, sent)
    moments = [at + time.wall for at, _, _ in sent.events]
    assert len(moments) > 3_590
    assert all(0 <= at - slot < 0.1 for at, slot in zip(moments, sent.slots, strict=True))
    assert sent.slots == list(range(sent.slots[0], sent.slots[0] + len(sent.slots)))


def test_what_a_stall_has_missed_is_left_out_and_nothing_comes_in_a_burst() -> None:
    time = Time()
    schedule = Schedule.begun(time.clock())
    assert schedule.due() is None
    assert schedule.wait_s() == pytest.approx(1.0)
    time.at += 1.0
    first = schedule.due()
    assert first == BEGIN + 1
    time.at += 7.4
    assert schedule.wait_s() == 0
    assert schedule.due() == first + 7
    assert schedule.due() is None
    assert schedule.wait_s() == pytest.approx(0.6)


def test_while_the_clock_on_the_wall_is_set_back_nothing_is_sent_twice_in_a_window() -> None:
    time = Time()
    sent = Sent(time)
    sender = Sender(sent, Flight(metrics(), time.clock()), lambda: False, time.clock())
    sender.send(0)
    time.wall -= 12
    time.at += 12
    sender.send(12)
    assert len(sent.events) == 1
    time.at += 12
    sender.send(24)
    assert len(sent.events) == 2


def test_a_canary_is_an_event_that_the_specification_counts() -> None:
    now = int(BEGIN * 1_000)
    value = event(product_of(13), now)
    verdict = judge(Record(CANARY, 1, 0, now + 5, value), None)
    assert verdict.outcome is Outcome.COUNTED
    assert verdict.event is not None
    assert verdict.event.product_id == f"{CANARY_PRODUCT}01"
    assert not verdict.event.is_click


def test_a_row_is_seen_once_and_told_by_its_time() -> None:
    time, told = Time(), metrics()
    flight = Flight(told, time.clock())
    flight.sent(ONE)
    time.at += 0.45
    flight.seen([OTHER])
    flight.seen([ONE])
    flight.seen([ONE])
    assert counted(told)["seconds_sum"] == pytest.approx(0.45)
    assert counted(told)["seconds_bucket0.4"] == 0
    assert counted(told)["seconds_bucket0.5"] == counted(told)["seconds_count"] == 1


def test_a_canary_without_a_row_is_in_the_last_bucket_so_that_shares_are_honest() -> None:
    time, told = Time(), metrics()
    flight = Flight(told, time.clock())
    flight.sent(ONE)
    flight.sent(OTHER)
    time.at += LATE_S
    flight.seen(())
    assert counted(told)["seconds_count"] == 0
    time.at += 0.01
    # A row that is seen too late is late as well.
    flight.seen([OTHER])
    found = counted(told)
    assert found["failed_totallate"] == found["seconds_count"] == found["seconds_bucket+Inf"] == 2
    assert found["seconds_bucket30.0"] == 0


def test_what_kafka_has_not_taken_is_told_once_and_is_in_the_last_bucket() -> None:
    time, told = Time(), metrics()
    flight = Flight(told, time.clock())
    flight.sent(ONE)
    flight.failed(ONE)
    time.at += 2 * LATE_S
    flight.seen(())
    found = counted(told)
    assert (found["failed_totalkafka"], found["failed_totallate"]) == (1, 0)
    assert (found["seconds_count"], found["seconds_sum"]) == (1, NEVER_S)
    assert flight.under_way() == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["sent", "seen", "failed"]), st.integers(0, 5), st.floats(0, 40)),
        max_size=40,
    )
)
def test_every_canary_is_counted_exactly_once(steps: list[tuple[str, int, float]]) -> None:
    time, told = Time(), metrics()
    flight = Flight(told, time.clock())
    sent = 0
    refused: set[Canary] = set()
    for step, number, seconds in steps:
        if step == "sent":
            flight.sent(Canary(product_of(sent), sent))
            sent += 1
        elif step == "seen":
            flight.seen([Canary(product_of(number), number)])
        elif number < sent and (one := Canary(product_of(number), number)) not in refused:
            flight.failed(one)
            refused.add(one)
        time.at += seconds
    time.at += LATE_S + 1
    flight.seen(())
    found = counted(told)
    assert found["seconds_count"] == found["sent_total"] == sent
    assert found["failed_totalkafka"] == len(refused)
    beyond = found["seconds_bucket+Inf"] - found["seconds_bucket30.0"]
    assert found["failed_totallate"] <= beyond <= found["failed_totallate"] + len(refused)


def test_the_histogram_has_the_buckets_that_alerts_count_on() -> None:
    names = {name for name in counted(metrics()) if name.startswith("seconds_bucket")}
    assert {f"seconds_bucket{float(second)}" for second in SECONDS} < names
    assert {0.75, 1, 2, 3, 10, 30} <= set(SECONDS)
    assert {"failed_totalkafka", "failed_totallate"} == {f"failed_total{r}" for r in (KAFKA, LATE)}


@dataclass
class Server:
    """A ClickHouse where a row is there so many questions after it was first asked for."""

    time: Time
    after: int = 0
    problems: list[Exception | None] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    opened: int = 0
    rows: list[Canary] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[Server]:
        self.opened += 1
        yield self

    def execute(self, sql: str) -> list[Canary]:
        self.asked.append(sql)
        if self.problems and (problem := self.problems.pop(0)) is not None:
            self.time.at += 5
            raise problem
        return self.rows if len(self.asked) > self.after else []


def test_one_question_is_asked_for_all_that_are_under_way() -> None:
    stranger = Canary("ctr-canary-00", ONE.window - 10)
    later = Canary("ctr-canary-11", ONE.window + 20)
    server = Server(Time(), rows=[ONE, stranger])
    assert seen_of(server, [ONE, OTHER, later]) == {ONE}
    (sql,) = server.asked
    assert "IN ('ctr-canary-00', 'ctr-canary-01', 'ctr-canary-11')" in sql
    assert f">= toDateTime({ONE.window})" in sql
    assert f"<= toDateTime({ONE.window + 20})" in sql


def looked_out(server: Server, told: Metrics, canaries: Sequence[Canary]) -> Flight:
    """Look for these until none is under way."""
    flight = Flight(told, server.time.clock())
    for canary in canaries:
        flight.sent(canary)

    def stopping() -> bool:
        return not flight.under_way()

    Lookout(server.open, flight, stopping, server.time.clock()).run()
    return flight


def test_rows_are_looked_for_every_fiftieth_of_a_second_until_they_are_there() -> None:
    told = metrics()
    server = Server(Time(), after=4, rows=[ONE, OTHER])
    looked_out(server, told, [ONE, OTHER])
    assert len(server.asked) == 5
    assert counted(told)["seconds_sum"] == pytest.approx(2 * 4 * EVERY_S)
    assert EVERY_S == 0.05


def test_while_clickhouse_is_away_canaries_become_late_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    told = metrics()
    away: list[Exception | None] = [TablesError("timed out") for _ in range(9)]
    server = Server(Time(), problems=away, rows=[ONE])
    looked_out(server, told, [ONE])
    assert counted(told)["failed_totallate"] == counted(told)["seconds_count"] == 1
    assert caplog.messages == ["rows cannot be looked for: timed out"]


def test_a_clickhouse_that_is_back_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    told = metrics()
    server = Server(Time(), problems=[TablesError("refused"), TablesError("refused")], rows=[ONE])
    looked_out(server, told, [ONE])
    assert server.opened == 3
    assert counted(told)["failed_totallate"] == 0
    assert caplog.messages == ["rows cannot be looked for: refused", "rows are looked for again"]


def test_without_a_canary_nobody_is_asked() -> None:
    waited: list[float] = []

    class Idle(Flight):
        def under_way(self, wait_s: float = 0.0) -> list[Canary]:
            waited.append(wait_s)
            return []

    server = Server(Time())
    flight = Idle(metrics(), server.time.clock())
    Lookout(server.open, flight, lambda: len(waited) > 2, server.time.clock()).run()
    assert server.asked == []
    assert all(wait_s > 0 for wait_s in waited)


class Future:
    """What kafka-python's producer gives for a message."""

    def __init__(self) -> None:
        self.works: list[Callable[[object], None]] = []
        self.fails: list[Callable[[Exception], None]] = []

    def add_callback(self, then: Callable[[object], None]) -> None:
        self.works.append(then)

    def add_errback(self, then: Callable[[Exception], None]) -> None:
        self.fails.append(then)


@dataclass
class Producer:
    """kafka-python's producer, as far as it is used, of a topic with some partitions."""

    partitions: int = 12
    problem: Exception | None = None
    sent: list[dict[str, Any]] = field(default_factory=list)
    futures: list[Future] = field(default_factory=list)
    closed: bool = False

    def partitions_for(self, topic: str) -> set[int]:
        assert topic == CANARY
        if self.problem is not None:
            raise self.problem
        return set(range(self.partitions))

    def send(self, topic: str, **message: object) -> Future:
        self.sent.append({"topic": topic, **message})
        self.futures.append(Future())
        return self.futures[-1]

    def close(self, timeout: float) -> None:
        assert timeout < 10
        self.closed = True


def connected(producer: Producer, *refusals: Exception) -> tuple[Outlet, dict[str, Any]]:
    """An outlet that has reached Kafka, after it was refused so often, and what it asked for."""
    said: dict[str, Any] = {}
    left, made = list(refusals), list[Producer]()

    def make(**settings: object) -> Producer:
        said.update(settings)
        if left:
            raise left.pop(0)
        made.append(producer)
        return producer

    outlet = Outlet(Kafka(("kafka1:9092",)), kafka=make)
    outlet.keep_connected(lambda: bool(made), Time().clock())
    return outlet, said


@pytest.mark.parametrize("partitions", [1, 5, 12, 24])
def test_partitions_take_turns_however_many_there_are(partitions: int) -> None:
    producer = Producer(partitions)
    outlet, _ = connected(producer)
    for slot in range(100, 148):
        outlet.send(slot, product_of(slot), b"{}", lambda: None)
    assert {message["partition"] for message in producer.sent} == set(range(partitions))
    assert [message["key"] for message in producer.sent[:2]] == [b"ctr-canary-04", b"ctr-canary-05"]
    if partitions == 12:
        places = {(message["key"], message["partition"]) for message in producer.sent}
        assert len(places) == 12, "each product has a partition of its own"


def test_a_message_that_kafka_refuses_or_does_not_acknowledge_has_failed_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    producer, failed = Producer(), list[int]()
    outlet, _ = connected(producer)
    outlet.send(1, "p", b"{}", lambda: failed.append(1))
    (then,) = producer.futures[0].fails
    then(KafkaTimeoutError("10001 ms"))
    producer.problem = KafkaTimeoutError("no metadata")
    outlet.send(2, "p", b"{}", lambda: failed.append(2))
    assert failed == [1, 2]
    producer.problem = None
    outlet.send(3, "p", b"{}", lambda: failed.append(3))
    producer.futures[1].works[0](None)
    assert failed == [1, 2]
    assert caplog.messages == [
        "Kafka does not take the canary's events: KafkaTimeoutError: 10001 ms",
        "Kafka takes the canary's events again",
    ]


def test_before_kafka_was_reached_each_event_fails_at_once_and_the_next_attempt_comes() -> None:
    failed: list[int] = []
    outlet = Outlet(Kafka(("kafka1:9092",)), kafka=Producer)
    outlet.send(1, "p", b"{}", lambda: failed.append(1))
    assert failed == [1]
    producer = Producer()
    outlet, said = connected(producer, KafkaConnectionError(), OSError("no CA"))
    outlet.send(2, "p", b"{}", lambda: failed.append(2))
    assert len(producer.sent) == 1
    assert producer.closed
    assert said["acks"] == "all"
    assert said["bootstrap_servers"] == ["kafka1:9092"]


def test_the_producer_knows_its_settings_and_gives_up_before_a_row_is_late() -> None:
    assert SETTINGS.keys() <= KafkaProducer.DEFAULT_CONFIG.keys()
    assert outlet_module.DELIVERY_TIMEOUT_MS < LATE_S * 1_000


def test_the_service_sends_and_sees_until_it_is_asked_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "endpoints.json"
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    content = {"kafka": {"bootstrap.servers": "k:9092"}, "clickhouse": clickhouse}
    file.write_text(json.dumps(content))
    producer = Producer()

    class Found:
        """Rows of all that was sent; having told of the first it asks to stop."""

        def execute(self, _: str) -> list[Canary]:
            signal.raise_signal(signal.SIGTERM)
            fields = [json.loads(message["value"]) for message in producer.sent]
            return [
                Canary(each["productId"], window_start(each["timestamp"]) // 1_000)
                for each in fields
            ]

    @contextmanager
    def open_one(endpoint: ClickHouse, **settings: object) -> Iterator[Found]:
        assert endpoint.host == "c"
        assert settings
        yield Found()

    class Instead(Outlet):
        def __init__(self, endpoint: Kafka) -> None:
            super().__init__(endpoint, kafka=lambda **_: producer)
            self._producer = producer

    monkeypatch.setattr(service, "LOOK_UP_S", 0.01)
    monkeypatch.setattr(program, "connected", open_one)
    monkeypatch.setattr(program, "Outlet", Instead)
    registry = CollectorRegistry()
    assert program.main([f"--endpoints={file}", "--port=0"], registry=registry) == 0
    assert producer.closed
    assert registry.get_sample_value("ctr_canary_seconds_count") == 1
    assert registry.get_sample_value("ctr_canary_sent_total") in (1, 2)
