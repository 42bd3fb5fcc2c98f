"""Locust users that produce events to Kafka at a total rate; what a run is stands in the web UI.

A request in the web UI is an event that Kafka has acknowledged on all in-sync replicas, so requests
a second are events a second. The users of a run share its rate; more of them only spread it over
more workers, one a worker is enough.
"""

from __future__ import annotations

import logging
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

import gevent
from flask import Response, jsonify, request
from locust import User, constant, events, runners, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, MasterRunner

from loadtest import tally
from loadtest.fields import mix_of, refusal
from loadtest.outlet import EndpointsFileError, Outlet
from loadtest.pace import Pace
from loadtest.run import End, Overtime, Run
from loadtest.supply import Mix, Supply

# On a busy machine a worker may be silent for seconds, and the load must not end for that.
runners.HEARTBEAT_LIVENESS = 20

TICK_S = 0.02
FLUSHED_WITHIN_S = 30.0
BOOKED_ASKED_EVERY_S = 0.5
GOING_ON = frozenset({STATE_SPAWNING, STATE_RUNNING})

log = logging.getLogger(__name__)


def add_fields(parser: LocustArgumentParser, **_: object) -> None:
    """Add the fields of a run, for the command line and for the web UI."""
    usual = Mix()
    add = parser.add_argument
    add("--rate", type=int, default=1_000, help="Events a second, of all users together")
    add("--duration", type=int, default=0, help="Seconds; 0 is until somebody stops it")
    add("--bad", type=float, default=0.02, help="Share of bad messages, five kinds alike, 0 to 1")
    add("--disorder", type=float, default=0.1, help="Share of events out of order, 0 to 1")
    add("--late", type=float, default=0.005, help="Share of events too late to be counted, 0 to 1")
    add("--products", type=int, default=usual.products, help="Number of products")
    add(
        "--endpoints",
        type=str,
        default="/etc/ctr/endpoints.json",
        include_in_web_ui=False,
        help="The file that says how to reach Kafka",
    )
    # Workers are sent the master's fields, but not its number of users.
    add("--sharing", type=int, default=1, include_in_web_ui=False, help="Set by each run itself")


def refuse_in_the_web(environment: Environment, **_: object) -> None:
    """Let the web UI and its callers hear why a run is refused, instead of starting nonsense."""

    def refuse() -> Response | None:
        if request.method != "POST" or not request.path.endswith("/swarm"):
            return None
        running = environment.runner is not None and environment.runner.state in GOING_ON
        why = (
            "A run is going on: stop it before the next one."
            if running
            else refusal({**vars(_options(environment)), **request.form})
        )
        return None if why is None else jsonify({"success": False, "message": why})

    if environment.web_ui is not None and environment.web_ui.app is not None:
        environment.web_ui.app.before_request(refuse)


def tell_in_the_web(environment: Environment, **_: object) -> None:
    """Let callers of the web UI hear what the run was to be and what ended it."""

    def tell() -> Response:
        return jsonify({"run": None if Shop.led is None else Shop.led.told()})

    def note() -> None:
        if request.method == "POST" and request.path.endswith("/stop"):
            _ended(End.STOPPED)

    if environment.web_ui is not None and environment.web_ui.app is not None:
        environment.web_ui.app.add_url_rule("/run", "run", tell)
        environment.web_ui.app.before_request(note)


def begin(environment: Environment, **_: object) -> None:
    """Where users run, make what they share; where the run is led, end it in time."""
    options = _options(environment)
    if isinstance(environment.runner, MasterRunner | LocalRunner):
        options.sharing = environment.runner.target_user_count or 1
        Shop.led = Run(options.rate, options.duration)
        if options.duration:
            Shop.ending = gevent.spawn(_end_in_time, environment.runner, Shop.led, options.sharing)
    if isinstance(environment.runner, MasterRunner):
        return
    Shop.supply = Supply(mix_of(vars(options)))
    try:
        Shop.outlet = Outlet.to(
            Path(options.endpoints),
            told=lambda topic, count, took: tally.acknowledged(
                environment.stats, topic, count, round(took * 1_000)
            ),
            refused=lambda topic, count, why: tally.failed(environment.stats, topic, count, why),
        )
    except EndpointsFileError as problem:
        Shop.outlet = None
        log.error("No events are sent: %s", problem)  # noqa: TRY400 - a sentence is enough


def end(environment: Environment, **_: object) -> None:
    """Wait for the last acknowledgements, and let the master know of them."""
    _ended(End.UNASKED)
    if Shop.ending is not None and Shop.ending is not gevent.getcurrent():
        Shop.ending.kill(block=False)
    Shop.ending = None
    if Shop.outlet is None:
        return
    unknown = Shop.outlet.close(FLUSHED_WITHIN_S)
    Shop.outlet = None
    if unknown:
        log.error("%d events were still on their way: whether they arrived is not known", unknown)
    tally.report(environment)


def _end_in_time(runner: MasterRunner | LocalRunner, run: Run, sharing: int) -> None:
    gevent.sleep(run.duration)
    wanted, due = sharing * run.share(sharing), time.monotonic()
    overtime = Overtime(run.duration)
    while (booked := runner.stats.total.num_requests) < wanted:
        if overtime.over(time.monotonic() - due, booked):
            break
        gevent.sleep(BOOKED_ASKED_EVERY_S)
    _ended(End.DUE)
    runner.stop()


def _ended(end: End) -> None:
    if Shop.led is not None:
        Shop.led = Shop.led.ended(end)


def _options(environment: Environment) -> Namespace:
    return environment.parsed_options or Namespace()


class Shop(User):
    """A part of the traffic."""

    supply: Supply | None = None
    outlet: Outlet | None = None
    led: Run | None = None
    ending: gevent.Greenlet | None = None
    wait_time = constant(TICK_S)

    def on_start(self) -> None:
        """Take a part of the rate, and begin to count the time."""
        options = _options(self.environment)
        rate, sharing, duration = options.rate, options.sharing, options.duration
        events_in_all = Run(rate, duration).share(sharing) if duration else None
        self._pace = Pace(rate / sharing, events_in_all)
        self._started = time.monotonic()

    @task
    def produce(self) -> None:
        """Send what is due."""
        if self.outlet is None or self.supply is None:
            return
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
)
for _hook, _listener in _LISTENERS:
    _hook.add_listener(_listener)
