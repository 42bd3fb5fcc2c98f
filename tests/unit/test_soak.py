"""What a soak says of a fault is what was watched, and a seed gives the same faults again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from http.client import IncompleteRead
from itertools import count, islice
from typing import Any
from unittest.mock import Mock

import pytest

from tests.lab import fleet, soak, watch
from tests.lab.faults import (
    FAULTS,
    Fault,
    clickhouse_away,
    frozen_taskmanager,
    sequence,
    taskmanager_without_kafka,
)
from tests.lab.fleet import Lab
from tests.lab.soak import Told, injected, soaked, table
from tests.lab.watch import Watch, silence
from tests.unit.played import PlayedTime


def test_the_longest_silence_is_told_that_ended_after_the_fault_began() -> None:
    rises = [0.0, 9.0, 10.0, 10.5, 17.0, 17.5, 20.0]
    assert silence(rises, begin=10.2) == (10.5, 17.0)


def test_a_silence_that_began_before_the_fault_counts_whole() -> None:
    assert silence([1.0, 8.0, 8.5], begin=2.0) == (1.0, 8.0)


def test_without_a_rise_since_the_fault_nothing_is_told() -> None:
    assert silence([1.0, 2.0], begin=2.5) is None


def test_rows_that_were_on_their_way_do_not_end_the_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched, clock = Watch(lambda: None), PlayedTime()

    def waits(seconds: float) -> None:
        """The next row comes when somebody waits for it."""
        clock.sleep(seconds)
        watched.rises.append(clock.monotonic())

    played = Mock(monotonic=clock.monotonic, time=clock.monotonic, sleep=waits)
    monkeypatch.setattr(soak, "time", played)
    monkeypatch.setattr(fleet, "time", played)

    class Whole(Lab):
        def __init__(self) -> None:
            """Need no inventory."""

        def whole(self, since_ms: int) -> bool:
            watched.rises.append(clock.monotonic())
            return since_ms > 0

    def inject(_: Lab, __: random.Random) -> str:
        waits(3)
        return "host"

    told = injected(Whole(), watched, Fault("killed", inject), random.Random(1))  # noqa: S311
    assert (told.lasted_s, told.silent_s, told.back_s) == (3, 1, 1)


@pytest.mark.parametrize("fails", range(3))
@pytest.mark.parametrize("fault", [clickhouse_away, taskmanager_without_kafka, frozen_taskmanager])
def test_a_fault_that_is_cut_off_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, fault: Callable[[Lab, random.Random], str], fails: int
) -> None:
    done: list[str] = []

    def step(*told: str) -> str:
        done.append(" ".join(told))
        if len(done) == fails + 1:
            raise KeyboardInterrupt
        return ""

    lab = Mock(on=step, members=lambda _: ["kafka1"], address=lambda host: host)
    lab.busy_taskmanager.return_value = "tm"
    lab.freeze = lambda host: step("freeze", host)
    lab.thaw = lambda host: step("thaw", host)
    monkeypatch.setattr(time, "sleep", lambda _: step("wait"))
    with pytest.raises(KeyboardInterrupt):
        fault(lab, random.Random(1))  # noqa: S311
    assert done[-1] in {
        "clickhouse1 systemctl start clickhouse-server",
        "tm ip route del blackhole kafka1",
        "thaw tm",
    }


def test_an_answer_that_was_cut_off_does_not_end_the_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "ASKED_EVERY_S", 0.01)
    counts = count()

    def query(_: Lab, __: str) -> list[dict[str, Any]]:
        number = next(counts)
        if number % 2:
            raise (IncompleteRead(b"{"), ValueError("{"), ConnectionResetError())[number // 2 % 3]
        return [{"events": str(number)}]

    monkeypatch.setattr(Lab, "query", query)
    with Watch(Lab.__new__(Lab).counted_since(0)) as watched:
        deadline = time.monotonic() + 10
        while len(watched.rises) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert len(watched.rises) >= 5


def test_a_seed_gives_the_same_faults_and_each_round_has_all() -> None:
    one, again = (list(islice(sequence(7), 2 * len(FAULTS))) for _ in range(2))
    assert one == again
    names = sorted(fault.name for fault in FAULTS)
    assert sorted(fault.name for fault in one[: len(FAULTS)]) == names
    assert sorted(fault.name for fault in one[len(FAULTS) :]) == names


def test_no_fault_begins_that_would_outlast_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = PlayedTime()
    begun: list[str] = []

    def injected(_: Lab, __: Watch, fault: Fault, ___: random.Random) -> Told:
        begun.append(fault.name)
        clock.sleep(40)
        return Told(fault.name, "host", 0, 0, 0)

    faults = [Fault(name, Mock(), lasts_s) for name, lasts_s in (("a", 90), ("b", 150), ("c", 121))]
    monkeypatch.setattr(soak, "time", Mock(monotonic=clock.monotonic, time=clock.monotonic))
    monkeypatch.setattr(soak, "eventually", Mock())
    monkeypatch.setattr(soak, "sequence", lambda _: faults)
    monkeypatch.setattr(soak, "injected", injected)
    lab = Mock(acknowledged=lambda: 2_000, counted_since=lambda _: lambda: None)
    lab.offsets.side_effect = [0, 2_000]
    soaked(lab, 200, 10, 1)
    assert begun == ["a", "b"]


@pytest.mark.parametrize(
    "problem", [AssertionError("lost"), IncompleteRead(b""), ConnectionError("away"), ValueError()]
)
def test_a_part_that_does_not_answer_ends_a_soak_in_a_sentence_with_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], problem: Exception
) -> None:
    monkeypatch.setattr(soak, "Lab", Mock())
    monkeypatch.setattr(soak, "soaked", Mock(side_effect=problem))
    assert soak.main(["--seed=7"]) == 1
    assert capsys.readouterr().err == f"seed 7: {problem}\n"


def test_the_table_has_median_and_worst_of_each_fault() -> None:
    told = [Told("killed", "a", 0.1, silent, silent - 1) for silent in (2.0, 3.0, 7.0)]
    assert table(told).splitlines()[-1] == "| killed | 3 | 3.0, 7.0 | 2.0, 6.0 |"
