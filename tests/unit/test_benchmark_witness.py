"""The witness tells what it has seen, and its own events are never two in a window."""

from __future__ import annotations

import io
import json
import runpy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flink_job.audit.reading import TopicsError
from flink_job.audit.tables import TablesError
from flink_job.domain import CANARY_PRODUCT
from flink_job.endpoints import ClickHouse, Endpoints, Kafka
from flink_job.loader.service import Clock
from loadtest.benchmark import witness
from loadtest.benchmark.watch import Seen
from loadtest.benchmark.witness import Flock, Voice, Volleys, Witness, look, main, stand
from monitoring.exporter.canary.flight import Canary
from tests.unit.benched import BEGIN, Time

ENDPOINTS = Endpoints(Kafka(("kafka1:9092",)), ClickHouse("ch", 9000, "reader", "", "ctr"))
STANDS = {("impressions", 0): (5, 100), ("clicks", 0): (0, 40), ("canary", 0): (0, 7)}


class Sent:
    """An outlet that keeps what was sent."""

    def __init__(self) -> None:
        self.events: list[tuple[int, str, int]] = []

    def send(self, slot: int, key: str, value: bytes, failed: Callable[[], None]) -> None:
        fields = json.loads(value)
        self.events.append((slot, key, fields["timestamp"]))
        if slot % 100 == 99:
            failed()


def flown(wall: Time, seconds: float, sent: Sent, told: list[object]) -> None:
    flock = Flock(told.append, wall.clock())
    until = wall.at + seconds
    Volleys(sent, flock, lambda: wall.at >= until, wall.clock(), lambda most: most / 2).run()


def test_a_dozen_is_sent_each_second_and_no_product_twice_in_a_window() -> None:
    wall, sent = Time(), Sent()
    told: list[object] = []
    flown(wall, 30.0, sent, told)
    # Another run goes on where the one before has ended.
    flown(wall, 30.0, sent, told)
    assert len(sent.events) == pytest.approx(60 * 12, abs=48)
    windows = [(key, timestamp // 10_000) for _, key, timestamp in sent.events]
    assert len(set(windows)) == len(windows)
    assert all(key.startswith(CANARY_PRODUCT) for _, key, _ in sent.events)
    # Each dozen goes to partitions of its own.
    dozen = [slot % 12 for slot, _, _ in sent.events[:12]]
    assert sorted(dozen) == list(range(12))
    assert told
    assert all(isinstance(one, dict) and list(one) == ["failed"] for one in told)


def test_a_second_that_was_missed_is_left_out() -> None:
    wall, sent = Time(), Sent()

    def stall() -> None:
        if 5.0 <= wall.at < 5.6:
            wall.at += 3.0

    wall.heard.append(stall)
    flown(wall, 20.0, sent, [])
    seconds = sorted({slot // 12 for slot, _, _ in sent.events})
    assert len(seconds) < seconds[-1] - seconds[0] + 1


def test_what_has_become_a_row_is_told_with_the_time_that_it_took() -> None:
    wall = Time()
    told: list[object] = []
    flock = Flock(told.append, wall.clock())
    one, other = Canary("ctr-canary-b000", 10), Canary("ctr-canary-b001", 10)
    flock.sent(one)
    wall.sleep(0.5)
    flock.sent(other)
    assert flock.away() == [BEGIN, BEGIN + 0.5]
    flock.seen([one, Canary("ctr-canary-b002", 10)])
    flock.seen([one])
    assert told == [{"sent": BEGIN, "took": 0.5}]
    flock.failed(other)
    flock.failed(other)
    assert told[1:] == [{"failed": BEGIN + 0.5}]
    assert flock.under_way() == flock.under_way(0.001) == []


def test_rows_are_looked_for_while_something_is_under_way() -> None:
    wall = Time()
    told: list[object] = []
    clock = wall.clock()
    flock = Flock(told.append, clock)
    flock.sent(Canary("ctr-canary-b000", 10))
    asked: list[str] = []

    class Client:
        def execute(self, sql: str) -> list[tuple[str, int]]:
            asked.append(sql)
            return [("ctr-canary-b000", 10)] if len(asked) > 2 else []

    look(flock, Client(), lambda: not flock.away(), clock)
    assert len(asked) == 3
    assert told == [{"sent": BEGIN, "took": pytest.approx(0.1, abs=0.01)}]


def test_where_the_business_stands_leaves_out_the_canary_and_what_retention_took() -> None:
    assert stand({}, STANDS) == {"ends": 140, "lag": 95 + 40}
    reached = {("impressions", 0): 98, ("clicks", 0): 39, ("canary", 0): 0}
    assert stand(reached, STANDS) == {"ends": 140, "lag": 1}
    # The ledger may be ahead of what was read of Kafka a moment before.
    assert stand({("impressions", 0): 120, ("clicks", 0): 50}, STANDS)["lag"] == 0


class Ending:
    """A client of ClickHouse, and a consumer of Kafka."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        if "version()" in sql:
            return [("18.16.1",)]
        if self.fails:
            raise TablesError("ClickHouse cannot be asked: it is away")
        return [("impressions", 0, 98)] if "ledger" in sql else []


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for what the witness reaches."""
    found: dict[str, Any] = {"client": Ending(), "look": Ending()}
    clients = iter(["client", "look"])

    @contextmanager
    def connected(*_: object, **__: object) -> Iterator[Any]:
        yield found[next(clients)]

    @contextmanager
    def consuming(*_: object, **__: object) -> Iterator[Any]:
        yield object()

    class Outlet(Sent):
        def __init__(self, _: object) -> None:
            super().__init__()

        def keep_connected(self, stopping: Callable[[], bool], clock: Clock) -> None:
            clock.wait(60.0, stopping)

    monkeypatch.setattr(witness, "connected", connected)
    monkeypatch.setattr(witness, "consuming", consuming)
    monkeypatch.setattr(witness, "offsets_of", lambda _: STANDS)
    monkeypatch.setattr(witness, "Outlet", Outlet)
    return found


def heard(text: str) -> Seen:
    seen = Seen()
    for line in text.splitlines():
        seen.hear(line)
    return seen


@pytest.mark.usefixtures("reached")
@pytest.mark.parametrize("sends", [False, True])
def test_what_it_says_is_understood(*, sends: bool) -> None:
    said = io.StringIO()
    voice = Voice(said.write, said.flush)

    def monotonic() -> float:
        """Time that is over once it has stood."""
        return time.monotonic() + (1_000.0 if '"at"' in said.getvalue() else 0.0)

    clock = Clock(monotonic=monotonic)
    Witness(ENDPOINTS, voice.say, 600.0, 0.01, sends, clock).run()
    seen = heard(said.getvalue())
    assert seen.version == "18.16.1"
    assert seen.stands
    assert (seen.stands[0].ends, seen.stands[0].lag) == (140, 41)
    assert seen.stands[-1].worked > 0


@pytest.mark.usefixtures("reached")
def test_a_probe_whose_own_look_ends_does_not_go_on_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Witness, "_look", lambda *_: None)
    with pytest.raises(TablesError, match="the probe's own connection ended"):
        Witness(ENDPOINTS, lambda _: None, 60.0, 0.05, sends=True).run()


def test_what_fails_is_said_in_a_sentence(
    reached: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--endpoints=/no/such", "--seconds=1"]) == 2
    assert "/no/such cannot be read" in capsys.readouterr().err
    monkeypatch.setattr(witness, "read_endpoints", lambda _: ENDPOINTS)
    reached["client"] = Ending(fails=True)
    assert main(["--endpoints=x", "--seconds=1"]) == 1
    assert capsys.readouterr().err == "ClickHouse cannot be asked: it is away\n"

    def away(_: object) -> None:
        raise TopicsError("Kafka cannot be read: away.")

    monkeypatch.setattr(Witness, "run", away)
    assert main(["--endpoints=x", "--seconds=1"]) == 1

    def deaf(_: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(Witness, "run", deaf)
    assert main(["--endpoints=x", "--seconds=1"]) == 0


def test_it_runs_as_a_program_that_is_given_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["-", "--endpoints=/no/such", "--seconds=1"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(Path(witness.__file__)), run_name="__main__")
    assert ended.value.code == 2


def test_it_needs_no_package_that_the_monitoring_host_has_not() -> None:
    imports = [
        line.split()[1].split(".")[0]
        for line in Path(witness.__file__).read_text().splitlines()
        if line.startswith(("import ", "from "))
    ]
    assert "loadtest" not in imports
