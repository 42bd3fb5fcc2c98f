"""`python -m flink_job.backfill.claim`: one backfill at a time, from whatever machine it is run.

The claim is a file on the host of ClickHouse, where the tables are read and replaced for all of
them. It tells whose it is and ends by itself, so that a machine which goes away in the middle keeps
nobody away for good. Nothing hangs on how long it lasts: whoever has lost it to another is refused
before the tables are touched, and nobody takes it while they are, by a lock that the kernel lets go
with the process.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from flink_job.backfill.plan import Plan
from flink_job.backfill.span import told

DONE, REFUSED = 0, 2


class ClaimError(Exception):
    """Another backfill has the tables; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose the tables are.

    Attributes:
        asked: Tells one backfill from another, as in its plan.
        span: The range that it counts anew.
        who: Who runs it, and where.
        since: In ms since the epoch.
        until: The claim ends then, ms.
    """

    asked: int
    span: str
    who: str
    since: int
    until: int

    def __str__(self) -> str:
        """For people."""
        return f"the backfill of {self.span} by {self.who}, begun at {told(self.since)}"


def take(file: Path, claim: Claim) -> None:
    """Claim the tables; what has ended or is the same backfill's is replaced.

    Raises:
        ClaimError: They are another's.
    """
    with _locked(file):
        holder = _read(file)
        if holder and holder.asked != claim.asked and claim.since < holder.until:
            raise ClaimError(
                f"One backfill at a time: {holder}, has the tables. Wait for its end; where it is "
                f"dead, remove {file} on {socket.gethostname()}, or wait until "
                f"{told(holder.until)}, when the claim ends by itself."
            )
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(claim)), encoding="utf-8")
        new.replace(file)


def release(file: Path, asked: int) -> None:
    """Give a claim up; another's stays.

    Raises:
        ClaimError: The tables are at work on.
    """
    with _locked(file):
        holder = _read(file)
        if holder and holder.asked == asked:
            file.unlink()


@contextmanager
def held(file: Path, asked: int) -> Iterator[None]:
    """Let nobody else claim the tables while the block lasts, or this process.

    Raises:
        ClaimError: The claim is lost.
    """
    with _locked(file):
        holder = _read(file)
        if holder is None or holder.asked != asked:
            raise ClaimError(
                f"This backfill has lost its claim to {holder or 'whoever removed it'}, and has "
                "changed nothing: run it again when nobody else does."
            )
        yield


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    with file.with_suffix(".lock").open("a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            lock.seek(0)
            raise ClaimError(
                f"One backfill at a time: process {lock.read()} on {socket.gethostname()} is at "
                f"the tables for {_read(file) or 'another one'}. Wait for its end; where whoever "
                "runs it is gone, end that process."
            ) from problem
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _read(file: Path) -> Claim | None:
    try:
        return Claim(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as problem:
        raise ClaimError(
            f"{file} on {socket.gethostname()} does not tell whose the tables are ({problem}): "
            "remove it where no backfill is under way."
        ) from problem


def main(arguments: list[str] | None = None, *, clock: Callable[[], float] = time.time) -> int:
    """Run from the command line; the exit status: 0 done, 2 refused."""
    parser = argparse.ArgumentParser(prog="python -m flink_job.backfill.claim", description=__doc__)
    parser.add_argument("step", choices=["take", "release"])
    parser.add_argument("--file", type=Path, required=True, help="keeps whose the tables are")
    parser.add_argument("--plan", type=Plan.parsed, required=True, metavar="JSON")
    parser.add_argument("--who", default="somebody", help="who runs it, and where")
    parser.add_argument("--for", dest="lasts", type=float, default=5_400.0, metavar="S")
    chosen = parser.parse_args(arguments)
    now = int(clock() * 1_000)
    until = now + int(chosen.lasts * 1_000)
    plan: Plan = chosen.plan
    try:
        if chosen.step == "take":
            take(chosen.file, Claim(plan.asked, str(plan.span), chosen.who, now, until))
        else:
            release(chosen.file, plan.asked)
    except ClaimError as problem:
        sys.stderr.write(f"{problem}\n")
        return REFUSED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
