"""`python -m flink_job.deploy`: bring the job that runs to this release, with its state.

A job that runs is stopped with a savepoint, and the new one starts from it. There are never two: if
the savepoint fails, the old one goes on and this fails. A job that does not run cannot take one: it
is cancelled, and the new one starts from its newest checkpoint. A new job that does not serve in
time is cancelled too: the next deployment, of the former release or a mended one, goes on from
where the old job ended.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from flink_job.cluster import Cluster, ClusterError, GoneError, Job, SavepointError
from flink_job.deployed import STOPPED, UNKNOWN, Deployed, keep_deployed, read_deployed
from flink_job.endpoints import EndpointsError, read_endpoints
from flink_job.group import ran_before
from flink_job.java import JavaError
from flink_job.job import SETTINGS
from flink_job.submit import submit

NAME = SETTINGS["pipeline.name"]
SCRATCH, BEGINNING = "scratch", "the beginning of the topics"
# A job that has lost a TaskManager runs again after about ten seconds, and can be stopped then.
RECOVERY_S = 30.0
FAILED, MISTAKE = 1, 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should run.

    Attributes:
        digest: Of the release and the job's settings.
        within_s: How long each step may take.
        start: Starts it from a savepoint, or with None from the beginning; the job's id.
        origin: What it must start from: a savepoint, or `scratch`; None for where the last one was.
        ran_before: Whether the job has ever run against this Kafka, from wherever.
    """

    digest: str
    within_s: float
    start: Callable[[str | None], str]
    origin: str | None = None
    ran_before: Callable[[], bool] = lambda: False


def deploy(cluster: Cluster, state: Path, wanted: Wanted) -> str:
    """Bring the job to what is wanted; what was done, in a line.

    Raises:
        ClusterError: It cannot be done; the sentence says how things stand.
    """
    last, live = read_deployed(state), _only(cluster.live_jobs(NAME))
    same = last is not None and last.digest == wanted.digest and last.trigger is None
    if live is not None and same and wanted.origin is None:
        cluster.serving(live, wanted.within_s)
        return f"unchanged: job {live} runs"

    # Each step is kept before the next one can fail.
    if live is not None:
        last = _end(cluster, state, _running(last, live), wanted)
    elif last is not None and wanted.origin is None:
        last = Deployed(STOPPED, last.job, _left_by(cluster, last))
        keep_deployed(state, last)
    elif wanted.origin is None and wanted.ran_before():
        raise ClusterError(
            f"{state} is not there, but the job has run before, as its offsets in Kafka tell: name "
            "its newest checkpoint or savepoint from the store by --from, or start anew by --from "
            "scratch, which counts the topics again."
        )
    if wanted.origin is not None:
        origin = None if wanted.origin == SCRATCH else wanted.origin
    else:
        origin = None if last is None else last.started_from
    job = _start(cluster, state, last, origin, wanted)
    return f"deployed: job {job} runs, started from {origin or BEGINNING}"


def _only(jobs: list[Job]) -> str | None:
    if len(jobs) > 1:
        ids = ", ".join(job.id for job in jobs)
        raise ClusterError(f"Two jobs named {NAME} are alive ({ids}): cancel the wrong one first.")
    return jobs[0].id if jobs else None


def _running(last: Deployed | None, job: str) -> Deployed:
    """What is known of the job that is alive."""
    ours = last is not None and last.job == job and last.digest != STOPPED
    return last if last is not None and ours else Deployed(UNKNOWN, job, None)


def _end(cluster: Cluster, state: Path, running: Deployed, wanted: Wanted) -> Deployed:
    """End the job that is alive, with a savepoint if it can take one; how it ended."""
    recovery = min(RECOVERY_S, wanted.within_s)
    if running.trigger is not None or cluster.runs(running.job, recovery):
        try:
            return _stop(cluster, state, running, wanted.within_s)
        except SavepointError:
            if cluster.runs(running.job, 0):
                raise
    return _cancel(cluster, state, running, wanted)


def _stop(cluster: Cluster, state: Path, running: Deployed, within_s: float) -> Deployed:
    trigger = running.trigger or uuid4().hex
    keep_deployed(state, replace(running, trigger=trigger))
    try:
        saved = cluster.stop(running.job, trigger, within_s)
    except SavepointError:
        keep_deployed(state, replace(running, trigger=None))
        raise
    stopped = Deployed(STOPPED, running.job, saved)
    keep_deployed(state, stopped)
    return stopped


def _cancel(cluster: Cluster, state: Path, running: Deployed, wanted: Wanted) -> Deployed:
    """Cancel a job that does not run, once it is known what the next one can go on from."""
    if wanted.origin is None:
        ended = Deployed(STOPPED, running.job, _outliving(cluster, running))
    else:
        ended = replace(running, trigger=None)
    cluster.cancel(running.job, wanted.within_s)
    keep_deployed(state, ended)
    return ended


def _outliving(cluster: Cluster, running: Deployed) -> str | None:
    """Where the state of a job is kept when it has been cancelled."""
    newest = cluster.newest_checkpoint(running.job)
    if not cluster.keeps_checkpoints(running.job):
        raise ClusterError(
            f"Job {running.job} does not run, and Flink would delete its checkpoints with it: mend "
            "what keeps it from running, or name a savepoint by --from, or start anew by --from "
            "scratch, which counts the topics again."
        )
    return newest or running.started_from


def _left_by(cluster: Cluster, last: Deployed) -> str | None:
    """Where a job that is gone can go on; what it once started from may be weeks old."""
    if last.digest == STOPPED:
        return last.started_from
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


def _start(
    cluster: Cluster, state: Path, last: Deployed | None, origin: str | None, wanted: Wanted
) -> str:
    """Start the new job and wait until it serves, or cancel it again; its id."""
    job = wanted.start(origin)
    # Not what is wanted before it has served: deployed again, it is ended first.
    keep_deployed(state, Deployed(UNKNOWN, job, origin))
    try:
        cluster.serving(job, wanted.within_s)
    except ClusterError as problem:
        try:
            cluster.cancel(job, wanted.within_s)
        except ClusterError as other:
            raise ClusterError(
                f"The new job does not serve ({problem}) and could not be cancelled ({other}): see "
                "what Flink does, then deploy again, which ends that job first; it was started "
                f"from {origin or BEGINNING}."
            ) from problem
        former = last or Deployed(STOPPED, job, origin)
        keep_deployed(state, former)
        raise ClusterError(
            f"The new job does not serve ({problem}) and was cancelled, so that none runs now: "
            f"deploy the former release or a mended one, which goes on from {_told(former)}."
        ) from problem
    keep_deployed(state, Deployed(wanted.digest, job, origin))
    return job


def _told(ended: Deployed) -> str:
    if ended.digest == STOPPED:
        return ended.started_from or BEGINNING
    return f"the newest checkpoint of job {ended.job}"


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flink_job.deploy", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--cluster", required=True, metavar="HOST:PORT", help="Flink's REST interface"
    )
    parser.add_argument("--release", required=True, help="digest of the release that this is")
    parser.add_argument("--state", type=Path, required=True, help="file that keeps what runs")
    parser.add_argument("--build", type=Path, required=True, help="folder for the function's jar")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="KEY=VALUE", help="a Flink setting"
    )
    parser.add_argument("--within", type=float, default=120.0, metavar="S", help="for each step")
    parser.add_argument(
        "--from", dest="origin", metavar="PATH", help="start from this savepoint, or from scratch"
    )
    chosen = parser.parse_args(arguments)
    settings = dict(pair.split("=", 1) for pair in chosen.setting)
    try:
        kafka = read_endpoints(chosen.endpoints).kafka
        # A job must be started anew for another Kafka or another login, too.
        whole = [chosen.release, sorted(settings.items()), sorted(kafka.client_arguments().items())]
        digest = hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:12]

        def start(origin: str | None) -> str:
            return submit(kafka, chosen.cluster, chosen.build, settings, origin)

        wanted = Wanted(digest, chosen.within, start, chosen.origin, lambda: ran_before(kafka))
        done = deploy(Cluster(chosen.cluster), chosen.state, wanted)
    except EndpointsError as problem:
        sys.stderr.write(f"{problem}\n")
        return MISTAKE
    except (ClusterError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED
    sys.stdout.write(f"{done}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
