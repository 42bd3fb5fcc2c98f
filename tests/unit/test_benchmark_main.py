"""What is there is kept after each part, and what fails does not take the rest with it."""

from __future__ import annotations

import argparse
import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from loadtest.benchmark import __main__ as program
from loadtest.benchmark import charts, command
from loadtest.benchmark.__main__ import BUILD, DOCS, Bench, Plan, begun, command_of, main, plan_of
from loadtest.benchmark.drain import Backlog
from loadtest.benchmark.history import read, write
from loadtest.benchmark.lab import Lab
from loadtest.benchmark.result import Run
from loadtest.benchmark.step import Wanted
from monitoring.pages import InventoryError
from tests.unit.benched import BROKEN, FakeLab
from tests.unit.test_benchmark_page import ABOUT

PLAN = Plan(
    (Wanted(1_000, 10, 5), Wanted(2_000, 10, 5)), Backlog(150_000, 150_000), 1_500.0, usual=False
)


class Asked(FakeLab):
    """A lab that can also say what it is."""

    why: str | None = None

    def refusal(self) -> str | None:
        return self.why

    def versions(self) -> dict[str, str | None]:
        return {"Flink": "2.3.0"}


def new() -> Run:
    return Run("2026-11-27 18:00:00", "make benchmark", "abc", ABOUT, {}, "1,000 products")


def bench(lab: FakeLab) -> tuple[Bench, Run, list[str], list[int]]:
    run = new()
    told: list[str] = []
    kept: list[int] = []
    made = Bench(
        cast("Lab", lab),
        run,
        lambda: kept.append(len(run.steps) + len(run.failures)),
        told.append,
        lab.time.clock(),
    )
    return made, run, told, kept


def test_all_parts_are_measured_and_kept_one_after_the_other() -> None:
    made, run, told, kept = bench(FakeLab())
    made.all_of(PLAN)
    assert [step.rate for step in run.steps] == [1_000, 2_000]
    assert run.drain is not None
    assert run.failures == []
    assert kept == [1, 2, 2, 2]
    assert run.took_s is not None
    assert any("TaskManagers 4.0" in line and "unexplained 0" in line for line in told)


def test_the_lab_warms_up_before_anything_is_measured() -> None:
    lab = FakeLab()
    made, run, told, _ = bench(lab)
    made.all_of(replace(PLAN, warm_lab=120))
    assert lab.loads[0] == (50_000, 120)
    assert [step.rate for step in run.steps] == [1_000, 2_000]
    assert told[0].endswith("the lab warms up")


def test_a_part_that_fails_is_told_and_the_next_one_begins() -> None:
    lab = FakeLab(refuses_load=True)
    made, run, told, kept = bench(lab)
    made.all_of(PLAN)
    assert [failure.part for failure in run.failures] == [
        "1,000 events/s",
        "2,000 events/s",
        "a backlog of 150,000 events",
    ]
    assert "  failed: load.yml: there is no worker." in told
    assert lab.stopped == 3
    assert kept[-1] == 3


def test_what_there_is_no_time_for_is_left_out_and_told() -> None:
    made, run, told, _ = bench(FakeLab())
    made.all_of(Plan(PLAN.steps, PLAN.backlog, 120.0, usual=False))
    assert [step.rate for step in run.steps] == [1_000]
    assert [failure.why for failure in run.failures] == [
        "left out, as there was no time for it any more."
    ] * 2
    assert told[-1].startswith("a backlog of 150,000 events: left out")


def chosen(*arguments: str) -> argparse.Namespace:
    return program._parsed(list(arguments))  # noqa: SLF001 - what the user types


def test_what_is_usual_fits_into_the_time_that_is_usual() -> None:
    plan = plan_of(chosen())
    assert [(one.rate, one.seconds) for one in plan.steps] == [
        (1_000, 60),
        (10_000, 60),
        (50_000, 60),
        (100_000, 180),
    ]
    assert plan.backlog is not None
    assert plan.backlog.events == 10_000_000
    assert plan.usual
    lasts = sum(one.lasts + program.STEP_S for one in plan.steps)
    lasts += plan.backlog.lasts + plan.backlog.events / 100_000 + program.DRAIN_S
    lasts += plan.warm_lab + program.STEP_S
    assert lasts < plan.within_s == 25 * 60
    assert command_of(chosen()) == "make benchmark"


def test_steps_seconds_and_backlog_can_be_set() -> None:
    one = chosen("--steps", "1000", "100000", "--seconds", "20", "--backlog", "0")
    plan = plan_of(one)
    assert [(step.rate, step.seconds) for step in plan.steps] == [(1_000, 20), (100_000, 20)]
    assert plan.backlog is None
    assert not plan.usual
    assert command_of(one) == "make benchmark STEPS='1000 100000' SECONDS=20 BACKLOG=0"
    cold = chosen("--warm-lab", "0")
    assert plan_of(cold).warm_lab == 0
    assert not plan_of(cold).usual
    assert command_of(cold) == "make benchmark WARM_LAB=0"


@pytest.mark.parametrize(
    "arguments", [["--steps", "0"], ["--seconds", "x"], ["--backlog", "-1"], ["--steps", "²"]]
)
def test_what_is_no_plan_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Asked:
    found = Asked()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(program, "listed", lambda _: {})
    monkeypatch.setattr(Lab, "of", lambda *_: found)
    monkeypatch.setattr(program, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(program, "BUILD", tmp_path / "build")
    # Drawing takes its time, and is not what is tried here.
    monkeypatch.setattr(charts, "draw", lambda _, folder: [(folder / "one.svg", "one")])
    made = program.Bench

    def timed(lab: Lab, run: Run, keep: Callable[[], None], tell: Callable[[str], None]) -> Bench:
        return made(lab, run, keep, tell, found.time.clock())

    monkeypatch.setattr(program, "Bench", timed)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    return found


QUICK = ("--steps", "1000", "--seconds", "10", "--warm-up", "5", "--backlog", "150000")


def test_another_plan_is_written_beside_the_documents(
    lab: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK]) == 0
    text = (tmp_path / "build/benchmarks.md").read_text()
    assert (
        "`make benchmark STEPS='1000' SECONDS=10 WARM_UP=5 BACKLOG=150000` has made this page"
        in text
    )
    assert "![one](images/one.svg)" in text
    (run,) = read(tmp_path / "build/benchmarks.json")
    assert run.versions["ClickHouse"] == "18.16.1"
    assert run.versions["Flink"] == "2.3.0"
    assert not (tmp_path / "docs").exists()
    assert "benchmarks.md" in capsys.readouterr().out
    # What was measured is what this checkout has.
    assert lab.deployed == 1


@pytest.mark.usefixtures("lab")
def test_the_usual_plan_is_written_into_the_documents(tmp_path: Path) -> None:
    assert main([]) == 0
    (run,) = read(tmp_path / "docs/benchmarks.json")
    assert [step.rate for step in run.steps] == [1_000, 10_000, 50_000, 100_000]
    assert (
        "| CPU of the TaskManagers, at 100,000 events/s | at most 4.5 us an event | 4.0"
        in (tmp_path / "docs/benchmarks.md").read_text()
    )
    before = (tmp_path / "docs/benchmarks.md").read_text()
    assert main(["--again"]) == 0
    assert (tmp_path / "docs/benchmarks.md").read_text() == before


@pytest.mark.usefixtures("lab")
def test_what_is_worse_is_flagged_and_fails_only_where_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*QUICK]) == 0
    file = tmp_path / "build/benchmarks.json"
    (run,) = read(file)
    told = json.loads(json.dumps(run.told()))
    told["steps"][0]["cost"]["us"] /= 2
    write(file, [Run.of({**told, "began": f"2026-01-0{day}"}) for day in (1, 2, 3)])
    assert main([*QUICK]) == 0
    assert "worse: 1,000 events/s for 10 s, CPU of all" in capsys.readouterr().out
    write(file, [Run.of({**told, "began": f"2026-01-0{day}"}) for day in (1, 2, 3)])
    assert main([*QUICK, "--strict"]) == 1


def test_an_event_that_is_not_explained_fails(
    lab: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.said = BROKEN
    assert main([*QUICK]) == 1
    assert "not all events are explained after 1,000 events/s" in capsys.readouterr().out


def test_what_could_not_be_checked_fails(lab: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    lab.said = None
    assert main([*QUICK]) == 1
    assert "whether all events are explained after 1,000 events/s" in capsys.readouterr().out


def test_a_part_that_failed_fails(lab: Asked, tmp_path: Path) -> None:
    lab.refuses_load = True
    assert main([*QUICK]) == 1
    assert "there is no worker" in (tmp_path / "build/benchmarks.md").read_text()


def test_an_interrupted_run_stops_the_load_and_keeps_what_it_has(
    lab: Asked,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "drained", interrupted)
    assert main([*QUICK]) == 130
    assert lab.stopped == 1
    assert len(read(tmp_path / "build/benchmarks.json")[0].steps) == 1
    assert "Ended before its time" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        command.interrupted(signal.SIGTERM, None)


def test_a_hang_up_ends_as_by_keyboard_but_not_what_nohup_has_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken: dict[int, object] = {}
    before = {signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_IGN}
    monkeypatch.setattr(signal, "signal", taken.__setitem__)
    monkeypatch.setattr(signal, "getsignal", before.__getitem__)
    command.end_as_by_keyboard(signal.SIGTERM, signal.SIGHUP)
    assert taken == {signal.SIGTERM: command.interrupted}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


def test_what_cannot_be_measured_is_refused_in_a_sentence(
    lab: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "There is no run in" in refused(capsys, "--again")
    lab.why = "A load is going on."
    assert refused(capsys) == "A load is going on.\n"
    lab.why, lab.broken_job = None, True
    assert refused(capsys) == "job.yml: it does not serve.\n"
    lab.broken_job, lab.blind = False, True
    assert "has ended" in refused(capsys)

    def unreadable(_: Path) -> None:
        raise InventoryError("inventories/lab cannot be read.")

    monkeypatch.setattr(program, "listed", unreadable)
    assert refused(capsys) == "inventories/lab cannot be read.\n"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "run this as root" in refused(capsys)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/benchmarks.json").write_text("{")
    assert "cannot be read as runs" in refused(capsys)


def test_a_run_says_what_it_is_measured_on(lab: Asked) -> None:
    run = begun(cast("Lab", lab), "make benchmark")
    assert run.load == "1,000 products, 2.0% bad, 10.0% out of order, 0.5% late"
    assert sorted(run.versions) == ["ClickHouse", "Flink", "Kafka", "confluent-kafka", "locust"]
    assert run.commit != "unknown"
    assert (DOCS.name, BUILD.name) == ("docs", "benchmark")
