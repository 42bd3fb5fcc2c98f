"""`python -m loadtest.swarm`: start, watch and stop a run on a locust master."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from loadtest.fields import FIELDS
from loadtest.report import doubt, truth_line
from loadtest.run import End, Run, fault
from loadtest.shelf import CONTENT

ANSWER_TIMEOUT_S = 10.0
ASKED_EVERY_S = 1.0
STARTED_WITHIN_S = 15.0
ENDS_WITHIN_S = 120.0
# The master waits for the last words of all workers first.
REPORTED_WITHIN_S = 90.0
# Of its duration: what a busy machine delays is still sent.
LASTS_AT_MOST = 2
ENDED = frozenset({"ready", "stopped"})
DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130


class SwarmError(Exception):
    """The master cannot do what is asked; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands, as the master knows it.

    Attributes:
        state: Locust's word for it.
        workers: Workers that the master has.
        acknowledged: Events that Kafka has acknowledged.
        failed: Events that are not in Kafka.
        rate: Events a second, lately.
        problem: The most frequent reason of failures; None without any.
    """

    state: str
    workers: int
    acknowledged: int
    failed: int
    rate: float
    problem: str | None

    def __str__(self) -> str:
        """One line for the operator."""
        line = (
            f"{self.state}: {self.acknowledged:,} events acknowledged by Kafka, "
            f"{self.failed:,} failed, {self.rate:,.0f}/s, {self.workers} workers"
        )
        return line if self.problem is None else f"{line}; most failed with: {self.problem}"


def progress_of(answer: Mapping[str, Any]) -> Progress:
    """Read the master's answer to `GET /stats/requests`."""
    total = answer["stats"][-1]
    failed = int(total["num_failures"])
    errors = sorted(answer["errors"], key=lambda error: int(error["occurrences"]))
    return Progress(
        state=str(answer["state"]),
        workers=sum(worker["state"] != "missing" for worker in answer.get("workers", ())),
        acknowledged=int(total["num_requests"]) - failed,
        failed=failed,
        rate=float(answer["current_rps"]),
        problem=str(errors[-1]["error"]) if errors else None,
    )


@dataclass(frozen=True, slots=True)
class Master:
    """A locust master, by the address of its web UI."""

    url: str

    def start(self, fields: Mapping[str, object]) -> None:
        """Start a run, one user a worker.

        Args:
            fields: The run's fields as the web UI has them; what is not named stays as it is.

        Raises:
            SwarmError: It cannot be asked, has no worker, runs already or refuses the fields.
        """
        now = self.progress()
        if now.state not in ENDED:
            raise SwarmError(f"A run is going on at {self.url} ({now.state}): stop it first.")
        if not now.workers:
            raise SwarmError(
                f"The locust master at {self.url} has no worker: look at its locust-worker units."
            )
        answer = self._post("/swarm", {"user_count": now.workers, "spawn_rate": 100, **fields})
        if not answer.get("success"):
            raise SwarmError(f"The locust master refuses the run: {answer.get('message')}")
        deadline = time.monotonic() + STARTED_WITHIN_S
        while self.progress().state in ENDED:
            if time.monotonic() > deadline:
                raise SwarmError(f"The run at {self.url} did not start: look at its log.")
            time.sleep(ASKED_EVERY_S)

    def stop(self) -> None:
        """Stop what runs, if anything does."""
        if self.progress().state not in ENDED:
            self._post("/stop", None)

    def progress(self) -> Progress:
        """Where the run stands."""
        return progress_of(self._ask(Request(f"{self.url}/stats/requests")))  # noqa: S310

    def run(self) -> Run | None:
        """The newest run since the master came up; None where there was none."""
        told = self._ask(Request(f"{self.url}/run")).get("run")  # noqa: S310
        return None if told is None else Run.of(told)

    def report(self, within: float) -> dict[str, Any]:
        """The report of the newest run, once it is written.

        Args:
            within: Seconds.

        Raises:
            SwarmError: There is no run, or its report is not written in time.
        """
        deadline = time.monotonic() + within
        while (run := self.run()) is None or run.report is None:
            if run is None:
                raise SwarmError(f"The locust master at {self.url} knows of no run.")
            if time.monotonic() > deadline:
                raise SwarmError(f"The run at {self.url} has no report yet: look at its log.")
            time.sleep(ASKED_EVERY_S)
        return self._ask(Request(f"{self.url}/reports/{run.report}/{CONTENT}"))  # noqa: S310

    def ended(self, within: float) -> Progress:
        """Wait for the end of the run, and then for the last figures.

        Raises:
            SwarmError: It did not end in time.
        """
        deadline = time.monotonic() + within
        before = None
        while time.monotonic() < deadline:
            now = self.progress()
            if now.state in ENDED and now == before:
                return now
            before = now
            time.sleep(ASKED_EVERY_S)
        raise SwarmError(f"The run did not end within {within:.0f} s: {self.progress()}")

    def _post(self, path: str, form: Mapping[str, object] | None) -> dict[str, Any]:
        body = urlencode(form or {}).encode()
        return self._ask(Request(self.url + path, data=body, method="POST"))  # noqa: S310

    def _ask(self, request: Request) -> dict[str, Any]:
        try:
            with urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:  # noqa: S310
                found = json.load(answer)
        except (URLError, OSError, ValueError) as problem:
            raise SwarmError(
                f"The locust master at {self.url} does not answer: {problem}"
            ) from None
        if not isinstance(found, dict):
            raise SwarmError(f"What answers at {self.url} is no locust master.")
        return found


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line.

    Returns:
        The exit status: 0 done, 1 events failed, or what was waited for did not send what it was
        started for, 2 refused, 130 interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m loadtest.swarm", description=__doc__)
    parser.add_argument(
        "do",
        choices=("start", "run", "wait", "status", "stop", "report"),
        help="run waits for the end; run and wait fail unless all was sent that was asked for; "
        "report prints the newest one's JSON",
    )
    parser.add_argument("--master", required=True, metavar="URL", help="of its web UI")
    for field, kind in FIELDS.items():
        parser.add_argument(f"--{field}", type=kind, help="as in the web UI")
    chosen = parser.parse_args(arguments)
    given = {field: getattr(chosen, field) for field in FIELDS}
    fields = {field: value for field, value in given.items() if value is not None}
    if chosen.do == "run" and not chosen.duration:
        parser.error("run needs --duration, in seconds; start goes on until stop")
    master = Master(chosen.master.rstrip("/"))
    try:
        return _done(chosen.do, master, fields)
    except SwarmError as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted. A run that was started goes on: stop ends it.\n")
        return INTERRUPTED


def _done(do: str, master: Master, fields: Mapping[str, Any]) -> int:
    """Do one thing, and say what came of it; the exit status."""
    if do == "report":
        sys.stdout.write(f"{json.dumps(master.report(0), indent=1)}\n")
        return DONE
    if do == "stop":
        master.stop()
    if do in {"start", "run"}:
        master.start(fields)
    if do in {"start", "status"}:
        now = master.progress()
        sys.stdout.write(f"{now}\n")
        return FAILED if now.failed else DONE
    # Whoever waits need not know what was started: that is the master's to tell.
    begun = master.run()
    lasts = max(int(fields.get("duration", 0)), 0 if begun is None else begun.duration)
    now = master.ended((0 if do == "stop" else LASTS_AT_MOST * lasts) + ENDS_WITHIN_S)
    sys.stdout.write(f"{now}\n")
    run = master.run()
    if run is not None:
        _tell_report(master)
    wrong = None if do == "stop" else fault(run, now.acknowledged, now.failed, now.problem)
    if wrong is not None:
        sys.stderr.write(f"{wrong}\n")
    return FAILED if now.failed or wrong is not None else DONE


def _tell_report(master: Master) -> None:
    try:
        report = master.report(REPORTED_WITHIN_S)
    except SwarmError as problem:
        # The load is over all the same, and its success is no matter of a file.
        sys.stdout.write(f"report: none. {problem}\n")
        return
    why = doubt(report)
    held = report["held_events_per_second"]
    saturated = report["end"] == End.SATURATED and held is not None
    sys.stdout.write(
        f"report: {master.url}/reports/{report['name']}/ {truth_line(report)}"
        + (f"; held {held:,.0f} events/s before it fell behind" if saturated else "")
        + (f"; these counts are not whole: {why}" if why else "")
        + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
