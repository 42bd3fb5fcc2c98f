"""Flink's REST interface, as much as a deployment needs."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Found = TypeVar("Found")

ENDED = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})
ANSWER_TIMEOUT_S = 15
AGAIN_AFTER_S = 0.5


class ClusterError(Exception):
    """Flink does not do what it was asked for; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job that the cluster knows.

    Attributes:
        id: Its id, 32 hex digits.
        state: RUNNING, RESTARTING and so on, in Flink's words.
    """

    id: str
    state: str


class Cluster:
    """A session cluster."""

    def __init__(self, address: str) -> None:
        """Name it by host:port of its REST interface."""
        self._url = f"http://{address}"

    def live_jobs(self, name: str) -> list[Job]:
        """The jobs of a name that have not ended."""
        overview = self._ask("/jobs/overview")["jobs"]
        return [
            Job(job["jid"], job["state"])
            for job in overview
            if job["name"] == name and job["state"] not in ENDED
        ]

    def newest_checkpoint(self, job: str) -> str | None:
        """Where the last checkpoint or savepoint of a job that the cluster knows is kept."""
        try:
            latest = self._ask(f"/jobs/{job}/checkpoints")["latest"]
        except ClusterError:
            return None
        kept = [latest[kind] for kind in ("completed", "savepoint") if latest.get(kind)]
        newest = max(kept, key=lambda one: one["trigger_timestamp"], default=None)
        return None if newest is None else str(newest["external_path"])

    def stop(self, job: str, within_s: float) -> str:
        """Stop a job with a savepoint; where that is.

        Raises:
            ClusterError: There is no savepoint; the job goes on.
        """
        trigger = self._ask(f"/jobs/{job}/stop", {"drain": False})["request-id"]

        def saved() -> str | None:
            answer = self._ask(f"/jobs/{job}/savepoints/{trigger}")
            if answer["status"]["id"] != "COMPLETED":
                return None
            operation = answer["operation"]
            if "location" not in operation:
                cause = operation.get("failure-cause", {}).get("stack-trace", "no cause given")
                raise ClusterError(f"The savepoint failed: {str(cause).splitlines()[0]}")
            return str(operation["location"])

        return wait(saved, within_s, f"no savepoint of job {job} within {within_s:.0f} s")

    def serving(self, job: str, within_s: float) -> int:
        """Wait until all tasks of a job run and a checkpoint has completed; how many have.

        Raises:
            ClusterError: They do not in time.
        """

        def completed() -> int | None:
            detail = self._ask(f"/jobs/{job}")
            if detail["state"] in ENDED:
                raise ClusterError(f"job {job} ended as {detail['state']}: {self._why(job)}")
            if any(vertex["status"] != "RUNNING" for vertex in detail["vertices"]):
                return None
            count: int = self._ask(f"/jobs/{job}/checkpoints")["counts"]["completed"]
            return count or None

        late = f"job {job} has no completed checkpoint within {within_s:.0f} s"
        try:
            return wait(completed, within_s, late)
        except ClusterError as problem:
            raise ClusterError(f"{problem} ({self._why(job)})") from problem

    def _why(self, job: str) -> str:
        history = self._ask(f"/jobs/{job}/exceptions").get("exceptionHistory", {})
        entries = history.get("entries", [])
        if not entries:
            return "it tells no exception"
        lines = str(entries[0]["stacktrace"]).splitlines()
        causes = [line for line in lines if line.startswith("Caused by:")]
        return (causes or lines)[-1] if causes else lines[0]

    def _ask(self, path: str, body: object = None) -> Any:  # noqa: ANN401
        request = urllib.request.Request(
            self._url + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:
                content = answer.read()
        except urllib.error.HTTPError as problem:
            said = problem.read().decode(errors="replace")[:300]
            raise ClusterError(f"{self._url}{path} says {problem.code}: {said}") from problem
        except OSError as problem:
            raise ClusterError(f"{self._url} does not answer: {problem}") from problem
        return json.loads(content) if content else None


def wait(ask: Callable[[], Found | None], within_s: float, late: str) -> Found:
    """Ask until there is an answer.

    Raises:
        ClusterError: There is none in time; late says what.
    """
    end = time.monotonic() + within_s
    while True:
        found = ask()
        if found is not None:
            return found
        if time.monotonic() > end:
            raise ClusterError(late)
        time.sleep(AGAIN_AFTER_S)
