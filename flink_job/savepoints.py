"""The newest savepoints of deployments are kept, and Flink disposes of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flink_job.cluster import Cluster, ClusterError
from flink_job.deployed import keep_deployed, read_deployed

# It is some deletes in the store; a job serves meanwhile, so nobody waits for them but this.
DISPOSAL_S = 30.0


def dispose_of_older(cluster: Cluster, file: Path, kept: int) -> list[str]:
    """Dispose of all but the newest, and never of one that anything was started from.

    What fails is told and tried again the next time, since what serves is not to fail for it.

    Args:
        cluster: Whose savepoints they are.
        file: Keeps what was deployed, and what savepoints were taken for it.
        kept: How many stay.

    Returns:
        What could not be done, in sentences.
    """
    deployed = read_deployed(file)
    if deployed is None or len(deployed.savepoints) <= kept:
        return []
    older = deployed.savepoints[: len(deployed.savepoints) - kept]
    try:
        needed = cluster.origins() | {deployed.started_from}
    except ClusterError as problem:
        return [f"No older savepoint was disposed of ({problem}); the next deployment does it."]
    told = []
    for path in older:
        if path in needed:
            continue
        try:
            cluster.dispose(path, DISPOSAL_S)
        except ClusterError as problem:
            told.append(
                f"The savepoint {path} is not needed any more, but is still there ({problem}); the "
                "next deployment tries again to dispose of it."
            )
            continue
        left = tuple(one for one in deployed.savepoints if one != path)
        deployed = replace(deployed, savepoints=left)
        keep_deployed(file, deployed)
    return told
