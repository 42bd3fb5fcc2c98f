"""The looks at Kafka and ClickHouse, both played, and the loop that takes them."""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn
from urllib.request import urlopen

import pytest
from clickhouse_driver.errors import NetworkError, ServerException
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from prometheus_client import CollectorRegistry, start_http_server

from flink_job.audit import tables as audit_tables
from flink_job.audit.law import Ledger
from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import TablesError
from flink_job.domain import INPUT, Entry, LedgerKey, Outcome
from flink_job.endpoints import ClickHouse, Kafka
from flink_job.loader.service import Clock
from monitoring.exporter import __main__ as exporter
from monitoring.exporter import service, tables, topics
from monitoring.exporter.board import Board
from monitoring.exporter.refresher import BEAT_S, Refresher
from monitoring.exporter.state import State, Tables, Topics
from tests.nasty import T, event

KAFKA = Kafka(("kafka1:9092",))
CLICKHOUSE = ClickHouse("c", 9000, "reader", "", "ctr")
NOTHING = Tables({}, None, 0, 0, 0)


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
    """A clock that goes on only when somebody waits."""

    at: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.at, now=lambda: T / 1_000 + self.at, sleep=self.sleep)


@dataclass
class Brokers:
    """A Kafka of one partition a topic, as kafka-python's consumer shows it.

    Attributes:
        held: Event times of each topic's records, in ms after T; None is a record without an event.
        hollow: Topics that end in ten markers of transactions.
        silent: Whether no record is sent.
    """

    held: dict[str, list[int | None]] = field(default_factory=dict)
    hollow: set[str] = field(default_factory=set)
    silent: bool = False
    problems: list[Exception] = field(default_factory=list)
    settings: dict[str, object] = field(default_factory=dict)
    positions: dict[TopicPartition, int] = field(default_factory=dict)
    paused: set[TopicPartition] = field(default_factory=set)
    closed: int = 0
    read: int = 0

    def __call__(self, **settings: object) -> Brokers:
        self.settings = settings
        return self

    def close(self) -> None:
        self.closed += 1

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if self.problems:
            raise self.problems.pop(0)
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {one: self._end(one) for one in partitions}

    def committed(self, _: TopicPartition, timeout_ms: int) -> int | None:
        assert timeout_ms > 0
        return None

    def assign(self, partitions: list[TopicPartition]) -> None:
        # As kafka-python has it: what was paused stays so.
        self.positions = dict.fromkeys(partitions, 0)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        return self.positions[partition]

    def pause(self, partition: TopicPartition) -> None:
        self.paused.add(partition)

    def resume(self, *partitions: TopicPartition) -> None:
        self.paused -= set(partitions)

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        assert timeout_ms > 0
        if self.silent:
            return {}
        found = {}
        for one in self.positions.keys() - self.paused:
            records = self.held.get(one.topic, [])
            found[one] = [
                SimpleNamespace(
                    topic=one.topic,
                    partition=one.partition,
                    offset=offset,
                    timestamp=T + offset,
                    value=b"{" if moved is None else event(time=str(T + moved)),
                )
                for offset, moved in enumerate(records)
                if offset >= self.positions[one]
            ]
            self.read += len(found[one])
            self.positions[one] = self._end(one)
        return found

    def _end(self, one: TopicPartition) -> int:
        return len(self.held.get(one.topic, ())) + 10 * (one.topic in self.hollow)


def watch(brokers: Brokers, time: Time, cost: float = 0.0) -> topics.Watch:
    """Looks at these brokers, each of which takes so many seconds of processor."""
    worked = iter(range(1_000))
    return topics.Watch(brokers, lambda: time.at, lambda: next(worked) * cost)


def test_the_clock_of_a_partition_is_what_the_specification_makes_of_its_newest_records() -> None:
    ahead, behind = 30_000, -5_000
    brokers = Brokers({"clicks": [-9_000, behind, -7_000, None], "impressions": [ahead, None]})
    found = watch(brokers, Time()).look()
    # No message moves a clock beyond its own append time, which is T and its offset here.
    assert found.clocks == {("clicks", 0): T + behind, ("impressions", 0): T}
    assert found.newest == {"clicks": T + 3, "impressions": T + 1}
    assert found.offsets == {
        ("impressions", 0): (0, 2),
        ("clicks", 0): (0, 4),
        ("canary", 0): (0, 0),
    }
    assert found.results == {("ctr-windows", 0): (0, 0), ("ctr-ledger", 0): (0, 0)}


def test_no_more_than_the_newest_records_are_read() -> None:
    brokers = Brokers({"clicks": [0] * 1_000})
    watch(brokers, Time()).look()
    assert brokers.read == topics.NEWEST


def test_a_partition_that_ends_in_markers_has_no_clock_and_holds_up_nobody() -> None:
    found = watch(Brokers({"clicks": [0], "canary": [0]}, hollow={"clicks"}), Time()).look()
    assert found.clocks == {("canary", 0): T}


def test_the_newest_records_are_read_again_after_a_while_though_partitions_were_paused() -> None:
    brokers, time = Brokers({"clicks": [0]}), Time()
    look = watch(brokers, time).look
    assert look().newest == {"clicks": T}
    brokers.held["clicks"].append(0)
    assert look().newest == {}
    time.at += topics.NEWEST_EVERY_S
    assert look().newest == {"clicks": T + 1}


def test_records_that_cost_much_are_read_less_often() -> None:
    brokers, time = Brokers({"clicks": [0]}), Time()
    look = watch(brokers, time, cost=1.0).look
    look()
    time.at += 1 / topics.NEWEST_SHARE - 1
    assert look().newest == {}
    time.at += 1
    assert look().newest == {"clicks": T}


def test_offsets_are_known_where_the_newest_records_are_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(topics, "NEWEST_SILENCE_S", 0.0)
    found = watch(Brokers({"clicks": [0]}, silent=True), Time()).look()
    assert found.offsets["clicks", 0] == (0, 1)
    assert found.clocks == {}
    assert "the newest records are not known: Kafka sent nothing" in caplog.text


def test_the_consumer_reads_the_offsets_of_the_loader_and_is_no_member() -> None:
    brokers = Brokers()
    with topics.watching(KAFKA, "ctr-loader", kafka=brokers) as look:
        look()
    assert brokers.settings["group_id"] == "ctr-loader"
    assert brokers.settings["enable_auto_commit"] is False
    assert brokers.closed == 1
    assert brokers.settings.keys() <= KafkaConsumer.DEFAULT_CONFIG.keys()


def test_a_kafka_that_does_not_answer_ends_the_connection_with_a_sentence() -> None:
    brokers = Brokers(problems=[KafkaTimeoutError("4000 ms")])
    with (
        pytest.raises(TopicsError, match="Kafka cannot be read: KafkaTimeoutError: 4000 ms"),
        topics.watching(KAFKA, "ctr-loader", kafka=brokers) as look,
    ):
        look()
    assert brokers.closed == 1


@dataclass
class Server:
    """A ClickHouse with rows of the ledger by hour, and of windows by their age in seconds."""

    ledger: dict[int, list[tuple[str, int, str, int, int, int]]] = field(default_factory=dict)
    ages: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refusal: ServerException | None = None

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        self.asked.append(sql)
        if "ctr.ledger" in sql:
            since, before = (int(part.split(")")[0]) for part in sql.split("toDateTime(")[1:])
            rows: dict[tuple[str, int, str], list[tuple[int, int, int]]] = {}
            for hour, some in self.ledger.items():
                for *key, events, first, last in some:
                    if since <= hour < before:
                        rows.setdefault(tuple(key), []).append((events, first, last))  # type: ignore[arg-type]
            return [
                (*key, sum(e for e, _, _ in r), min(f for _, f, _ in r), max(x for _, _, x in r))
                for key, r in rows.items()
            ]
        if "inserted_at" in sql:
            within = int(sql.rsplit("-", 1)[1])
            found = [age for age in self.ages if age <= within]
            return [(len(found), T // 1_000 - min(found) if found else 0)]
        if "system.parts" in sql:
            if self.refusal is not None:
                raise self.refusal
            return [("ctr_windows", 7), ("ledger", 2)]
        return [(1, 2, 3)]

    def asked_for(self, what: str) -> int:
        return sum(what in sql for sql in self.asked)


def looking(server: Server, time: Time) -> tables.Watch:
    return tables.Watch(server, lambda: time.at, lambda: T / 1_000 + time.at)


NOW_S = T // 1_000
OLD_S = NOW_S - tables.OLD_AFTER_S
HOURS = st.sampled_from([OLD_S - 7_200, OLD_S - 1, OLD_S, OLD_S + 1, NOW_S - 3_600, NOW_S])
ROWS = st.dictionaries(
    HOURS,
    st.lists(
        st.tuples(
            st.sampled_from(INPUT),
            st.integers(0, 1),
            st.sampled_from([outcome.value for outcome in Outcome]),
            st.integers(1, 9),
            st.integers(0, 9),
            st.integers(9, 99),
        ),
        max_size=4,
    ),
)


def whole(rows: dict[int, list[tuple[str, int, str, int, int, int]]]) -> Ledger:
    found: dict[LedgerKey, Entry] = {}
    for some in rows.values():
        for topic, partition, outcome, *entry in some:
            key = LedgerKey(topic, partition, Outcome(outcome), 0)
            found = tables.added(found, {key: Entry(*entry)})
    return found


@given(ROWS)
def test_old_hours_and_new_ones_are_the_whole_ledger(
    rows: dict[int, list[tuple[str, int, str, int, int, int]]],
) -> None:
    assert looking(Server(rows), Time()).look().ledger == whole(rows)


def test_old_hours_are_read_once_an_hour_as_long_as_all_adds_up() -> None:
    server, time = Server({0: [("clicks", 0, "late", 10, 0, 9)]}), Time()
    look = looking(server, time).look
    for _ in range(10):
        time.at += 60
        assert look().ledger == {LedgerKey("clicks", 0, Outcome.LATE, 0): Entry(10, 0, 9)}
    assert server.asked_for("ctr.ledger") == 11
    time.at += tables.OLD_EVERY_S + 1
    look()
    assert server.asked_for("ctr.ledger") == 13


def test_where_offsets_lack_an_outcome_old_hours_are_read_again_before_it_is_told() -> None:
    server, time = Server({0: [("clicks", 0, "late", 10, 0, 9)]}), Time()
    look = looking(server, time).look
    look()
    # A recount has moved an event from an old hour to a new one.
    server.ledger = {
        0: [("clicks", 0, "late", 9, 0, 8)],
        NOW_S: [("clicks", 0, "counted", 1, 9, 9)],
    }
    time.at += tables.OLD_AGAIN_AFTER_S + 1
    assert look().ledger == whole(server.ledger)


def test_the_newest_row_is_looked_for_among_near_windows_and_now_and_then_among_all() -> None:
    server, time = Server(ages=[5]), Time()
    look = looking(server, time).look
    assert look().newest_row == NOW_S - 5
    assert server.asked_for("inserted_at") == 1
    server.ages = [5_000]
    assert look().newest_row == NOW_S - 5_000
    # A column of days is not read every five seconds.
    assert look().newest_row is None
    time.at += tables.FAR_EVERY_S
    assert look().newest_row == NOW_S - 5_000
    server.ages = []
    time.at += tables.FAR_EVERY_S
    assert look().newest_row is None


def test_parts_are_told_by_table_and_of_our_database_alone() -> None:
    server = Server()
    assert looking(server, Time()).look().parts == {"ctr_windows": 7, "ledger": 2}
    assert server.asked_for("database = 'ctr'") == 1


@pytest.mark.parametrize("code", tables.FORBIDDEN)
def test_a_server_that_hides_its_parts_tells_the_rest_and_is_asked_again_later(
    code: int, caplog: pytest.LogCaptureFixture
) -> None:
    server, time = Server(refusal=ServerException("no", code)), Time()
    look = looking(server, time).look
    assert look().parts == look().parts == {}
    assert look().products == 1
    assert server.asked_for("system.parts") == 1
    assert "grant SELECT ON system.parts" in caplog.text
    server.refusal = None
    time.at += tables.FORBIDDEN_AGAIN_AFTER_S
    assert look().parts["ledger"] == 2


def test_any_other_refusal_is_a_failure_of_the_look() -> None:
    with pytest.raises(ServerException):
        looking(Server(refusal=ServerException("memory", 241)), Time()).look()


def test_an_outcome_that_is_none_is_a_sentence() -> None:
    server = Server({0: [("clicks", 0, "lost", 1, 0, 0)]})
    with pytest.raises(TablesError, match="rows of an outcome 'lost', which is none"):
        looking(server, Time()).look()


@pytest.mark.parametrize("problem", [NetworkError("refused"), OSError("timed out"), EOFError()])
def test_a_clickhouse_that_does_not_answer_is_a_sentence_within_seconds(
    problem: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: dict[str, Any] = {}

    class Away:
        def execute(self, _: str) -> NoReturn:
            raise problem

        def disconnect(self) -> None:
            said["disconnected"] = True

    def client(**settings: object) -> Away:
        said.update(settings)
        return Away()

    monkeypatch.setattr(audit_tables, "Client", client)
    with (
        pytest.raises(TablesError, match="ClickHouse cannot be asked"),
        tables.watching(CLICKHOUSE) as look,
    ):
        look()
    assert said["disconnected"]
    assert said["send_receive_timeout"] <= 15
    assert said["host"] == "c"


@dataclass
class Script:
    """What a source does, look by look: something found, or a failure at the look or before it."""

    time: Time
    looks: list[Tables | TablesError | None]
    opened: int = 0
    at: list[float] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator[Callable[[], Tables]]:
        self.opened += 1
        if self.looks and self.looks[0] is None:
            self.looks.pop(0)
            raise TablesError("refused")
        yield self.look

    def look(self) -> Tables:
        self.at.append(self.time.at)
        self.time.at += 0.25
        found = self.looks.pop(0)
        if isinstance(found, TablesError):
            raise found
        assert found is not None
        return found


def refreshed(time: Time, *looks: Tables | TablesError | None) -> tuple[Board, Script]:
    board, script = Board(), Script(time, list(looks))
    Refresher(
        "ClickHouse",
        script.open,
        board,
        State.with_tables,
        State.without_clickhouse,
        lambda: not script.looks,
        time.clock(),
    ).run()
    return board, script


def test_a_source_is_looked_at_on_the_beat_that_all_sources_share() -> None:
    board, script = refreshed(Time(at=3.0), NOTHING, NOTHING, NOTHING)
    assert script.at == pytest.approx([3.0, BEAT_S, 2 * BEAT_S])
    assert script.opened == 1
    assert board.state.clickhouse.answers
    assert board.state.clickhouse.seconds == pytest.approx(0.25)


def test_after_a_failure_a_source_is_connected_anew_and_what_it_has_told_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    known = Tables({}, 9, 1, 2, 3)
    board, script = refreshed(Time(), known, TablesError("timed out"))
    assert board.state.clickhouse.found == known
    assert not board.state.clickhouse.answers
    board, script = refreshed(Time(), known, TablesError("timed out"), None, None, NOTHING)
    assert script.opened == 4
    assert board.state.clickhouse.answers
    assert caplog.messages[-2:] == ["ClickHouse is away: timed out", "ClickHouse is back"]


@pytest.fixture
def endpoints(tmp_path: Path) -> Path:
    file = tmp_path / "endpoints.json"
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    content = {"kafka": {"bootstrap.servers": "k:9092"}, "clickhouse": clickhouse}
    file.write_text(json.dumps(content))
    return file


def test_one_source_that_is_away_keeps_nothing_from_being_told_of_the_other(
    endpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []
    addresses: list[int] = []

    def started(port: int, registry: CollectorRegistry) -> Any:  # noqa: ANN401 - as it is
        server, thread = start_http_server(port, registry=registry)
        addresses.append(server.server_port)
        return server, thread

    @contextmanager
    def away(_: ClickHouse) -> Iterator[NoReturn]:
        raise TablesError("refused")
        yield

    def look() -> Topics:
        if not pages:
            pages.append("")
            return Topics({("clicks", 0): (0, 9)}, {}, {}, {})
        with urlopen(f"http://localhost:{addresses[0]}/metrics", timeout=30) as answer:
            pages.append(answer.read().decode())
        signal.raise_signal(signal.SIGTERM)
        return Topics({}, {}, {}, {})

    @contextmanager
    def watching(_: Kafka, loader: str) -> Iterator[Callable[[], Topics]]:
        assert loader == "ctr-loader"
        yield look

    monkeypatch.setattr(service, "start_http_server", started)
    monkeypatch.setattr(service, "LOOK_UP_S", 0.01)
    monkeypatch.setattr("monitoring.exporter.refresher.BEAT_S", 0.01)
    monkeypatch.setattr(tables, "watching", away)
    monkeypatch.setattr(topics, "watching", watching)
    arguments = [f"--endpoints={endpoints}", "--port=0"]
    assert exporter.main(arguments, registry=CollectorRegistry()) == service.STOPPED
    assert 'ctr_source_up{address="k:9092",source="kafka"} 1.0' in pages[1]
    assert 'ctr_source_up{address="c:9000",source="clickhouse"} 0.0' in pages[1]


def test_a_source_whose_thread_dies_ends_the_service_which_systemd_starts_again(
    endpoints: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(service, "LOOK_UP_S", 0.01)
    status = service.serve(endpoints, 0, CollectorRegistry(), lambda *_: {"kafka": lambda: None})
    assert status == service.DIED
    assert "kafka has ended by itself" in capsys.readouterr().err


def test_mistakes_are_sentences_with_status_2(
    endpoints: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "none.json"
    arguments = [f"--endpoints={missing}"]
    assert exporter.main(arguments, registry=CollectorRegistry()) == service.MISTAKE
    assert "none.json cannot be read" in capsys.readouterr().err
    with start_http_server(0, registry=CollectorRegistry())[0] as server:
        arguments = [f"--endpoints={endpoints}", f"--port={server.server_port}"]
        assert exporter.main(arguments, registry=CollectorRegistry()) == service.MISTAKE
        server.shutdown()
    assert "for the metrics: Address already in use." in capsys.readouterr().err
    for url in ("store1:7070", "ftp://store1", "http://", "http://store1:x"):
        with pytest.raises(SystemExit):
            exporter.main([f"--endpoints={endpoints}", f"--store={url}"])
    assert "must be a URL such as http://store1:7070, not http://store1:x" in (
        capsys.readouterr().err
    )
    for port in ("-1", "65536", "x"):
        with pytest.raises(SystemExit):
            exporter.main([f"--endpoints={endpoints}", f"--port={port}"])
    assert "must be a number below 65536" in capsys.readouterr().err


def test_a_kafka_that_is_away_is_a_sentence_before_the_first_look() -> None:
    def nobody(**_: object) -> NoReturn:
        raise KafkaConnectionError

    with (
        pytest.raises(TopicsError, match="KafkaConnectionError"),
        topics.watching(KAFKA, "ctr-loader", kafka=nobody),
    ):
        pass
