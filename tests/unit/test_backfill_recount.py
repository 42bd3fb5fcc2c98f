"""A recount on a Flink that is played: one at a time, on free slots, and cancelled if cut off."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from flink_job.backfill import recount as module
from flink_job.backfill.plan import Plan
from flink_job.backfill.recount import LONGEST_S, NAME, RESULTS, Way, main, values_of
from flink_job.cluster import Cluster, ClusterError
from flink_job.job import SERVING, statement
from flink_job.rollout import NAME as SERVES
from tests.nasty import T
from tests.unit.played import Flink

PLAN = Plan(T, T + 3_600_000, T - 61_000, T + 3_670_001, T + 7_200_000)
CALL = dict[str, object]


@pytest.fixture
def arguments(flink: Flink, tmp_path: Path) -> list[str]:
    clickhouse = {"host": "c", "port": 9000, "user": "r", "password": "", "database": "ctr"}
    kafka = {"bootstrap.servers": "k:9092"}
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps({"kafka": kafka, "clickhouse": clickhouse}))
    flink.answers["GET /overview"] = {"slots-available": 4}
    return [
        f"--endpoints={file}",
        f"--cluster={flink.address}",
        f"--build={tmp_path}",
        f"--plan={PLAN.json([])}",
        "--within=0.2",
    ]


@pytest.fixture(autouse=True)
def signals() -> object:
    """Put back who listened before."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield before
    for one, listener in before.items():
        signal.signal(one, listener)


def known(flink: Flink, job: str, state: str) -> None:
    flink.runs(job, state=state)
    flink.answers["GET /jobs/overview"]["jobs"][0]["name"] = NAME


def starting(flink: Flink, monkeypatch: pytest.MonkeyPatch, state: str) -> CALL:
    """Let a start come to job a in a state; what it was called with."""
    called: CALL = {}

    def started(*words: object, **named: object) -> str:
        names = ("kafka", "cluster", "build", "settings", "values")
        called.update(dict(zip(names, words, strict=True)), **named)
        known(flink, "a", state)
        return "a"

    monkeypatch.setattr(module, "started", started)
    return called


@pytest.mark.parametrize(("options", "slots"), [([], "1"), (["--parallelism=4"], "4")])
def test_a_recount_takes_no_more_slots_than_it_may_and_waits_for_its_end(  # noqa: PLR0913
    flink: Flink,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    options: list[str],
    slots: str,
) -> None:
    called = starting(flink, monkeypatch, "FINISHED")
    assert main([*arguments, *options]) == 0
    assert capsys.readouterr().out == "recounted: job a\n"
    settings = called["settings"]
    assert isinstance(settings, dict)
    assert settings["parallelism.default"] == slots
    assert settings["pipeline.name"] == NAME != SERVES
    assert not any("checkpointing" in key for key in settings)
    assert called["results"] == RESULTS
    assert called["values"] == values_of(PLAN)
    assert not flink.was_cancelled("a")


@pytest.mark.parametrize(("free", "wanted"), [(0, 1), (2, 3)])
def test_a_cluster_with_too_few_free_slots_is_a_sentence(
    flink: Flink,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    *,
    free: int,
    wanted: int,
) -> None:
    flink.answers["GET /overview"] = {"slots-available": free}
    assert main([*arguments, f"--parallelism={wanted}"]) == 1
    assert capsys.readouterr().err.startswith(
        f"A recount takes {wanted} slots (ctr_job_recount_parallelism), and the cluster has {free} "
        "free: set it lower, add a TaskManager"
    )


def test_a_recount_of_no_slots_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        main([*arguments, "--parallelism=0"])


def test_a_recount_gives_way_to_a_job_that_does_not_come_back(
    flink: Flink,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    starting(flink, monkeypatch, "RUNNING")
    monkeypatch.setattr(Cluster, "runs", lambda *_: False)
    monkeypatch.setattr(Way, "give", beside(flink, Way.give))
    assert main([*arguments, "--within=100"]) == 1
    assert "the recount has given way to it and was cancelled" in capsys.readouterr().err
    assert flink.was_cancelled("a")


def beside(flink: Flink, give: Callable[[Way], None]) -> Callable[[Way], None]:
    """Look while the job that serves is beside the recount."""

    def look(way: Way) -> None:
        jobs = flink.answers["GET /jobs/overview"]["jobs"]
        if len(jobs) == 1:
            jobs.append({"jid": "s", "name": SERVES, "state": "RESTARTING"})
        give(way)

    return look


def test_a_job_that_comes_back_in_time_or_is_not_there_stops_no_recount(flink: Flink) -> None:
    way = Way(Cluster(flink.address))
    flink.runs("s", state="RESTARTING")
    for _ in range(59):
        way.give()
    flink.runs("s")
    way.give()
    assert way.waited == 0
    flink.runs("s", state="RESTARTING")
    for _ in range(60):
        way.give()
    del flink.answers["GET /jobs/s"]
    way.give()
    assert way.waited == 0
    flink.ends("s")
    way.give()
    assert way.waited == 0


def test_there_is_one_recount_at_a_time_and_the_other_goes_on(
    flink: Flink, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    known(flink, "b", "RUNNING")
    assert main(arguments) == 1
    assert "Job b counts a range anew already" in capsys.readouterr().err
    assert not flink.was_cancelled("b")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("RUNNING", "has not come to its end within 0 s"), ("FAILED", "job a ended as FAILED")],
)
def test_a_recount_that_does_not_come_to_its_end_is_cancelled_and_told(  # noqa: PLR0913
    flink: Flink,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    state: str,
    sentence: str,
) -> None:
    starting(flink, monkeypatch, state)
    assert main(arguments) == 1
    assert sentence in capsys.readouterr().err
    assert flink.was_cancelled("a") == (state == "RUNNING")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_cancels_it_even_before_its_id_is_known(
    flink: Flink,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
) -> None:
    def started(*_: object, **__: object) -> str:
        known(flink, "a", "RUNNING")
        os.kill(os.getpid(), number)
        return "a"

    monkeypatch.setattr(module, "started", started)
    assert main(arguments) == 143
    assert "was ended, and its job cancelled" in capsys.readouterr().err
    assert flink.was_cancelled("a")


def test_what_flink_refuses_is_told(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object, **__: object) -> NoReturn:
        raise ClusterError("Flink refuses the job: no topic")

    monkeypatch.setattr(module, "started", refused)
    assert main(arguments) == 1
    assert capsys.readouterr().err == "Flink refuses the job: no topic\n"


def test_a_recount_is_shorter_than_the_state_of_a_window_lives(arguments: list[str]) -> None:
    assert f"'judged' = '{LONGEST_S} s'" in statement("insert_windows.sql", values_of(PLAN))
    with pytest.raises(SystemExit):
        main([*arguments, f"--within={LONGEST_S}"])


def test_a_recount_reads_its_part_in_a_group_of_its_own_and_writes_to_its_own_topics() -> None:
    values = {**values_of(PLAN), "kafka_properties": "''"}
    incoming = statement("kafka/incoming.sql", values)
    for option in (
        "'scan.startup.mode' = 'timestamp'",
        f"'scan.startup.timestamp-millis' = '{PLAN.start}'",
        "'scan.bounded.mode' = 'timestamp'",
        f"'scan.bounded.timestamp-millis' = '{PLAN.end}'",
        f"'properties.group.id' = '{NAME}'",
    ):
        assert option in incoming
    for table in ("windows", "ledger"):
        topic = f"'topic' = 'ctr-{table}-backfill-{PLAN.asked}'"
        assert topic in statement(f"kafka/{table}.sql", values)
    assert values.keys() - {"kafka_properties", "windows_ttl"} == SERVING.keys()


def test_where_more_may_come_a_recount_reads_to_the_end_of_the_topics() -> None:
    extent = values_of(Plan(T, T + 3_600_000, T - 61_000, None, T + 7_200_000))["extent"]
    assert "'scan.bounded.mode' = 'latest-offset'" in extent
    assert "bounded.timestamp" not in extent
