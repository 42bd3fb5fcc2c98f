"""`python -m tests.lab.drill NAME`: the drill of an alert on the lab, and a line that tells of it.

The alert's own drill.yml sends load, injects the fault, waits for the alert, runs the alert's
playbook, waits for the end of the alert and proves conservation. Here rows are watched from outside
meanwhile, and what was sent is held against Kafka's offsets. Without a name all drills run.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.lab.fleet import ROOT, Lab, LabFailedError
from tests.lab.watch import Watch, silence

RUNBOOKS = ROOT / "runbooks"
ACKNOWLEDGED = re.compile(r"([\d,]+) events acknowledged by Kafka, ([\d,]+) failed")
# Whatever a drill has done: its load, what it has stopped or set, its job.
BACK = (("load", "-e", "load_state=stopped"), ("kafka",), ("flink",), ("job",))
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Drilled:
    """What became of a drill; times in seconds from the begin of the fault.

    Attributes:
        alert: The alert's name.
        alert_s: Until it was at the receiver.
        mended_s: Until its playbook had verified that all is well.
        silent_s: The longest time in which no count rose.
        lost: Events that Kafka has acknowledged and that are not in its topics; what is in them and
            not explained fails the drill before.
    """

    alert: str
    alert_s: float
    mended_s: float
    silent_s: float
    lost: int

    def __str__(self) -> str:
        """The line for the reader."""
        return (
            f"{self.alert}: alert after {self.alert_s:.0f} s, mended after {self.mended_s:.0f} s, "
            f"rows missing for {self.silent_s:.0f} s, events lost {self.lost}"
        )


def names() -> list[str]:
    """The alerts that have a drill."""
    return sorted(path.parent.name for path in RUNBOOKS.glob("*/drill.yml"))


def playbook(alert: str, kind: str) -> str:
    """A playbook of a runbook, as the lab is told one of the project's."""
    return f"../runbooks/{alert}/{kind}"


def acknowledged(said: str) -> int:
    """How many events a load says that Kafka has acknowledged.

    Raises:
        AssertionError: Some failed, or it does not say.
    """
    found = ACKNOWLEDGED.search(said)
    assert found is not None, f"the load does not tell what it sent: {said!r}"
    assert found[2] == "0", f"the load could not send all: {said}"
    return int(found[1].replace(",", ""))


def drilled(lab: Lab, alert: str) -> Drilled:
    """Run the drill of an alert.

    Raises:
        AssertionError: It did not go as it must; the text says what did not.
        KeyboardInterrupt: Somebody has interrupted it; its load and its fault are taken back.
        TimeoutExpired: It took too long; the same is done.
    """
    before = lab.offsets()
    with TemporaryDirectory() as folder, Watch(lab.counted_since(int(time.time()) - 60)) as watch:
        report = Path(folder, "report.json")
        try:
            lab.playbook(playbook(alert, "drill"), "-e", f"drill_report={report}")
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            # It was ended in the middle, so that what it does at its end was not done.
            put_back(lab, alert)
            raise
        told: dict[str, Any] = json.loads(report.read_text())
        begun = time.monotonic() - (time.time() - told["begun"])
        # A copy: the watch goes on.
        gap = silence(list(watch.rises), begun)
    assert gap is not None, f"{alert}: no row came after the fault"
    return Drilled(
        alert,
        alert_s=told["alerted"] - told["begun"],
        mended_s=told["mended"] - told["begun"],
        silent_s=gap[1] - gap[0],
        lost=acknowledged(told["load"] or "") - (lab.offsets() - before),
    )


def put_back(lab: Lab, alert: str) -> None:
    """Stop the load of a drill that was broken off, and bring the lab to what its inventory says.

    What cannot be done is said, and the rest is done.
    """
    sys.stderr.write(
        f"{alert}: its drill was broken off. Its load is stopped, and Kafka, Flink and the job are "
        "brought to what the inventory says, which takes some minutes.\n"
    )
    for name, *options in BACK:
        try:
            lab.playbook(name, *options)
        except (LabFailedError, subprocess.SubprocessError) as problem:
            sys.stderr.write(f"{problem}\nMend it by `make site`.\n")
    sys.stderr.write(f"{alert}: what could be put back is.\n")


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line.

    The exit status is 0 if all held, 2 for a name without a drill, and 130 if it was interrupted.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.lab.drill", description=__doc__)
    parser.add_argument("alerts", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}")
    chosen = parser.parse_args(arguments).alerts or names()
    unknown = [alert for alert in chosen if alert not in names()]
    if unknown:
        parser.error(f"{', '.join(unknown)} has no drill; these have: {', '.join(names())}")
    held = True
    for alert in chosen:
        try:
            told = drilled(Lab(), alert)
        # What a part that is away makes of a question, or a playbook that has failed.
        except (
            AssertionError,
            OSError,
            HTTPException,
            ValueError,
            subprocess.SubprocessError,
        ) as problem:
            sys.stderr.write(f"{alert}: {problem}\n")
            held = False
            continue
        except KeyboardInterrupt:
            return INTERRUPTED
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
        held &= told.lost == 0
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
