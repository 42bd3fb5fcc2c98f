"""One entrant through one set of messages: started, followed, measured, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtest.pace import Pace
from loadtest.peers.broker import make_topics
from loadtest.peers.entrant import HERE, Entrant
from loadtest.peers.latency import Latency, latency
from loadtest.peers.processes import members, use_of
from loadtest.peers.results import Difference, Results, difference
from loadtest.peers.supplied import Source
from loadtest.peers.told import Told
from loadtest.peers.truth import Truth, arrivals, ends_of
from loadtest.shape import Constant

STEP_S = 0.1
# An entrant that writes nothing and uses less than this share of a processor waits for events.
IDLE_SHARE = 0.2
# One that uses less than this may do nothing but ask for them.
POLLS_SHARE = 0.5
MEMORY_MOST = 3 * 2**30
LIVE_RATE = 1_000.0
LIVE_EVENTS = 12_000
LIVE_WAIT_S = 50.0
END_S = 10.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an entrant may take, in seconds.

    Attributes:
        drain: From its start to its last result.
        idle: What neither writes nor works for so long has written all that it will.
    """

    drain: float
    idle: float = 12.0

    def times(self, factor: float) -> Patience:
        """The same on a machine that others keep busy."""
        return Patience(self.drain * factor, self.idle * factor)


@dataclass(frozen=True, slots=True)
class Drain:
    """A set of messages, from the start of the program to its last result.

    Attributes:
        events: Messages in the topics.
        cpu: CPU seconds.
        wall: Seconds.
        memory: Bytes, the most at any moment.
        difference: How the results differ; None where it did not come to an end.
        failed: Why it did not come to an end.
    """

    events: int
    cpu: float
    wall: float
    memory: int
    difference: Difference | None = None
    failed: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A drain, and how long events took while it went on."""

    drain: Drain
    latency: Latency | None = None


def run(  # noqa: PLR0913 - all of them are what a run is
    entrant: Entrant,
    address: str,
    truth: Truth,
    within: Patience,
    logs: Path,
    *,
    source: Source | None = None,
) -> Run:
    """Start an entrant, let it drain the topics, and end it.

    Args:
        entrant: Who.
        address: Host:port of the broker.
        truth: What its results should be.
        within: How long it may take.
        logs: A folder for what it says.
        source: Sends on, at a modest rate, once it has drained the topics; None to leave that out.
    """
    with tempfile.TemporaryDirectory(prefix=f"ctr-peers-{entrant.name}-") as state:
        stamp = f"{entrant.name}-{len(truth.letters)}-{truth.events}"
        windows, letters = f"{stamp}-windows", entrant.letters or f"{stamp}-dead-letters"
        make_topics(address, [windows, letters, *(windows + name for name in entrant.further)])
        told = Told(address, windows, letters, Path(state))
        results = Results(address, told.windows, told.letters)
        try:
            with started(entrant, told, logs / f"{stamp}.log") as process:
                drain = _drained(process, results, truth, within)
                seen = None
                if source is not None and drain.failed is None:
                    seen = _live(process, results, address, source)
                return Run(drain, seen)
        finally:
            results.close()


@contextmanager
def started(entrant: Entrant, told: Told, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An entrant in a session of its own, which is ended with all that it has started."""
    environment = {**os.environ, **entrant.environment, **told.environment()}
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - no shell reads it
            entrant.command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd=HERE.parents[1],
            env=environment,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _drained(
    process: subprocess.Popen[bytes], results: Results, truth: Truth, within: Patience
) -> Drain:
    began = time.monotonic()
    cpu = last_cpu = memory = 0.0
    wall = 0.0
    busy = heard = began
    while True:
        came = results.follow(STEP_S)
        now, use = time.monotonic(), use_of(process.pid)
        memory = max(memory, use.memory)
        if use.cpu - last_cpu > IDLE_SHARE * (now - busy) or came:
            busy, last_cpu = now, use.cpu
        if came:
            cpu, wall, heard = use.cpu, now - began, now
        over = now - began > within.drain
        # Who asks for more without a rest is never idle: in the end it is enough to be silent.
        polls = over and use.cpu - cpu < POLLS_SHARE * (now - heard)
        silent = now - (heard if polls else busy) > within.idle
        failed = None
        if results.complete(truth):
            break
        if process.poll() is not None:
            failed = f"ended with status {process.returncode}"
        elif use.memory > MEMORY_MOST:
            failed = f"needed more than {MEMORY_MOST / 2**30:.0f} GB"
        elif results.windows and silent:
            break
        elif over:
            failed = f"did not finish within {within.drain:.0f} s"
        if failed:
            return Drain(truth.events, use.cpu, now - began, int(memory), failed=failed)
    found = difference(truth, results.windows, results.letters)
    return Drain(truth.events, cpu, wall, int(memory), found)


def _live(
    process: subprocess.Popen[bytes], results: Results, address: str, source: Source
) -> Latency:
    """Send at a modest rate until the first events of it have all been seen, or time is over."""
    begins = ends_of(address)
    results.rows.clear()
    measured, began = Pace(Constant(LIVE_RATE), events=LIVE_EVENTS), time.monotonic()
    while not measured.done:
        source.tick(measured, time.monotonic() - began)
        results.follow(0.005)
    source.flush()
    events = arrivals(address, begins, ends_of(address))
    # What emits a window at its end needs events that bring that end.
    further, since = Pace(Constant(LIVE_RATE)), time.monotonic()
    while True:
        found = latency(events, results.rows)
        waited = time.monotonic() - since
        if not found.unseen or waited > LIVE_WAIT_S or process.poll() is not None:
            return found
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            source.tick(further, time.monotonic() - since)
            results.follow(0.005)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and all of its session, by their ids."""
    process.terminate()
    deadline = time.monotonic() + END_S
    while members(process.pid) and time.monotonic() < deadline:
        process.poll()
        time.sleep(STEP_S)
    for member in members(process.pid):
        try:
            os.kill(member, signal.SIGKILL)
        except ProcessLookupError:
            continue
    process.wait()
