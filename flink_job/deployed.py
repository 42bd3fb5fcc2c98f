"""What was deployed last, kept in a file, so that the next deployment loses nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

STOPPED, UNKNOWN = "stopped", "unknown"


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed last.

    Attributes:
        digest: Of the release and the job's settings; `stopped` where the job has ended, `unknown`
            for one that was not started from here, or has not served yet.
        job: The job's id.
        started_from: Savepoint or checkpoint that it started from, or has left; None is the
            beginning of the topics.
        trigger: Of the savepoint that it was told to stop with; None when it was not, or has.
    """

    digest: str
    job: str
    started_from: str | None
    trigger: str | None = None


def read_deployed(file: Path) -> Deployed | None:
    """What the file says; None where nothing was deployed from this host."""
    try:
        return Deployed(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None


def keep_deployed(file: Path, deployed: Deployed) -> None:
    """Write the file, in one step."""
    new = file.with_suffix(".new")
    new.write_text(json.dumps(asdict(deployed), indent=2) + "\n")
    new.replace(file)
