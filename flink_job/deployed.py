"""What was deployed last, kept in a file, so that the next deployment loses nothing."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

STOPPED, UNKNOWN = "stopped", "unknown"


class DeployedError(Exception):
    """The file cannot be read; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the job: all that it takes to start exactly this one again.

    Attributes:
        release: Folder of its code, which stays beside those of other versions.
        settings: Flink settings of the job.
    """

    release: str
    settings: dict[str, str]

    @property
    def name(self) -> str:
        """The name of its release, which is the digest of it."""
        return Path(self.release).name


@dataclass(frozen=True, slots=True)
class Deployed:
    """What was deployed last.

    Attributes:
        digest: Of the release and the job's settings; `stopped` where the job has ended, `unknown`
            for one that was not started from here, or has not served yet.
        job: The job's id.
        started_from: Savepoint or checkpoint that it started from, or has left; None is the
            beginning of the topics.
        left_ms: When that was the newest state, in ms since the epoch, or when the newest message
            was appended that it has read; None where neither is known.
        trigger: Of the savepoint that it was told to stop with; None when it was not, or has.
        version: The version that has served last, whatever is being tried instead of it; None when
            that is not known.
        former: The one that served before it.
        savepoints: Those that deployments have taken and that are still there, the oldest first.
        checkpoints: Those that jobs have left which were cancelled or have failed, as far as they
            may still be there, the oldest first.
        back: The job was ended for `former` to run again, which has not served yet.
    """

    digest: str
    job: str
    started_from: str | None
    left_ms: int | None = None
    trigger: str | None = None
    version: Version | None = None
    former: Version | None = None
    savepoints: tuple[str, ...] = ()
    checkpoints: tuple[str, ...] = ()
    back: bool = False


def read_deployed(file: Path) -> Deployed | None:
    """What the file says; None where nothing was deployed from this host.

    Raises:
        DeployedError: It cannot be understood.
    """
    try:
        content = json.loads(file.read_text())
        # Another release, which goes back to this one, may keep more.
        known = {
            field.name: content[field.name] for field in fields(Deployed) if field.name in content
        }
        for name in ("version", "former"):
            known[name] = _version(known.get(name))
        for name in ("savepoints", "checkpoints"):
            known[name] = tuple(known.get(name, ()))
        return Deployed(**known)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise DeployedError(
            f"{file} cannot be read ({problem}): put it away, and name where the job is to go on "
            "from by --from."
        ) from problem


def _version(content: dict[str, Any] | None) -> Version | None:
    return None if content is None else Version(content["release"], content["settings"])


def keep_deployed(file: Path, deployed: Deployed) -> None:
    """Write the file, in one step that a loss of power does not undo."""
    new = file.with_suffix(".new")
    with new.open("w") as written:
        written.write(json.dumps(asdict(deployed), indent=2) + "\n")
        written.flush()
        os.fsync(written.fileno())
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
