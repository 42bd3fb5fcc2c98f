from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from loadtest.run import (
    BEHIND_FOR_S,
    BEHIND_S,
    STALLED_AFTER_S,
    End,
    Overtime,
    Run,
    Saturation,
    fault,
)

ROOT = Path(__file__).parents[2]


def test_a_run_that_is_behind_goes_on_while_its_events_arrive() -> None:
    overtime = Overtime(600)
    assert not any(overtime.over(since, booked=since) for since in range(0, 600, 20))


def test_a_run_ends_without_the_rest_once_nothing_more_arrives() -> None:
    overtime = Overtime(600)
    assert not overtime.over(10, booked=5)
    assert not overtime.over(10 + STALLED_AFTER_S, booked=5)
    assert overtime.over(11 + STALLED_AFTER_S, booked=5)


def test_a_run_of_which_nothing_has_arrived_is_given_the_same_time() -> None:
    overtime = Overtime(600)
    assert not overtime.over(STALLED_AFTER_S, booked=0)
    assert overtime.over(STALLED_AFTER_S + 1, booked=0)


def test_a_run_does_not_go_on_for_ever_however_slowly_its_events_arrive() -> None:
    overtime = Overtime(600)
    assert any(overtime.over(since, booked=since) for since in range(0, 700, 20))


@pytest.mark.parametrize(
    ("run", "acknowledged", "failed", "says"),
    [
        (Run(60_000, 60, End.DUE), 60_000, 0, None),
        # What one busy moment at the end costs is no fault; more is.
        (Run(60_000, 60, End.DUE), 59_400, 0, None),
        (Run(60_000, 60, End.DUE), 59_399, 0, "59,399 of the 60,000 events"),
        (
            Run(60_000, 60, End.DUE),
            59_990,
            10,
            "10 events are not in Kafka; most failed with: late",
        ),
        (Run(60_000, 60, End.STOPPED), 31_000, 0, "somebody stopped it before its 60 s were over"),
        (Run(60_000, 60, End.UNASKED), 0, 0, "lost all its workers"),
        # A ramp that ends itself has found what it was started for.
        (Run(60_000, 60, End.SATURATED), 31_000, 0, None),
        # Stopping what has no end is how it ends.
        (Run(0, 0, End.STOPPED), 5, 0, None),
        (Run(0, 0, End.UNASKED), 5, 0, "nobody had stopped it"),
        (None, 0, 0, "knows of no run"),
    ],
)
def test_a_run_that_sent_less_than_was_asked_for_is_told(
    run: Run | None, acknowledged: int, failed: int, says: str | None
) -> None:
    told = fault(run, acknowledged, failed, "late")
    assert told is None if says is None else says in (told or "")


@pytest.mark.parametrize(("rate", "duration", "users"), [(10, 5, 4), (1, 1, 4), (10_000, 60, 3)])
def test_a_run_whose_events_cannot_be_divided_evenly_is_no_fault(
    rate: int, duration: int, users: int
) -> None:
    run = Run(rate * duration, duration, End.DUE)
    sent = users * run.share(users)
    assert run.events <= sent < run.events + users
    assert fault(run, sent, 0, None) is None


def test_a_run_is_the_same_behind_its_json() -> None:
    for run in (Run(600, 60), Run(0, 0, End.STOPPED), Run(600, 60, End.DUE, "2026")):
        assert Run.of(json.loads(json.dumps(run.told()))) == run


def test_the_first_word_on_how_a_run_ended_holds() -> None:
    assert Run(1, 1).ended(End.STOPPED).ended(End.UNASKED).end is End.STOPPED


def test_the_master_tells_what_the_run_was_and_what_ended_it(tmp_path: Path) -> None:
    # In a process of its own: locust patches the threads of the one that it is imported into.
    told = subprocess.run(  # noqa: S603 - code of this test
        [sys.executable, "-c", RUNS_LOCUST, tmp_path],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert [json.loads(line) for line in told.splitlines()] == [
        [None, 0],
        [{"events": 100, "duration": 1, "end": "due"}, 100],
        [{"events": 6000, "duration": 60, "end": "stopped"}, None],
        [{"events": 6000, "duration": 60, "end": "unasked"}, None],
        [{"events": 0, "duration": 0, "end": "stopped"}, None],
    ]
    newest, *_, first = sorted((tmp_path / "reports").glob("*/report.json"), reverse=True)
    report = json.loads(first.read_text())
    assert report["acknowledged"] == {"impressions": 80, "clicks": 20}
    assert sum(report["outcomes"]["impressions"].values()) == 80
    changes = json.loads(newest.read_text())["changes"]
    assert [change["fields"] for change in changes] == [{"rate": 300}]


def test_a_run_that_is_behind_for_a_moment_is_not_saturated() -> None:
    saturation = Saturation()
    assert not saturation.reached(20, due=10_000, booked=0, rate=1_000)
    assert not saturation.reached(20 + BEHIND_FOR_S, due=10_000, booked=9_000, rate=1_000)
    assert not saturation.reached(21 + BEHIND_FOR_S, due=20_000, booked=9_000, rate=1_000)


def test_a_run_that_stays_behind_by_seconds_of_its_rate_is_saturated() -> None:
    saturation = Saturation()
    due = 20_000 + 1_000 * BEHIND_S
    assert not saturation.reached(20, due=due, booked=20_000, rate=1_000)
    assert not saturation.reached(21, due=due + 1, booked=20_000, rate=1_000)
    assert saturation.reached(21 + BEHIND_FOR_S, due=due + 1, booked=20_000, rate=1_000)


RUNS_LOCUST = """
import json
import sys
from pathlib import Path
import loadtest.locustfile as file
import gevent
from locust import events
from locust.argument_parser import get_parser
from locust.env import Environment


class Kafka:
    def produce_batch(self, topic, messages, on_delivery):
        for message in messages:
            on_delivery(None, message)

    def poll(self, seconds):
        pass


outlet = file.Outlet
file.Outlet = type("To", (), {"to": staticmethod(lambda _, **told: outlet(Kafka(), **told))})
Path(sys.argv[1], "endpoints.json").write_text('{"kafka": {}}')
options = get_parser().parse_args(
    [
        "--rate=100",
        "--duration=1",
        f"--reports={sys.argv[1]}/reports",
        f"--endpoints={sys.argv[1]}/endpoints.json",
    ]
)
environment = Environment(user_classes=[file.Shop], events=events, parsed_options=options)
runner = environment.create_local_runner()
page = environment.create_web_ui("127.0.0.1", 0).app.test_client()
events.init.fire(environment=environment, runner=runner, web_ui=environment.web_ui)


def tell(counted):
    sent = environment.stats.total.num_requests if counted else None
    run = page.get("/run").get_json()["run"]
    while run and run["end"] and not run["report"]:
        gevent.sleep(0.05)
        run = page.get("/run").get_json()["run"]
    if run:
        name = run.pop("report")
        assert page.get(f"/reports/{name}/report.json").get_json()["end"] == run["end"]
        assert b"Result" in page.get(f"/reports/{name}/").data
        assert name.encode() in page.get("/reports/").data
    print(json.dumps([run, sent]))


def wait_for(state):
    while runner.state != state:
        gevent.sleep(0.05)


tell(counted=True)
runner.start(1, 100)
wait_for("stopped")
tell(counted=True)
options.duration = 60
runner.start(1, 100)
wait_for("running")
page.post("/stop")
tell(counted=False)
runner.start(1, 100)
wait_for("running")
runner.stop()
tell(counted=False)
options.duration = 0
runner.start(1, 100)
wait_for("running")
form = {"user_count": 1, "spawn_rate": 100, "rate": 300}
refused = page.post("/swarm", data={**form, "client": "kafka-python"}).get_json()
assert "cannot be changed" in refused["message"], refused
assert page.post("/swarm", data=form).get_json()["success"]
while environment.stats.total.num_requests < 200:
    gevent.sleep(0.05)
page.post("/stop")
tell(counted=False)
"""
