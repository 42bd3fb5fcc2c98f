"""`python -m flink_job.deploy`: bring the job that runs to this release, with its state.

A job that runs is stopped with a savepoint, and the new one starts from it. There are never two: if
the savepoint fails, the old one goes on and this fails.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import uuid4

from flink_job.cluster import Cluster, ClusterError, GoneError, SavepointError
from flink_job.endpoints import EndpointsError, read_endpoints
from flink_job.java import JavaError
from flink_job.job import SETTINGS
from flink_job.submit import submit

NAME = SETTINGS["pipeline.name"]
STOPPED, UNKNOWN, SCRATCH = "stopped", "unknown", "scratch"
FAILED, MISTAKE = 1, 2


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed last.

    Attributes:
        digest: Of the release and the job's settings; `stopped` where the job has ended, `unknown`
            for one that was not started from here.
        job: The job's id.
        started_from: Savepoint or checkpoint that it started from, or was stopped with.
        trigger: Of the savepoint that it was told to stop with; None when it was not, or has.
    """

    digest: str
    job: str
    started_from: str | None
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What should run.

    Attributes:
        digest: Of the release and the job's settings.
        within_s: How long each step may take.
        start: Starts it from a savepoint, or with None from the beginning; the job's id.
        origin: What it must start from: a savepoint, or `scratch`; None for where the last one was.
    """

    digest: str
    within_s: float
    start: Callable[[str | None], str]
    origin: str | None = None


def deploy(cluster: Cluster, state: Path, wanted: Wanted) -> str:
    """Bring the job to what is wanted; what was done, in a line.

    Raises:
        ClusterError: It cannot be done; the sentence says how things stand.
    """
    last = _last(state)
    live = cluster.live_jobs(NAME)
    if len(live) > 1:
        ids = ", ".join(job.id for job in live)
        raise ClusterError(f"Two jobs named {NAME} are alive ({ids}): cancel the wrong one first.")
    same = last is not None and last.digest == wanted.digest and last.trigger is None
    if live and same and wanted.origin is None:
        cluster.serving(live[0].id, wanted.within_s)
        return f"unchanged: job {live[0].id} runs"

    if live:
        last = _stop(cluster, state, _running(last, live[0].id), wanted.within_s)
    if wanted.origin is not None:
        origin = None if wanted.origin == SCRATCH else wanted.origin
    else:
        origin = None if last is None else _origin(cluster, last)
    job = wanted.start(origin)
    _keep(state, Deployed(wanted.digest, job, origin))
    cluster.serving(job, wanted.within_s)
    return f"deployed: job {job} runs, started from {origin or 'the beginning of the topics'}"


def _running(last: Deployed | None, job: str) -> Deployed:
    """What is known of the job that is alive."""
    ours = last is not None and last.job == job and last.digest != STOPPED
    return last if last is not None and ours else Deployed(UNKNOWN, job, None)


def _stop(cluster: Cluster, state: Path, running: Deployed, within_s: float) -> Deployed:
    """Stop a job with a savepoint; each step is kept before the next one can fail."""
    trigger = running.trigger or uuid4().hex
    _keep(state, replace(running, trigger=trigger))
    try:
        saved = cluster.stop(running.job, trigger, within_s)
    except SavepointError:
        _keep(state, replace(running, trigger=None))
        raise
    stopped = Deployed(STOPPED, running.job, saved)
    _keep(state, stopped)
    return stopped


def _origin(cluster: Cluster, last: Deployed) -> str:
    """Where a job that is gone can go on; what it once started from may be weeks old."""
    if last.digest == STOPPED and last.started_from is not None:
        return last.started_from
    try:
        origin = cluster.newest_checkpoint(last.job)
    except GoneError:
        origin = None
    if origin is None:
        raise ClusterError(
            f"Job {last.job} is gone and left no checkpoint that Flink knows of: name one from the "
            "store by --from, or start anew by --from scratch, which counts the topics again."
        )
    return origin


def _last(state: Path) -> Deployed | None:
    try:
        return Deployed(**json.loads(state.read_text()))
    except FileNotFoundError:
        return None


def _keep(state: Path, deployed: Deployed) -> None:
    new = state.with_suffix(".new")
    new.write_text(json.dumps(asdict(deployed), indent=2) + "\n")
    new.replace(state)


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

        wanted = Wanted(digest, chosen.within, start, chosen.origin)
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
