"""`python -m flink_job.deploy`: bring the job that runs to this release, with its state.

A version that does not serve in time is taken back by itself: the one before runs again, with its
own code, its own settings, and the state that it ended with. The exit status says how things stand.
"""

from __future__ import annotations

import argparse
import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

from flink_job.age import lifetime_of
from flink_job.cluster import Cluster, ClusterError, LateError
from flink_job.deployed import DeployedError, Version
from flink_job.endpoints import EndpointsError, read_endpoints
from flink_job.java import JavaError
from flink_job.launch import Launcher
from flink_job.rollout import DownError, RolledBackError, Rollout, UnclearError


class Status(IntEnum):
    """How a deployment ends."""

    DONE = 0
    # What was there before is there still.
    FAILED = 1
    MISTAKE = 2
    ROLLED_BACK = 3
    DOWN = 4
    UNCLEAR = 5


@contextmanager
def alone(state: Path) -> Iterator[int]:
    """Keep other deployments away, for as long as the file is open here or in what is started.

    Raises:
        ClusterError: There is another.
    """
    with state.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            raise ClusterError(
                "Another deployment is under way on this host: wait for its end, then look again."
            ) from problem
        yield lock.fileno()


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m flink_job.deploy", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--cluster", required=True, metavar="HOST:PORT", help="Flink's REST interface"
    )
    parser.add_argument("--release", required=True, help="folder of the release to deploy")
    parser.add_argument("--state", type=Path, required=True, help="file that keeps what runs")
    parser.add_argument("--build", type=Path, required=True, help="folder for the function's jar")
    parser.add_argument(
        "--setting", action="append", default=[], metavar="KEY=VALUE", help="a Flink setting"
    )
    parser.add_argument("--within", type=float, default=120.0, metavar="S", help="for each step")
    parser.add_argument(
        "--from", dest="origin", metavar="PATH", help="start from this savepoint, or from scratch"
    )
    parser.add_argument(
        "--savepoints-kept", type=int, default=5, metavar="N", help="older ones are disposed of"
    )
    parser.add_argument(
        "--rollback",
        action="store_true",
        help="go back to the version that served before, with the settings that it had",
    )
    parser.add_argument(
        "--despite-age",
        action="store_true",
        help="start also from a state whose windows have expired, to recount them afterwards",
    )
    chosen = parser.parse_args(arguments)
    settings = dict(pair.split("=", 1) for pair in chosen.setting)
    try:
        lifetime_of(settings)
    except ValueError as problem:
        parser.error(str(problem))
    try:
        with alone(chosen.state) as lock:
            launcher = Launcher(
                read_endpoints(chosen.endpoints).kafka,
                chosen.endpoints,
                chosen.cluster,
                chosen.build,
                chosen.within,
                lock,
            )
            rollout = Rollout(
                Cluster(chosen.cluster),
                chosen.state,
                launcher,
                chosen.within,
                chosen.savepoints_kept,
                chosen.despite_age,
            )
            if chosen.rollback:
                done = rollout.roll_back(chosen.origin)
            else:
                done = rollout.deploy(Version(chosen.release, settings), chosen.origin)
    except (ClusterError, DeployedError, EndpointsError, JavaError) as problem:
        sys.stderr.write(f"{problem}\n")
        return status_of(problem)
    # Such as a full disk, with the job stopped before what it left could be written down.
    except OSError as problem:
        sys.stderr.write(
            f"This host cannot go on ({problem}), and the job may have been stopped: mend that, "
            "then deploy again, which finds out.\n"
        )
        return Status.UNCLEAR
    sys.stdout.write(f"{done}\n")
    return Status.DONE


def status_of(problem: Exception) -> Status:
    """How things stand after a deployment that failed."""
    if isinstance(problem, EndpointsError):
        return Status.MISTAKE
    if isinstance(problem, RolledBackError):
        return Status.ROLLED_BACK
    if isinstance(problem, DownError):
        return Status.DOWN
    # Whether a job that was told to stop, or to end, will do so.
    if isinstance(problem, (UnclearError, LateError)):
        return Status.UNCLEAR
    return Status.FAILED


if __name__ == "__main__":
    sys.exit(main())
