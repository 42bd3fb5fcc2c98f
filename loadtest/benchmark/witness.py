"""Sees on the monitoring host, where the services are known, what a benchmark asks of them.

It is sent there as it stands and run beside the canary, whose packages are installed there; it
needs no others. Each line that it prints is a JSON object:

    {"ready": "18.16.1"}
        ClickHouse's version, once all is reached
    {"at": 1764000000.1, "ends": 10, "lag": 2, "away": [1763999999.9], "worked": 1.5}
        where the topics of the business end, how many of their offsets the ledger has not reached,
        when those events of its own were sent that have no row yet, and its own processor seconds
    {"sent": 1763999999.9, "took": 0.21}
        one of its own has become a row
    {"failed": 1763999999.9}
        Kafka has not taken one of its own

Its own events are more of what the canary sends: a dozen each second, one to each partition, a
hundredth of a second between them and the first at a moment that is drawn. Products take turns for
all of twelve seconds, so that no window holds two events of one. They are looked for every 50 ms
while one is under way: what took t has been a row for at most that long.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Condition, Event, Lock, Thread
from typing import Any

from kafka import KafkaConsumer

from flink_job.audit.reading import TopicsError, consuming
from flink_job.audit.tables import TablesError, connected, read_reached
from flink_job.audit.topics import offsets_of
from flink_job.domain import BUSINESS, CANARY_PRODUCT, window_start
from flink_job.endpoints import Endpoints, EndpointsError, read_endpoints
from flink_job.loader.service import Clock
from monitoring.exporter.canary.flight import Canary
from monitoring.exporter.canary.outlet import Outlet
from monitoring.exporter.canary.rows import EVERY_S, seen_of
from monitoring.exporter.canary.sender import Sends, event

VOLLEY, VOLLEYS = 12, 12
APART_S, JITTER_S = 0.01, 0.5
LOOK_UP_S = 0.5
# On a machine that does all it can an answer may take long, and that is what is measured.
SETTINGS = {"connect_timeout": 10, "send_receive_timeout": 30, "sync_request_timeout": 10}
DONE, DIED, MISTAKE = 0, 1, 2

Say = Callable[[Mapping[str, object]], None]
Stands = Mapping[tuple[str, int], tuple[int, int]]


class Voice:
    """Says lines, whole ones, from whatever thread."""

    def __init__(self, write: Callable[[str], object], flush: Callable[[], object]) -> None:
        """Say them there."""
        self._write, self._flush, self._lock = write, flush, Lock()

    def say(self, told: Mapping[str, object]) -> None:
        """Say one."""
        with self._lock:
            self._write(json.dumps(told) + "\n")
            self._flush()


@dataclass(slots=True)
class Flock:
    """Its own events that are under way, shared by who sends and who looks.

    Attributes:
        say: Told of each that has become a row, or was refused.
        clock: Time.
    """

    say: Say
    clock: Clock
    _sent: dict[Canary, tuple[float, float]] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def sent(self, canary: Canary) -> None:
        """One sets out."""
        with self._changed:
            self._sent[canary] = self.clock.monotonic(), self.clock.now()
            self._changed.notify_all()

    def failed(self, canary: Canary) -> None:
        """Kafka has not taken it."""
        with self._changed:
            found = self._sent.pop(canary, None)
        if found is not None:
            self.say({"failed": found[1]})

    def under_way(self, wait_s: float = 0.0) -> list[Canary]:
        """Those that are looked for; where there is none, waits so many seconds for one."""
        with self._changed:
            if not self._sent and wait_s > 0:
                self._changed.wait(wait_s)
            return list(self._sent)

    def seen(self, rows: Iterable[Canary]) -> None:
        """These are rows now."""
        with self._changed:
            now = self.clock.monotonic()
            found = [one for row in rows if (one := self._sent.pop(row, None)) is not None]
        for began, sent in found:
            self.say({"sent": sent, "took": now - began})

    def away(self) -> list[float]:
        """When those were sent that are still under way, seconds since the epoch."""
        with self._changed:
            return [sent for _, sent in self._sent.values()]


def product_of(number: int) -> str:
    """The product of its event with this number."""
    return f"{CANARY_PRODUCT}b{number % (VOLLEY * VOLLEYS):03d}"


@dataclass(slots=True)
class Volleys:
    """Sends its own events.

    Attributes:
        outlet: Kafka.
        flock: The events.
        stopping: Whether it is over.
        clock: Time.
        draw: Seconds below a number that is given.
    """

    outlet: Sends
    flock: Flock
    stopping: Callable[[], bool]
    clock: Clock
    draw: Callable[[float], float]

    def run(self) -> None:
        """Send a dozen each second.

        Seconds have the numbers of the epoch, so that one run after another sends no product early;
        those that are missed, as this process stood still, are left out.
        """
        zero = self.clock.monotonic() - self.clock.now()
        second = 0
        while not self.stopping():
            second = max(second, math.floor(self.clock.monotonic() - zero)) + 1
            due = zero + second + self.draw(JITTER_S)
            self.clock.sleep(max(0.0, due - self.clock.monotonic()))
            for number in range(second * VOLLEY, (second + 1) * VOLLEY):
                self.send(number)
                self.clock.sleep(APART_S)

    def send(self, number: int) -> None:
        """Send one."""
        product, timestamp = product_of(number), int(self.clock.now() * 1_000)
        canary = Canary(product, window_start(timestamp) // 1_000)
        self.flock.sent(canary)
        failed = partial(self.flock.failed, canary)
        self.outlet.send(number, product, event(product, timestamp), failed)


def look(
    flock: Flock,
    client: Any,  # noqa: ANN401 - no types
    stopping: Callable[[], bool],
    clock: Clock,
) -> None:
    """Look for rows until it is over."""
    while not stopping():
        canaries = flock.under_way(LOOK_UP_S)
        if canaries:
            flock.seen(seen_of(client, canaries))
            clock.sleep(EVERY_S)


def stand(reached: Mapping[tuple[str, int], int], stands: Stands) -> dict[str, int]:
    """Where the business stands.

    Args:
        reached: The last offset that the ledger has of each partition.
        stands: First and end offset of each partition, read after it: a lag is never too small.
    """
    ends = {place: end for place, (_, end) in stands.items() if place[0] in BUSINESS}
    lag = sum(
        max(0, end - max(stands[place][0], reached.get(place, -1) + 1))
        for place, end in ends.items()
    )
    return {"ends": sum(ends.values()), "lag": lag}


def watch(
    consumer: Any,  # noqa: ANN401
    client: Any,  # noqa: ANN401
    say: Say,
    away: Callable[[], list[float]],
    clock: Clock,
) -> None:
    """Say once where the business stands."""
    reached = read_reached(client)
    told = stand(reached, offsets_of(consumer))
    say({"at": clock.now(), **told, "away": away(), "worked": time.process_time()})


@dataclass(frozen=True, slots=True)
class Witness:
    """All of it.

    Attributes:
        endpoints: How Kafka and ClickHouse are reached.
        say: Told of everything.
        seconds: For how long.
        every_s: Between two stands.
        sends: Whether it sends events of its own.
        clock: Time.
    """

    endpoints: Endpoints
    say: Say
    seconds: float
    every_s: float
    sends: bool
    clock: Clock = field(default_factory=Clock)

    def run(self) -> None:
        """See, until the time is up or a part fails.

        Raises:
            TopicsError: Kafka does not answer.
            TablesError: ClickHouse does not answer.
        """
        over = Event()
        until = self.clock.monotonic() + self.seconds
        flock = Flock(self.say, self.clock)
        with (
            consuming(self.endpoints.kafka, KafkaConsumer, metrics_enabled=False) as consumer,
            connected(self.endpoints.clickhouse, **SETTINGS) as client,
        ):
            self.say({"ready": client.execute("SELECT version()")[0][0]})
            threads = self._threads(flock, over.is_set) if self.sends else []
            for thread in threads:
                thread.start()
            try:
                while self.clock.monotonic() < until and all(one.is_alive() for one in threads):
                    watch(consumer, client, self.say, flock.away, self.clock)
                    self.clock.sleep(self.every_s)
            finally:
                over.set()
        if self.clock.monotonic() < until:
            raise TablesError("ClickHouse cannot be asked: the probe's own connection ended.")

    def _threads(self, flock: Flock, stopping: Callable[[], bool]) -> list[Thread]:
        outlet = Outlet(self.endpoints.kafka)
        draw = random.SystemRandom()
        volleys = Volleys(outlet, flock, stopping, self.clock, lambda most: draw.uniform(0, most))
        loops: tuple[Callable[[], None], ...] = (
            lambda: outlet.keep_connected(stopping, self.clock),
            volleys.run,
            lambda: self._look(flock, stopping),
        )
        return [Thread(target=loop, daemon=True) for loop in loops]

    def _look(self, flock: Flock, stopping: Callable[[], bool]) -> None:
        with connected(self.endpoints.clickhouse, **SETTINGS) as client:
            look(flock, client, stopping, self.clock)


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status."""
    parser = argparse.ArgumentParser(prog="witness", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--every", type=float, default=2.0)
    parser.add_argument("--sends", action="store_true")
    chosen = parser.parse_args(arguments)
    # What fails is said in a sentence, not in a log.
    logging.basicConfig(handlers=[logging.NullHandler()])
    voice = Voice(sys.stdout.write, sys.stdout.flush)
    try:
        endpoints = read_endpoints(chosen.endpoints)
        Witness(endpoints, voice.say, chosen.seconds, chosen.every, chosen.sends).run()
    except EndpointsError as problem:
        sys.stderr.write(f"{problem}\n")
        return MISTAKE
    except (TopicsError, TablesError) as problem:
        sys.stderr.write(f"{problem}\n")
        return DIED
    # Nobody listens any more.
    except BrokenPipeError:
        return DONE
    return DONE


if __name__ == "__main__":
    sys.exit(main())
