"""Flink's REST interface, as much as a deployment needs."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

Found = TypeVar("Found")

ENDED = frozenset({"FINISHED", "CANCELED", "FAILED", "SUSPENDED"})
# As the job is submitted: the checkpoints of one that was stopped or has finished go with it.
OUTLIVED = frozenset({"CANCELED", "FAILED"})
ANSWER_TIMEOUT_S = 15
AGAIN_AFTER_S = 0.5
# The first may hold what was restored and little else; by the second the job has gone on itself.
CHECKPOINTS = 2
# Flink says 404 of what it never knew or has forgotten, and 409 of a job that has ended meanwhile.
GONE = frozenset({404, 409})
# An election, a gateway between, an answer that took too long: the next one may be right.
TIMED_OUT, FAILING = 408, 500


class ClusterError(Exception):
    """Flink does not do what it was asked for; the message is a sentence for the operator."""


class GoneError(ClusterError):
    """Flink does not know what it was asked about, or does so no longer."""


class NoAnswerError(ClusterError):
    """Flink has not answered, or not now; what it was asked to do may be under way."""


class LateError(ClusterError):
    """What was waited for has not come in time."""


class SavepointError(ClusterError):
    """A savepoint was not made, and its job was not stopped for it."""


@dataclass(frozen=True, slots=True)
class State:
    """What a job goes on from: a checkpoint or savepoint.

    Attributes:
        path: Where it is kept.
        taken_ms: When it was taken, in ms since the epoch; None where that is not known.
        savepoint: Whether it is a savepoint that the job itself has taken.
    """

    path: str
    taken_ms: int | None
    savepoint: bool = False


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

    def live_jobs(self, name: str | None = None) -> list[Job]:
        """The jobs that have not ended; with a name those of that name."""
        overview = self._ask("/jobs/overview")["jobs"]
        return [
            Job(job["jid"], job["state"])
            for job in overview
            if name in {None, job["name"]} and job["state"] not in ENDED
        ]

    def ended_jobs(self, name: str) -> list[str]:
        """The jobs of a name whose checkpoints outlive them, the first to end first.

        They were cancelled or have failed; Flink forgets them after an hour, or with a restart.
        """
        overview = self._ask("/jobs/overview")["jobs"]
        ended = [job for job in overview if job["name"] == name and job["state"] in OUTLIVED]
        return [job["jid"] for job in sorted(ended, key=lambda job: job.get("end-time", 0))]

    def outliving(self, job: str) -> list[str]:
        """The checkpoints that a job which has ended has left, the oldest first."""
        told = self._ask(f"/jobs/{job}/checkpoints")
        found = [one for one in told["history"] if one["status"] == "COMPLETED"]
        # A new JobManager knows of those before it only the one that it took the job up from.
        if restored := told["latest"].get("restored"):
            found.append(restored)
        kept = {
            one["id"]: str(one["external_path"])
            for one in found
            if not one.get("discarded")
            and not one.get("is_savepoint")
            and f"/{job}/" in str(one.get("external_path"))
        }
        return [kept[number] for number in sorted(kept)]

    def free_slots(self) -> int:
        """Slots that no job has."""
        return int(self._ask("/overview")["slots-available"])

    def origins(self) -> set[str]:
        """What the jobs that have not ended, of whatever name, were started from.

        Raises:
            ClusterError: It cannot be told now.
        """
        jobs = self.live_jobs()
        if any(job.state == "INITIALIZING" for job in jobs):
            raise ClusterError("Flink is only initializing a job, and may be about to read one.")
        latest = [self._ask(f"/jobs/{job.id}/checkpoints")["latest"] for job in jobs]
        restored = [one["restored"] for one in latest if one.get("restored")]
        return {one["external_path"] for one in restored if one.get("external_path")}

    def dispose(self, savepoint: str, within_s: float) -> bool:
        """Have Flink delete a savepoint, or a checkpoint that has outlived its job.

        Returns:
            Whether it was there.

        Raises:
            ClusterError: It may be there still.
        """
        asked = self._ask("/savepoint-disposal", {"savepoint-path": savepoint})["request-id"]

        def gone() -> bool | None:
            answer = self._ask(f"/savepoint-disposal/{asked}")
            if answer["status"]["id"] != "COMPLETED":
                return None
            failure = (answer.get("operation") or {}).get("failure-cause")
            trace = str((failure or {}).get("stack-trace", failure or ""))
            # So it is after a disposal whose end was not seen, and nothing can be done about it.
            if "FileNotFoundException: Cannot find" in trace:
                return False
            if trace:
                raise ClusterError(f"Flink could not delete it: {last_cause(trace)}")
            return True

        return wait(gone, within_s, f"Flink has not deleted it within {within_s:.0f} s")

    def newest_checkpoint(self, job: str) -> State | None:
        """The newest state of a job that is kept; None where there never was one.

        It is a checkpoint, a savepoint, or what the job itself was started from. Their ids go on
        rising from one job to the next that is started from it.

        Raises:
            GoneError: The cluster does not know the job, or it has deleted the checkpoint.
            ClusterError: It cannot be told yet.
        """
        latest = self._ask(f"/jobs/{job}/checkpoints")["latest"]
        # What was restored may be a completed one, which says whether it is still there.
        kinds = [latest.get(kind) for kind in ("restored", "savepoint", "completed")]
        kept = {one["id"]: one for one in kinds if one}
        if kept:
            newest = kept[max(kept)]
            if newest.get("discarded"):
                raise GoneError(f"Flink has deleted the newest checkpoint of job {job}.")
            taken_ms = newest.get("trigger_timestamp")
            return State(str(newest["external_path"]), taken_ms, newest is latest.get("savepoint"))
        # A job that a new JobManager takes up has no history before it has found its checkpoint.
        if self._ask(f"/jobs/{job}")["state"] == "INITIALIZING":
            raise ClusterError(f"Job {job} is only being initialized by Flink: deploy again later.")
        return None

    def keeps_checkpoints(self, job: str) -> bool:
        """Whether the checkpoints of a job outlive it when it is cancelled."""
        kept = self._ask(f"/jobs/{job}/checkpoints/config")["externalization"]
        return bool(kept["enabled"] and not kept["delete_on_cancellation"])

    def runs(self, job: str, within_s: float) -> bool:
        """Whether all tasks of a job run, or come to do so in time."""
        try:
            return wait(lambda: self._all_run(job) or None, within_s, "")
        except LateError:
            return False

    def _all_run(self, job: str) -> bool:
        detail = self._ask(f"/jobs/{job}")
        tasks = [vertex["status"] for vertex in detail["vertices"]]
        return detail["state"] == "RUNNING" and all(status == "RUNNING" for status in tasks)

    def stop(self, job: str, trigger: str, within_s: float) -> str:
        """Stop a job with a savepoint; where that is.

        Args:
            job: Its id.
            trigger: 32 hex digits that name this stop: asked for again, it is the same stop.
            within_s: How long it may take.

        Raises:
            SavepointError: The savepoint failed; the job was not stopped.
            LateError: It is not known what became of it: the job may go on, or stop later.
            ClusterError: It was not told to stop.
        """
        # The one format that any state backend starts from, whatever this cluster's default is.
        order = {"drain": False, "triggerId": trigger, "formatType": "CANONICAL"}
        unclear = f"whether job {job} will stop with a savepoint: deploy again, which finds out."
        late = f"It is not known after {within_s:.0f} s {unclear}"
        end = time.monotonic() + within_s
        wait(lambda: self._ask(f"/jobs/{job}/stop", order), within_s, late)

        def saved() -> str | None:
            answer = self._ask(f"/jobs/{job}/savepoints/{trigger}")
            if answer["status"]["id"] != "COMPLETED":
                return None
            operation = answer["operation"]
            if "location" not in operation:
                cause = operation.get("failure-cause", {}).get("stack-trace", "no cause given")
                raise SavepointError(f"The savepoint failed: {str(cause).splitlines()[0]}")
            return str(operation["location"])

        try:
            return wait(saved, end - time.monotonic(), late)
        except GoneError as problem:
            # A JobManager that came up meanwhile, which may take the job up again.
            raise LateError(f"Flink does not tell any more {unclear} ({problem})") from problem

    def cancel(self, job: str, within_s: float) -> None:
        """End a job without a savepoint; `keeps_checkpoints` says what is left of it.

        Raises:
            ClusterError: It has not ended in time.
        """

        def ended() -> bool | None:
            # A new JobManager does not know the job yet that it takes up in a moment.
            with suppress(GoneError):
                state = self._ask(f"/jobs/{job}")["state"]
                if state in ENDED:
                    return True
                if state != "CANCELLING":
                    self._ask(f"/jobs/{job}?mode=cancel", method="PATCH")
            return None

        wait(ended, within_s, f"job {job} was cancelled and has not ended within {within_s:.0f} s")

    def serving(self, job: str, within_s: float) -> None:
        """Wait until all tasks of a job run and have done so for two checkpoints.

        Raises:
            ClusterError: They do not in time.
        """

        def served() -> bool | None:
            detail = self._ask(f"/jobs/{job}")
            if detail["state"] in ENDED:
                raise ClusterError(f"job {job} ended as {detail['state']}: {self._why(job)}")
            if any(vertex["status"] != "RUNNING" for vertex in detail["vertices"]):
                return None
            return self._completed(job) >= CHECKPOINTS or None

        late = f"job {job} has not run for {CHECKPOINTS} checkpoints within {within_s:.0f} s"
        try:
            wait(served, within_s, late)
        except ClusterError as problem:
            raise ClusterError(f"{problem} ({self._why(job)})") from problem

    def finished(self, job: str, within_s: float, meanwhile: Callable[[], None]) -> None:
        """Wait until a job has come to the end of its input.

        Args:
            job: Its id.
            within_s: How long it may take.
            meanwhile: Done at each look; what it raises ends the waiting.

        Raises:
            ClusterError: It has not in time, or has ended in another way.
        """

        def ended() -> bool | None:
            state = self._ask(f"/jobs/{job}")["state"]
            if state in ENDED - {"FINISHED"}:
                raise ClusterError(f"job {job} ended as {state}: {self._why(job)}")
            if state == "FINISHED":
                return True
            meanwhile()
            return None

        wait(ended, within_s, f"job {job} has not come to its end within {within_s:.0f} s")

    def _completed(self, job: str) -> int:
        """How many of a job's last checkpoints have completed since it failed for the last time.

        A job that falls over again and again may complete one each time.
        """
        failed = max((entry["timestamp"] for entry in self._failures(job)), default=0)
        return sum(
            one["status"] == "COMPLETED" and one["trigger_timestamp"] > failed
            for one in self._ask(f"/jobs/{job}/checkpoints")["history"]
        )

    def _failures(self, job: str) -> list[dict[str, Any]]:
        history = self._ask(f"/jobs/{job}/exceptions").get("exceptionHistory", {})
        entries: list[dict[str, Any]] = history.get("entries", [])
        return entries

    def _why(self, job: str) -> str:
        failures = self._failures(job)
        return last_cause(str(failures[0]["stacktrace"])) if failures else "it tells no exception"

    def _ask(self, path: str, body: object = None, method: str | None = None) -> Any:  # noqa: ANN401
        request = urllib.request.Request(
            self._url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_TIMEOUT_S) as answer:
                content = answer.read()
        except urllib.error.HTTPError as problem:
            raise self._refusal(path, problem) from problem
        except (OSError, http.client.HTTPException) as problem:
            raise NoAnswerError(f"{self._url} does not answer: {problem}") from problem
        return json.loads(content) if content else None

    def _refusal(self, path: str, problem: urllib.error.HTTPError) -> ClusterError:
        try:
            said = problem.read().decode(errors="replace")[:300]
        except (OSError, http.client.HTTPException):
            said = "no reason that could be read"
        sentence = f"{self._url}{path} says {problem.code}: {said}"
        if problem.code in GONE:
            return GoneError(sentence)
        if problem.code == TIMED_OUT or problem.code >= FAILING:
            return NoAnswerError(sentence)
        return ClusterError(sentence)


def last_cause(trace: str) -> str:
    """The last cause that a Java stack trace names, which is the one that says what is wrong."""
    lines = trace.strip().splitlines() or ["no reason given"]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    return causes[-1] if causes else lines[0]


def wait(ask: Callable[[], Found | None], within_s: float, late: str) -> Found:
    """Ask until there is an answer; a cluster that does not answer now is asked again.

    Raises:
        LateError: There is none in time; late says what.
    """
    end = time.monotonic() + within_s
    while True:
        silence = ""
        try:
            found = ask()
        except NoAnswerError as problem:
            found, silence = None, f" ({problem})"
        if found is not None:
            return found
        if time.monotonic() > end:
            raise LateError(late + silence)
        time.sleep(AGAIN_AFTER_S)
