"""`make demo`: from nothing to CTR rows on hosts of one's own, under load, and their proof."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from flink_job.domain import Counts, WindowKey
from flink_job.results import ctr_table
from loadtest.machine import Machine
from monitoring.pages import addresses

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "build" / "demo"
INVENTORY = ROOT / "inventories" / "lab"
RATE, SECONDS, BAD = 10_000, 60, 0.02
# How far a job that has just started on a busy machine may be behind.
LAG_S = 300
LAST_LINES = 15
INTERRUPTED = 130


class StepFailedError(Exception):
    """A step failed; the text is for the user."""


def playbook(name: str, **settings: object) -> list[str]:
    """The command that runs a playbook on the lab."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(INVENTORY)]
    command.append(str(ROOT / "ansible" / f"{name}.yml"))
    for setting, value in settings.items():
        command += ["-e", f"{setting}={value}"]
    return command


def conservation(log: str) -> str | None:
    """The conservation line in what reconcile printed, the last if there are several."""
    found = re.findall(r"conservation: [^\"'\n]*unexplained -?\d+", log)
    return found[-1] if found else None


def windows_of(rows: Sequence[Mapping[str, Any]]) -> dict[WindowKey, Counts]:
    """ClickHouse's rows as this project has them; its large integers come as text."""
    return {
        WindowKey(str(row["product_id"]), int(row["window_start"]) * 1_000): Counts(
            int(row["impressions"]), int(row["clicks"])
        )
        for row in rows
    }


@dataclass(slots=True)
class Demo:
    """The steps, one after the other, each with a log of its own."""

    console: Console
    steps: int = 0

    def step(self, name: str, command: Sequence[str]) -> str:
        """Run a command; what it printed.

        Raises:
            StepFailedError: It failed; the text has its last lines and where its log is.
        """
        self.steps += 1
        log = LOGS / f"{self.steps}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.log"
        started = time.monotonic()
        with log.open("w", encoding="utf-8") as file, self.console.status(f"{name} …"):
            status = subprocess.run(  # noqa: S603 - commands of this file
                command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
                env={**os.environ, "ANSIBLE_NOCOLOR": "1"},
            ).returncode
        printed = log.read_text(encoding="utf-8", errors="replace")
        took = f"{time.monotonic() - started:6.1f} s"
        self.console.print(f"{took}  {name}", highlight=False, markup=False)
        if status:
            last = "\n".join(printed.rstrip().splitlines()[-LAST_LINES:])
            raise StepFailedError(f"{last}\n\n{name}: failed; all it said is in {log}")
        return printed

    def run(self) -> bool:
        """All of it; whether conservation held."""
        self.step("Make the lab's hosts", ["make", "lab"])
        self.step("Install and start everything", playbook("site"))
        self.step(
            f"Start {SECONDS} s of load, {RATE:,} events/s, {BAD:.0%} bad",
            playbook("load", load_rate=RATE, load_duration=SECONDS, load_bad=BAD),
        )
        file = LOGS / "rows.json"
        self.step("Wait for rows", playbook("rows", rows_file=file))
        self.step(
            "Wait for the end of the load",
            playbook("load", load_state="awaited", load_duration=SECONDS),
        )
        told = self.step(
            "Reconcile with Kafka's own offsets", playbook("reconcile", reconcile_within=LAG_S)
        )
        self.step("Read the newest rows", playbook("rows", rows_file=file))
        list_command = playbook("site")[0].replace("ansible-playbook", "ansible-inventory")
        listed = self.step("Look up the pages", [list_command, "-i", str(INVENTORY), "--list"])

        self.console.print()
        self.console.print(ctr_table(windows_of(json.loads(file.read_text(encoding="utf-8")))))
        for page, address in addresses(json.loads(listed)):
            opened = address if page.opens == "/" else f"{address}{page.opens}"
            self.console.print(f"{page.name:<14}{opened}", highlight=False, soft_wrap=True)
        self.console.print("make status  what runs where     make down  stop and remove it all")
        line = conservation(told)
        if line is None:
            raise StepFailedError(f"Reconcile said nothing of conservation; see {LOGS}")
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)
        return line.endswith("unexplained 0")


def main() -> int:
    """Run from the command line; the exit status: 0 only if conservation held, 130 interrupted."""
    console = Console()
    if (why := Machine.this().no_hosts_because()) is not None:
        console.print(f"{why} The same job follows, embedded in one process.", soft_wrap=True)
        return subprocess.run(["make", "replay"], cwd=ROOT, check=False).returncode  # noqa: S607
    LOGS.mkdir(parents=True, exist_ok=True)
    try:
        return 0 if Demo(console).run() else 1
    except StepFailedError as problem:
        console.print(f"\n{problem}", highlight=False, markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        console.print(
            "\nInterrupted. The lab stays as it is: `make demo` goes on from there, `make down` "
            "removes it.",
            soft_wrap=True,
        )
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
