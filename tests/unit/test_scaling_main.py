"""The lab is measured as it is asked for, and is as before, whatever happens."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flink_job.embedded import JobFailedError
from loadtest.benchmark import command
from loadtest.benchmark.hosts import Hosts
from loadtest.benchmark.lab import Lab
from loadtest.scaling import __main__ as program
from loadtest.scaling import charts
from loadtest.scaling.__main__ import Edges, main
from loadtest.scaling.fleet import THIRD
from loadtest.scaling.found import Found, Simulated
from monitoring.pages import InventoryError
from tests.unit.benched import BROKEN
from tests.unit.scaled import LISTED, Scaled
from tests.unit.test_scaling_page import simulated


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> dict[int, object]:
    """Those that the program takes."""
    taken: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    # Whoever runs the tests by nohup has them run all the same.
    monkeypatch.setattr(signal, "getsignal", lambda _: signal.SIG_DFL)
    return taken


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scaled:
    found = Scaled(root=tmp_path / "cgroup")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(program, "listed", lambda _: LISTED)
    monkeypatch.setattr(Lab, "of", lambda *_: found)
    monkeypatch.setattr(program, "Fleet", lambda *_: found.fleet())
    monkeypatch.setattr(program, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(program, "checked_out", lambda _: "abc1234")
    # Drawing takes its time, and is not what is tried here.
    monkeypatch.setattr(charts, "draw", lambda _, folder: folder / "scaling.svg")
    made = program.Scaling

    def timed(*given: Any) -> program.Scaling:  # noqa: ANN401
        scaling = made(*given)
        scaling.clock = found.time.clock()
        return scaling

    monkeypatch.setattr(program, "Scaling", timed)
    return found


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "into"


def run(into: Path, *arguments: str) -> int:
    return main(["--into", str(into), *arguments])


def test_all_usual_ones_are_measured_and_everything_is_put_back(
    lab: Scaled, into: Path, signals: dict[int, object], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(into, "--events", "1500000") == 0
    assert set(signals) == {signal.SIGTERM, signal.SIGHUP}
    found = Found.read(into / "scaling.json")
    assert sorted(found.measured) == ["1x1", "1x2", "2x4", "3x6"]
    assert found.failures == {}
    last = found.measured["3x6"]
    assert last.ran_on == ["flink-tm1", "flink-tm2", THIRD]
    assert last.drain.events == pytest.approx(4_500_000, rel=0.06)
    assert (last.cores, last.commit) == (0.4, "abc1234")
    # One more host is made only when it is needed, and once.
    assert lab.done.count("third present") == 1
    assert lab.done.index("third present") > lab.done.index("parallelism 4")
    assert lab.as_before
    said = capsys.readouterr().out
    assert "unexplained 0" in said
    assert "putting back" in said
    assert "flink-tm3 is removed" in said
    text = (into / "scaling.md").read_text()
    assert "![Events a second and CPU an event" in text
    assert "(images/scaling.svg)" in text


def test_what_was_measured_before_stays_beside_what_is_measured_now(
    lab: Scaled, into: Path
) -> None:
    assert run(into, "--only", "1x1", "--cores", "0.5") == 0
    assert run(into, "--only", "2x4", "2x4", "--events", "300000") == 0
    found = Found.read(into / "scaling.json")
    assert {name: one.cores for name, one in found.measured.items()} == {"1x1": 0.5, "2x4": 0.4}
    assert lab.as_before
    assert "third present" not in lab.done


def test_one_that_fails_is_told_and_the_next_one_begins(
    lab: Scaled, into: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.broken = True
    assert run(into, "--only", "3x6", "1x2", "--events", "300000") == 1
    found = Found.read(into / "scaling.json")
    assert list(found.measured) == ["1x2"]
    assert found.failures == {"3 TaskManagers, parallelism 6": "third.yml: there is no room."}
    assert "failed: third.yml" in capsys.readouterr().out
    assert lab.as_before
    lab.broken = False
    assert run(into, "--only", "3x6", "--events", "300000") == 0
    assert Found.read(into / "scaling.json").failures == {}


def test_an_interrupted_run_puts_everything_back(
    lab: Scaled,
    into: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(_: Scaled, __: int) -> int:
        assert lab.held()["flink-tm1"] == 0.4
        command.interrupted(signal.SIGTERM, None)
        return 0

    monkeypatch.setattr(Scaled, "load_ended", interrupted)
    assert run(into, "--only", "1x1") == 130
    assert lab.as_before
    assert "Ended before its time" in capsys.readouterr().out


def test_who_interrupts_that_too_is_told_what_to_do(
    lab: Scaled,
    into: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "drained", interrupted)
    monkeypatch.setattr(Scaled, "stop_load", interrupted)
    assert run(into, "--only", "1x1") == 130
    assert "Not all was put back: run python -m loadtest.scaling --put-back" in (
        capsys.readouterr().out
    )
    assert lab.known == {"flink-tm1", "flink-tm2"}


def test_what_is_not_put_back_fails_and_is_told(
    lab: Scaled, into: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Scaled) -> None:
        lab.broken_job = True

    monkeypatch.setattr(Scaled, "stop_load", refuse)
    assert run(into, "--only", "1x1", "--events", "300000") == 1
    said = capsys.readouterr().out
    assert "not put back: the job runs as the inventory says: job.yml: it does not serve." in said
    assert "Mend what is said above, then run python" in said


def test_an_event_that_is_not_explained_fails(
    lab: Scaled, into: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.said = BROKEN
    assert run(into, "--only", "1x1", "--events", "300000") == 1
    assert "not all events are explained after 1 TaskManager" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], into: Path, *arguments: str) -> str:
    assert run(into, *arguments) == 2
    return capsys.readouterr().err


def test_what_a_killed_run_has_left_is_refused_and_put_back(
    lab: Scaled, into: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.run("third", 100.0, third_name=THIRD)
    lab.pins.hold("flink-tm1", 0.4)
    said = refused(capsys, into)
    assert "(flink-tm3 is there, flink-tm1 may have 0.4 cores only): run python -m" in said
    assert run(into, "--put-back") == 0
    assert lab.as_before
    assert not into.exists()


def test_what_cannot_be_measured_is_refused_in_a_sentence(
    lab: Scaled, into: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "at most 3 TaskManagers" in refused(capsys, into, "--only", "4x4")
    assert "parallelism is at most 2" in refused(capsys, into, "--only", "1x3")
    lab.why = "A load is going on."
    assert refused(capsys, into) == "A load is going on.\n"
    assert lab.done == []

    def unreadable(_: Path) -> None:
        raise InventoryError("inventories/lab cannot be read.")

    monkeypatch.setattr(program, "listed", unreadable)
    assert refused(capsys, into) == "inventories/lab cannot be read.\n"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "run this as root" in refused(capsys, into)
    into.mkdir()
    (into / "scaling.json").write_text("{")
    assert "put it away" in refused(capsys, into, "--again")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--only", "three"],
        ["--events", "0"],
        ["--cores", "0.01"],
        ["--cores", "nan"],
        ["--cores", "many"],
        ["--again", "--simulate"],
    ],
)
def test_what_is_no_plan_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_simulation_needs_no_lab_and_stays_beside_what_was_measured(
    into: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exact = simulated("many products", 20.0)

    def once(*_: object) -> Iterator[Simulated]:
        yield exact

    monkeypatch.setattr(program, "simulated", once)
    assert run(into, "--simulate") == 0
    assert Found.read(into / "scaling.json").simulated == {"many products": exact}
    assert "many products" in (into / "scaling.md").read_text()
    before = (into / "scaling.md").read_text()
    assert run(into, "--again") == 0
    assert (into / "scaling.md").read_text() == before
    exact = replace(exact, unexplained=3)
    assert run(into, "--simulate") == 1

    def fails(*_: object) -> Iterator[Simulated]:
        raise JobFailedError("The job failed: no memory.")
        yield exact

    monkeypatch.setattr(program, "simulated", fails)
    capsys.readouterr()
    assert run(into, "--simulate") == 1
    assert capsys.readouterr().err == "The job failed: no memory.\n"


@pytest.mark.usefixtures("lab")
def test_the_lab_is_reached_by_its_inventory() -> None:
    edges = Edges.of(Hosts(LISTED))
    assert edges.joined() is edges.lab
    assert not edges.is_there(THIRD)
