"""Locust users that produce events to Kafka at a total rate; what a run is stands in the web UI.

A request in the web UI is an event that Kafka has acknowledged on all in-sync replicas, so requests
a second are events a second. The users of a run share its rate; more of them only spread it over
more workers, one a worker is enough.
"""

from __future__ import annotations

import logging
import os
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gevent
from flask import Response, jsonify, request, send_from_directory
from locust import User, constant, events, runners, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.html import get_html_report
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner

from flink_job.endpoints import EndpointsError, read_endpoints
from loadtest import tally
from loadtest.fields import FIELDS, STEPS, Client, FieldsError, changed, refusal, wanted
from loadtest.figures import Figures
from loadtest.lead import PAGE, Lead
from loadtest.outlet import EndpointsFileError, Outlet
from loadtest.pace import Pace
from loadtest.page import list_page
from loadtest.python_outlet import PythonOutlet
from loadtest.report import name_of
from loadtest.run import End, Overtime, Run, Saturation
from loadtest.shape import Kind
from loadtest.shelf import Shelf
from loadtest.supply import Mix, Supply

# On a busy machine a worker may be silent for seconds, and the load must not end for that.
runners.HEARTBEAT_LIVENESS = 20

TICK_S = 0.02
FLUSHED_WITHIN_S = 30.0
ASKED_EVERY_S = 0.5
# Workers wait for their last acknowledgements first.
LAST_WORDS_WITHIN_S = FLUSHED_WITHIN_S + 30.0
GOING_ON = frozenset({STATE_SPAWNING, STATE_RUNNING})

log = logging.getLogger(__name__)


def add_fields(parser: LocustArgumentParser, **_: object) -> None:
    """Add the fields of a run, for the command line, the environment and the web UI."""
    usual = Mix()

    def add(name: str, default: object, what: str, **more: Any) -> None:  # noqa: ANN401
        parser.add_argument(
            f"--{name}",
            env_var=f"LOAD_{name.upper()}",
            type=type(default),
            default=default,
            help=what,
            **more,
        )

    add("rate", 1_000, "Events a second, of all users together; where a ramp ends")
    add("duration", 0, "Seconds; 0 is until somebody stops it")
    add("shape", str(Kind.CONSTANT), "How the rate goes over time", choices=list(map(str, Kind)))
    add("steps", STEPS, "Rates of the shape steps, which share the duration alike")
    add("peak", 50_000, "Events a second at the top of the shapes spike and day")
    add("period", 300, "Seconds of a day, or from spike to spike")
    add("bad", 0.02, "Share of bad messages, five kinds alike, 0 to 1")
    add("disorder", 0.1, "Share of events out of order, 0 to 1")
    add("late", 0.005, "Share of events too late to be counted, 0 to 1")
    add("products", usual.products, "Number of products, up to 1,000,000")
    add("skew", usual.skew, "Zipf's exponent of their popularity; 0 is even")
    add("client", str(Client.CONFLUENT), "What sends", choices=list(map(str, Client)))
    hidden: dict[str, Any] = {"type": str, "include_in_web_ui": False}
    parser.add_argument(
        "--endpoints",
        default="/etc/ctr/endpoints.json",
        help="The file that says how to reach Kafka",
        **hidden,
    )
    parser.add_argument(
        "--reports",
        default=str(Path(os.environ.get("STATE_DIRECTORY", "build"), "reports")),
        help="The folder of the reports",
        **hidden,
    )
    # Workers are sent the master's fields, but neither its number of users nor whose run it is.
    parser.add_argument(
        "--change", type=int, default=0, include_in_web_ui=False, help="Counts changes of a run"
    )
    parser.add_argument("--run", default="", help="Set by each run itself", **hidden)
    parser.add_argument(
        "--sharing", type=int, default=1, include_in_web_ui=False, help="Set by each run itself"
    )


def refuse_in_the_web(environment: Environment, **_: object) -> None:
    """Let the web UI and its callers hear why a run is refused, instead of starting nonsense."""

    def refuse() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        options = {**vars(_options(environment)), **request.form}
        running = environment.runner is not None and environment.runner.state in GOING_ON
        if running and Shop.led is not None:
            why = _change(environment, Shop.led, options)
        else:
            why = refusal(options)
        return None if why is None else jsonify({"success": False, "message": why})

    if environment.web_ui is not None and environment.web_ui.app is not None:
        environment.web_ui.app.before_request(refuse)


def _change(environment: Environment, led: Lead, options: Mapping[str, Any]) -> str | None:
    """Let a run that goes on become another one, or say why it cannot."""
    try:
        asked = changed(led.wanted, options)
    except FieldsError as problem:
        return str(problem)
    asked_for = {name: FIELDS[name](options[name]) for name in FIELDS}
    led.change(asked, asked_for, time.time() - led.began)
    own = _options(environment)
    own.sharing = int(options.get("user_count", own.sharing))
    own.change += 1
    return None


def tell_in_the_web(environment: Environment, **_: object) -> None:
    """Let callers of the web UI hear what the run was to be, what ended it, and what came of it."""
    if environment.web_ui is None or environment.web_ui.app is None:
        return
    shelf = Shelf(Path(_options(environment).reports).absolute())

    def tell() -> Response:
        return jsonify({"run": None if Shop.led is None else Shop.led.run.told()})

    def note() -> None:
        if request.method == "POST" and request.path.endswith("/stop") and Shop.led is not None:
            Shop.led.finish(End.STOPPED)

    def reports() -> str:
        return list_page(shelf.contents())

    def report(name: str, file: str = PAGE) -> Response:
        return send_from_directory(shelf.folder / name, file)

    app = environment.web_ui.app
    app.add_url_rule("/run", "run", tell)
    app.add_url_rule("/reports/", "reports", reports)
    for path in ("/reports/<name>/", "/reports/<name>/<file>"):
        app.add_url_rule(path, "report", report)
    app.before_request(note)


def begin(environment: Environment, **_: object) -> None:
    """Where users run, make what they share; where the run is led, end it in time."""
    options = _options(environment)
    asked = wanted(vars(options))
    runner = environment.runner
    if isinstance(runner, MasterRunner | LocalRunner):
        options.sharing = runner.target_user_count or 1
        began = time.time()
        options.run = name_of(began)
        Shop.led = Lead(
            name=options.run,
            wanted=asked,
            fields={name: getattr(options, name) for name in FIELDS},
            run=Run(asked.events, asked.duration),
            began=began,
            expected=runner.worker_count if isinstance(runner, MasterRunner) else 1,
        )
        LEADS[options.run] = Shop.led
        if asked.duration:
            Shop.ending = gevent.spawn(_end_in_time, runner, Shop.led, options.sharing)
    if isinstance(runner, MasterRunner):
        return
    Shop.supply, Shop.mix = Supply(asked.mix), asked.mix
    Shop.figures, Shop.counted_for, Shop.last = Figures(), options.run, False
    Shop.outlet = None
    try:
        Shop.outlet = _outlet(environment, asked.client, Path(options.endpoints))
    except (EndpointsFileError, EndpointsError) as problem:
        log.error("No events are sent: %s", problem)  # noqa: TRY400 - a sentence is enough


def _outlet(environment: Environment, client: Client, endpoints: Path) -> Outlet | PythonOutlet:
    figures = Shop.figures

    def told(topic: str, count: int, took_s: float) -> None:
        figures.arrived(topic, count, took_s, time.time())
        tally.acknowledged(environment.stats, topic, count, round(took_s * 1_000))

    def refused(topic: str, count: int, why: str) -> None:
        figures.failed[topic] += count
        tally.failed(environment.stats, topic, count, why)

    if client is Client.KAFKA_PYTHON:
        return PythonOutlet(read_endpoints(endpoints).kafka, told=told, refused=refused)
    return Outlet.to(endpoints, told=told, refused=refused)


def end(environment: Environment, **_: object) -> None:
    """Wait for the last acknowledgements, let the master know of them, and see to the report."""
    if (led := Shop.led) is not None:
        led.finish(End.UNASKED)
    if Shop.ending is not None and Shop.ending is not gevent.getcurrent():
        Shop.ending.kill(block=False)
    Shop.ending = None
    if not isinstance(environment.runner, MasterRunner):
        _close()
        Shop.last = True
        tally.report(environment)
    if led is not None:
        gevent.spawn(_conclude, environment, led)


def _close() -> None:
    if Shop.outlet is None:
        return
    unknown = Shop.outlet.close(FLUSHED_WITHIN_S)
    Shop.outlet = None
    if unknown:
        log.error("%d events were still on their way: whether they arrived is not known", unknown)


def tell_the_master(client_id: str, data: dict[str, Any]) -> None:
    """Add what this worker has counted since the last time to what it tells."""
    told = _counted()
    if told is not None:
        data["load"] = {"worker": client_id, **told}


def hear_of_workers(data: dict[str, Any], **_: object) -> None:
    """Take over what a worker has counted."""
    told = data.get("load")
    if told is not None and told["run"] in LEADS:
        LEADS[told["run"]].heard(told["worker"], told)


def _counted() -> dict[str, Any] | None:
    """What was counted here since the last time; None where no run is going on."""
    if Shop.supply is None:
        return None
    counted, last = Shop.figures, Shop.last
    counted.made = Shop.supply.made.copy()
    told = {"run": Shop.counted_for, "figures": counted.told(), "last": last}
    Shop.supply.made.clear()
    counted.clear()
    if last:
        Shop.supply, Shop.last = None, False
    return told


def _end_in_time(runner: MasterRunner | LocalRunner, led: Lead, sharing: int) -> None:
    began, run = time.monotonic(), led.run
    saturation = Saturation()
    while (elapsed := time.monotonic() - began) < run.duration:
        gevent.sleep(min(ASKED_EVERY_S, run.duration - elapsed))
        due, rate = led.wanted.shape.due(elapsed), led.wanted.shape.at(elapsed)
        booked = runner.stats.total.num_requests
        if led.wanted.kind is Kind.RAMP and saturation.reached(elapsed, due, booked, rate):
            led.finish(End.SATURATED)
            runner.stop()
            return
    all_of_it, overtime = sharing * run.share(sharing), Overtime(run.duration)
    while (booked := runner.stats.total.num_requests) < all_of_it:
        if overtime.over(time.monotonic() - began - run.duration, booked):
            break
        gevent.sleep(ASKED_EVERY_S)
    led.finish(End.DUE)
    runner.stop()


def _conclude(environment: Environment, led: Lead) -> None:
    """Wait for the last words of all workers, and write the report."""
    if not isinstance(environment.runner, MasterRunner):
        led.heard("local", _counted() or {})
    deadline = time.monotonic() + LAST_WORDS_WITHIN_S
    while not led.whole and time.monotonic() < deadline:
        gevent.sleep(ASKED_EVERY_S)
    del LEADS[led.name]
    beside = {"locust.html": get_html_report(environment, show_download_link=False)}  # type: ignore[no-untyped-call]
    try:
        folder = led.write(Shelf(Path(_options(environment).reports)), beside, time.time())
    except OSError as problem:
        log.error("There is no report: %s", problem)  # noqa: TRY400 - a sentence is enough
    else:
        log.info("The report is in %s", folder)


def _options(environment: Environment) -> Namespace:
    return environment.parsed_options or Namespace()


# Runs whose report is not written yet, by its name.
LEADS: dict[str, Lead] = {}


class Shop(User):
    """A part of the traffic, sent by the client of the run."""

    supply: Supply | None = None
    mix = Mix()
    outlet: Outlet | PythonOutlet | None = None
    figures = Figures()
    counted_for = ""
    last = False
    led: Lead | None = None
    ending: gevent.Greenlet | None = None
    wait_time = constant(TICK_S)

    def on_start(self) -> None:
        """Begin to send."""
        self._begin()

    def _begin(self) -> None:
        """Take a part of the rate that is asked for now, and begin to count the time."""
        options = _options(self.environment)
        asked, sharing = wanted(vars(options)), options.sharing
        part = Run(asked.events, asked.duration).share(sharing) if asked.duration else None
        self._pace = Pace(asked.shape, sharing, part)
        self._started, self._change = time.monotonic(), options.change
        if self.supply is not None and asked.mix != Shop.mix:
            Shop.supply, Shop.mix = self.supply.turned_into(asked.mix), asked.mix

    @task
    def produce(self) -> None:
        """Send what is due."""
        if self.outlet is None or self.supply is None:
            return
        if self._change != _options(self.environment).change:
            self._begin()
        self.outlet.room()
        count = self._pace.due(time.monotonic() - self._started)
        for topic, batch in self.supply.take(count, int(time.time() * 1_000)).items():
            self.outlet.send(topic, batch)


# Typed as anything, since locust's hooks have no types.
_LISTENERS: tuple[tuple[Any, Any], ...] = (
    (events.init_command_line_parser, add_fields),
    (events.init, refuse_in_the_web),
    (events.init, tell_in_the_web),
    (events.test_start, begin),
    (events.test_stop, end),
    (events.report_to_master, tell_the_master),
    (events.worker_report, hear_of_workers),
)
for _hook, _listener in _LISTENERS:
    _hook.add_listener(_listener)
