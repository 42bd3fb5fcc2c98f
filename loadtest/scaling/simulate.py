"""What needs no ten hosts: many products, many partitions and large events, in the embedded job."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from flink_job.domain import Record
from loadtest.embedded import Ran, run
from loadtest.messages import Traffic, messages
from loadtest.scaling.found import LARGE, MANY_PARTITIONS, MANY_PRODUCTS, USUAL, Simulated

SEED = 1
EVENTS, LARGE_EVENTS, WARM_UP = 1_000_000, 100_000, 300_000
LARGE_BYTES = 10_000
PER_SECOND = 100_000.0
MB = 1e6
# Notes are cut out of so much text, which is made once: what is the same in all events would be
# another load for whatever compresses it.
TEXT_BYTES = 1_000_000
LETTERS = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is simulated.

    Attributes:
        name: For people.
        events: How many.
        traffic: How they are.
        event_bytes: Length of an event's value at least; 0 leaves it as it is.
    """

    name: str
    events: int
    traffic: Traffic
    event_bytes: int = 0

    def records(self) -> Iterator[Record]:
        """The events; the same ones each time."""
        drawn = messages(self.events, self.traffic, SEED)
        return padded(drawn, self.event_bytes) if self.event_bytes else drawn


SCENARIOS = (
    Scenario(USUAL, EVENTS, Traffic(rate=PER_SECOND)),
    Scenario(MANY_PRODUCTS, EVENTS, Traffic(rate=PER_SECOND, products=1_000_000)),
    Scenario(MANY_PARTITIONS, EVENTS, Traffic(rate=PER_SECOND, partitions=1_000)),
    Scenario(LARGE, LARGE_EVENTS, Traffic(rate=PER_SECOND), LARGE_BYTES),
)


def padded(records: Iterator[Record], length: int) -> Iterator[Record]:
    """The same events, each with a field that nobody reads and that makes it so long.

    What is no object stays as it is.
    """
    draw = random.Random(SEED)  # noqa: S311 - the same ones each time
    text = "".join(draw.choices(LETTERS, k=TEXT_BYTES)).encode()
    for record in records:
        value = record.value
        if value is None or not (value.startswith(b"{") and value.endswith(b"}")):
            yield record
            continue
        missing = max(0, length - len(value) - len(b', "note": ""'))
        begin = draw.randrange(TEXT_BYTES - missing)
        note = text[begin : begin + missing]
        yield replace(record, value=value[:-1] + b', "note": "' + note + b'"}')


def simulated(
    scenarios: tuple[Scenario, ...],
    commit: str,
    tell: Callable[[str], None],
    ran: Callable[[Iterator[Record]], Ran] = run,
) -> Iterator[Simulated]:
    """Run scenarios one after the other in one JVM, which is warm before the first.

    Args:
        scenarios: What is simulated.
        commit: Of the checkout.
        tell: Told of the progress.
        ran: Runs the job.

    Raises:
        JobFailedError: Flink gives up.
        OutputError: There is no room for the events.
    """
    tell(f"{WARM_UP:,} events, so that what is the same in all is compiled")
    ran(messages(WARM_UP, Traffic(rate=PER_SECOND), SEED))
    for scenario in scenarios:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        tell(f"{scenario.events:,} events: {scenario.name}")
        size = _Size()
        done = ran(size.of(scenario.records()))
        tell(f"  {done.us:.2f} us an event, {done.keys:,} rows, unexplained {done.unexplained}")
        yield Simulated(
            scenario.name,
            done.events,
            size.total / MB,
            done.seconds,
            done.us,
            done.keys,
            done.unexplained,
            began,
            commit,
        )


@dataclass(slots=True)
class _Size:
    """Adds up what passes."""

    total: int = 0

    def of(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self.total += len(record.value or b"")
            yield record
