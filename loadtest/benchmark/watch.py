"""What the witness says, heard on this machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Any, Self, cast

PROGRAM = Path(__file__).with_name("witness.py")
ENDS_WITHIN_S = 10.0
NEVER_S = 30.1
# Where the release of the monitoring host has the packages that the witness needs.
RELEASE = "/opt/ctr-exporter/current"
ENDPOINTS = "/etc/ctr/endpoints-reader.json"


class WitnessError(Exception):
    """The witness does not see; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the business stood.

    Attributes:
        at: Seconds since the epoch.
        ends: The end offsets of its topics, together.
        lag: How many of their offsets the ledger had not reached.
        away: When those events of the witness were sent that had no row yet.
        worked: Processor seconds of the witness itself.
    """

    at: float
    ends: int
    lag: int
    away: tuple[float, ...] = ()
    worked: float = 0.0

    @property
    def booked(self) -> int:
        """How far the ledger had come."""
        return self.ends - self.lag


@dataclass(slots=True)
class Seen:
    """All that was said so far; one thread hears, others read and wait.

    Attributes:
        version: ClickHouse's; None before all is reached.
        stands: In the order of time.
        took: Of each event that has become a row, when it was sent and the seconds that it took.
        failed: When events were sent that Kafka has not taken.
        over: Nothing more will be said.
    """

    version: str | None = None
    stands: list[Stand] = field(default_factory=list)
    took: list[tuple[float, float]] = field(default_factory=list)
    failed: list[float] = field(default_factory=list)
    over: bool = False
    _changed: Condition = field(default_factory=Condition)

    def hear(self, line: str) -> None:
        """Take a line.

        Raises:
            ValueError: It is none of the witness's.
        """
        told: dict[str, Any] = json.loads(line)
        with self._changed:
            if "at" in told:
                away = tuple(told["away"])
                worked = told["worked"]
                self.stands.append(Stand(told["at"], told["ends"], told["lag"], away, worked))
            elif "took" in told:
                self.took.append((told["sent"], told["took"]))
            elif "failed" in told:
                self.failed.append(told["failed"])
            elif "ready" in told:
                self.version = told["ready"]
            else:
                raise ValueError(f"The witness has said: {line.strip()}")
            self._changed.notify_all()

    def end(self) -> None:
        """Let those who wait know that nothing more will be said."""
        with self._changed:
            self.over = True
            self._changed.notify_all()

    def wait(self, until: Callable[[Seen], bool], within_s: float) -> bool:
        """Wait for what is said; whether it came, before the end or the time was up."""
        with self._changed:
            self._changed.wait_for(lambda: until(self) or self.over, within_s)
            return until(self)

    def latencies(self, begin: float, end: float) -> list[float]:
        """Seconds that the events took that were sent from one moment to another.

        One that was still under way when it was last looked for took at least until then, and one
        that Kafka has not taken took longer than anybody waits: neither is left out, as a
        percentile would be too good.
        """
        found = [took for sent, took in self.took if begin <= sent <= end]
        found += [NEVER_S for sent in self.failed if begin <= sent <= end]
        if self.stands:
            last = self.stands[-1]
            gone = {sent for sent, _ in self.took} | set(self.failed)
            left = [sent for sent in last.away if begin <= sent <= end and sent not in gone]
            found += [last.at - sent for sent in left]
        return found


@dataclass(slots=True)
class Watching:
    """A witness that is at work, for as long as the block lasts.

    Attributes:
        command: Runs Python there, its program on standard input.
        seconds: For how long at most.
        every_s: Between two stands.
        sends: Whether it sends events of its own.
        seen: What it has said.
    """

    command: Sequence[str]
    seconds: float
    every_s: float
    sends: bool
    seen: Seen = field(default_factory=Seen)
    _process: subprocess.Popen[str] | None = None
    _threads: list[Thread] = field(default_factory=list)
    _said: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Send it to work."""
        arguments = [f"--endpoints={ENDPOINTS}", f"--seconds={self.seconds:g}"]
        arguments += [f"--every={self.every_s:g}", *(["--sends"] if self.sends else [])]
        self._process = subprocess.Popen(  # noqa: S603 - a list of words
            [*self.command, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._threads = [Thread(target=one, daemon=True) for one in (self._hear, self._complaints)]
        for thread in self._threads:
            thread.start()
        program = cast("IO[str]", self._process.stdin)
        # It has ended already: what it has to say of that is read below.
        with suppress(BrokenPipeError), program:
            program.write(PROGRAM.read_text(encoding="utf-8"))
        return self

    def __exit__(self, *_: object) -> None:
        """Let it end: it does so by itself when nobody listens."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for thread in self._threads:
            thread.join(ENDS_WITHIN_S)

    def expect(self, until: Callable[[Seen], bool], what: str, within_s: float) -> None:
        """Wait for what it says.

        Raises:
            WitnessError: It did not come in time, or the witness has ended.
        """
        if not self.seen.wait(until, within_s):
            if self.seen.over:
                for thread in self._threads:
                    thread.join(ENDS_WITHIN_S)
                raise WitnessError(f"The probe on the monitoring host has ended: {self.complaint}")
            raise WitnessError(f"Not within {within_s:.0f} s: {what}.")

    @property
    def complaint(self) -> str:
        """The last that it has complained of."""
        if any("No module named" in line or "No such file" in line for line in self._said):
            return "the pipeline is not installed there as this checkout would: run make site."
        return self._said[-1] if self._said else "it has not said why."

    def _hear(self) -> None:
        try:
            for line in cast("IO[str]", cast("subprocess.Popen[str]", self._process).stdout):
                self._take(line)
        finally:
            self.seen.end()

    def _take(self, line: str) -> None:
        """Hear a line; one that is none of the witness's is kept as what it complains of."""
        try:
            self.seen.hear(line)
        except (ValueError, TypeError, LookupError):
            self._said.append(line.strip())

    def _complaints(self) -> None:
        for line in cast("IO[str]", cast("subprocess.Popen[str]", self._process).stderr):
            self._said.append(line.strip())
