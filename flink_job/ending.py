"""How the job that is there ends, with its state kept for the next one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from flink_job.cluster import Cluster, ClusterError, GoneError, SavepointError, State
from flink_job.deployed import STOPPED, UNKNOWN, Deployed, keep_deployed

# A job that has lost a TaskManager runs again after about ten seconds, and can be stopped then.
RECOVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class Ending:
    """An end that loses nothing; each step is kept before the next one can fail.

    Attributes:
        cluster: Where the job runs.
        file: Keeps what was deployed.
        within_s: How long each step may take.
        stateless: The next job does not need the state of this one.
        read_to: When the newest message was appended that the newest checkpoint has read, in ms
            since the epoch; None where that cannot be told.
        back: The next job is of the version before.
    """

    cluster: Cluster
    file: Path
    within_s: float
    stateless: bool
    read_to: Callable[[], int | None]
    back: bool = False

    def end(self, last: Deployed | None, live: str) -> Deployed:
        """End the job that is alive, with a savepoint if it can take one; how it ended.

        Raises:
            ClusterError: It goes on, or it is not known whether it does.
        """
        running = _running(last, live)
        recovery = min(RECOVERY_S, self.within_s)
        if running.trigger is not None or self.cluster.runs(running.job, recovery):
            try:
                return self._stop(running)
            except SavepointError:
                if self.cluster.runs(running.job, 0):
                    raise
        return self._cancel(running)

    def _stop(self, running: Deployed) -> Deployed:
        trigger = running.trigger or uuid4().hex
        keep_deployed(self.file, replace(running, trigger=trigger))
        try:
            saved = self.cluster.stop(running.job, trigger, self.within_s)
        except SavepointError:
            keep_deployed(self.file, replace(running, trigger=None))
            raise
        kept = tuple(path for path in running.savepoints if path != saved)
        left = State(saved, int(time.time() * 1_000))
        return self._ended(replace(running, savepoints=(*kept, saved)), left)

    def _cancel(self, running: Deployed) -> Deployed:
        """Cancel a job that does not run, once it is known what the next one can go on from."""
        if self.stateless:
            self.cluster.cancel(running.job, self.within_s)
            ended = replace(running, trigger=None, back=self.back)
            keep_deployed(self.file, ended)
            return ended
        left = self._outliving(running)
        self.cluster.cancel(running.job, self.within_s)
        return self._ended(running, left)

    def _outliving(self, running: Deployed) -> State | None:
        """The state of a job that is kept when it has been cancelled."""
        newest = self.cluster.newest_checkpoint(running.job)
        if not self.cluster.keeps_checkpoints(running.job):
            raise ClusterError(
                f"Job {running.job} does not run, and Flink would delete its checkpoints with it: "
                "mend what keeps it from running, or name a savepoint by --from, or start anew by "
                "--from scratch, which counts the topics again."
            )
        return self._aged(newest, running) or _origin(running)

    def gone(self, last: Deployed) -> Deployed:
        """How a job ended that is not there any more.

        Raises:
            ClusterError: It has left nothing.
        """
        left = self._aged(left_by(self.cluster, last), last)
        # It was told to stop, and nobody has seen the end: the savepoint is as ours as any other.
        if last.trigger is not None and left is not None and left.savepoint:
            last = replace(last, savepoints=(*last.savepoints, left.path))
        return self._ended(last, left)

    def _aged(self, left: State | None, running: Deployed) -> State | None:
        """With its age: Flink tells none of what a new JobManager has taken a job up from.

        What was read last is as old as the state, or older where the job was behind. What the job
        was started from may be another's, and is no older than is known of it.
        """
        if left is None or left.taken_ms is not None or left.path == running.started_from:
            return left
        return replace(left, taken_ms=self.read_to())

    def _ended(self, running: Deployed, left: State | None) -> Deployed:
        path, taken_ms = (None, None) if left is None else (left.path, left.taken_ms)
        # Flink tells when it restored what a job was started from, and not how old that was.
        if path == running.started_from:
            taken_ms = running.left_ms
        ended = replace(
            running,
            digest=STOPPED,
            started_from=path,
            left_ms=taken_ms,
            trigger=None,
            back=self.back,
        )
        keep_deployed(self.file, ended)
        return ended


def left_by(cluster: Cluster, last: Deployed) -> State | None:
    """Where a job that is gone can go on; what it once started from may be weeks old.

    Raises:
        ClusterError: It has left nothing.
    """
    if last.digest == STOPPED:
        return _origin(last)
    try:
        left = cluster.newest_checkpoint(last.job)
    except GoneError:
        left = None
    if left is None:
        raise ClusterError(
            f"Job {last.job} is gone and left no checkpoint that Flink knows of: name one from the "
            "store by --from, or start anew by --from scratch, which counts the topics again."
        )
    return left


def _running(last: Deployed | None, job: str) -> Deployed:
    """What is known of the job that is alive."""
    if last is None:
        return Deployed(UNKNOWN, job, None)
    if last.job == job and last.digest != STOPPED:
        return last
    return replace(last, digest=UNKNOWN, job=job, started_from=None, left_ms=None, trigger=None)


def _origin(last: Deployed) -> State | None:
    return None if last.started_from is None else State(last.started_from, last.left_ms)
