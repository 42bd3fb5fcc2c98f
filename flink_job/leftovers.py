"""Checkpoints outlive a job that was cancelled; once another serves, Flink disposes of them.

They are written down while Flink knows the job still, which it forgets. Those of the job before
stay, and of any that something was started from: the newest may be needed to go back, and
checkpoints of one job share files.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from flink_job.cluster import Cluster, ClusterError
from flink_job.deployed import keep_deployed, read_deployed
from flink_job.savepoints import DISPOSAL_S

# What there is more of has to wait for the next deployment, and nobody for it.
AT_ONCE = 20


def remember(cluster: Cluster, file: Path, name: str) -> list[str]:
    """Write down which checkpoints the jobs of a name have left.

    Returns:
        What could not be done, in sentences.
    """
    deployed = read_deployed(file)
    if deployed is None:
        return []
    try:
        left = [path for job in cluster.ended_jobs(name) for path in cluster.outliving(job)]
    except ClusterError as problem:
        sentence = (
            f"Flink does not tell which checkpoints cancelled jobs have left ({problem}); those it "
            "has forgotten by the next deployment stay in the store."
        )
        return [sentence]
    new = tuple(path for path in left if path not in deployed.checkpoints)
    if new:
        keep_deployed(file, replace(deployed, checkpoints=(*deployed.checkpoints, *new)))
    return []


def dispose_of_left(cluster: Cluster, file: Path, before: str | None) -> list[str]:
    """Dispose of what cancelled jobs have left, now that another job serves.

    What fails is told and tried again the next time, since what serves is not to fail for it.

    Args:
        cluster: Whose checkpoints they are.
        file: Keeps what was deployed, and what checkpoints were left.
        before: The job that the one which serves follows; its checkpoints stay.

    Returns:
        What was done and what could not be, in sentences.
    """
    deployed = read_deployed(file)
    if deployed is None or not deployed.checkpoints:
        return []
    told, deleted = [], 0
    try:
        needed = {_job(path) for path in (*cluster.origins(), deployed.started_from) if path}
        free = [
            path
            for path in deployed.checkpoints
            if _job(path) not in needed and PurePosixPath(_job(path)).name != before
        ]
        for path in free[:AT_ONCE]:
            deleted += cluster.dispose(path, DISPOSAL_S)
            left = tuple(one for one in deployed.checkpoints if one != path)
            deployed = replace(deployed, checkpoints=left)
            keep_deployed(file, deployed)
    except ClusterError as problem:
        told.append(
            f"{len(deployed.checkpoints):,} checkpoints of cancelled jobs are still there "
            f"({problem}); the next deployment disposes of those that nobody needs."
        )
    if deleted:
        told.insert(0, f"disposed of {deleted:,} checkpoints that cancelled jobs had left")
    return told


def _job(path: str) -> str:
    """The folder of all checkpoints of a job; a savepoint stands for itself."""
    place = PurePosixPath(path)
    return str(place.parent if place.name.startswith("chk-") else place)
