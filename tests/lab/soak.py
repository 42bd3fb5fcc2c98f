"""`python -m tests.lab.soak`: faults one after another under load, and then the proof.

The load's own count, Kafka's offsets, and windows, ledger and dead letters by the specification
must agree to the event. The seed gives the order of the faults.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from statistics import median

from tests.lab.faults import Fault, sequence
from tests.lab.fleet import Lab, eventually
from tests.lab.watch import Watch, silence

RATE = 20_000
MINUTES_AT_LEAST = 3
SETTLED_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Told:
    """What a fault did.

    Attributes:
        fault: Its name.
        hit: The host or setting that it hit.
        lasted_s: Until it was over: a stopped service started, a deployment done.
        silent_s: The longest time in which no count rose.
        back_s: From the end of the fault until counts rose again; 0 where they did all along.
    """

    fault: str
    hit: str
    lasted_s: float
    silent_s: float
    back_s: float

    def __str__(self) -> str:
        """One line for the reader."""
        return (
            f"{self.fault} ({self.hit}): over after {self.lasted_s:.1f} s, no row for "
            f"{self.silent_s:.1f} s, rows again {self.back_s:.1f} s after its end"
        )


def injected(lab: Lab, watch: Watch, fault: Fault, chance: random.Random) -> Told:
    """Inject a fault and wait until everything is as before it."""
    begin = time.monotonic()
    hit = fault.inject(lab, chance)
    over, over_ms = time.monotonic(), int(time.time() * 1_000)
    after = f"after: {fault.name} ({hit})"
    eventually(lambda: lab.whole(over_ms) or None, f"all is well again {after}", SETTLED_WITHIN_S)
    # Rows that were on their way rise behind the fault too: only one that comes when all is well
    # again ends the silence.
    well = time.monotonic()
    eventually(lambda: watch.rises[-1] > well or None, f"rows flow again {after}", SETTLED_WITHIN_S)
    # A copy: the watch goes on.
    gap = silence(list(watch.rises), begin)
    assert gap is not None, f"no row before or {after}"
    return Told(fault.name, hit, over - begin, gap[1] - gap[0], max(0.0, gap[1] - over))


def table(told: Iterable[Told]) -> str:
    """What the faults did, as a Markdown table."""
    by_fault: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        by_fault[one.fault].append(one)
    lines = [
        (
            "| fault | times | no row for, s (median, worst) "
            "| rows again after its end, s (median, worst) |"
        ),
        "|---|---|---|---|",
    ]
    for name, ones in sorted(by_fault.items()):
        silent, back = [one.silent_s for one in ones], [one.back_s for one in ones]
        lines.append(
            f"| {name} | {len(ones)} | {median(silent):.1f}, {max(silent):.1f} "
            f"| {median(back):.1f}, {max(back):.1f} |"
        )
    return "\n".join(lines)


def page(told: Iterable[Told], minutes: float, rate: int, seed: int) -> str:
    """The table with what it is of, as a page of the documentation."""
    command = f"make soak MINUTES={minutes:g} RATE={rate} SEED={seed} TABLE=docs/recovery.md"
    return f"""# Recovery

`{command}`: {rate:,} events/s all the while, faults one after another. Afterwards load,
Kafka, windows, ledger and dead letters agreed to the event.

The figures are of one run; the lab shared {os.cpu_count()} processors with the load.

{table(told)}
"""


def soaked(lab: Lab, seconds: int, rate: int, seed: int) -> list[Told]:
    """Faults under load for so many seconds; everything must be exact afterwards."""
    before = lab.offsets()
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    told: list[Told] = []
    end = time.monotonic() + seconds
    lab.loaded(rate, seconds)
    with Watch(lab.counted_since(int(time.time()) - 60)) as watch:
        eventually(lambda: (watch.rises[1:] and lab.whole(0)) or None, "rows flow")
        for fault in sequence(seed):
            # The load goes on until rows flow again after the last one.
            if told and time.monotonic() > end - fault.lasts_s:
                break
            told.append(injected(lab, watch, fault, chance))
            sys.stdout.write(f"{time.strftime('%H:%M:%S')} {told[-1]}\n")
            sys.stdout.flush()
    acknowledged, added = lab.acknowledged(), lab.offsets() - before
    assert added == acknowledged == rate * seconds, (
        f"{rate * seconds:,} were to be sent, Kafka acknowledged {acknowledged:,} and has {added:,}"
    )
    lab.playbook("job")
    assert lab.law_is_kept()
    assert lab.all_is_as_specified()
    return told


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status is 0 if all was exact."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of load")
    parser.add_argument("--rate", type=int, default=RATE, help="events a second")
    parser.add_argument("--table", type=Path, help="file that the figures are written to")
    parser.add_argument("--seed", type=int, help="of the order of the faults")
    chosen = parser.parse_args(arguments)
    if not (chosen.minutes >= MINUTES_AT_LEAST and chosen.rate > 0):
        parser.error(f"a soak takes {MINUTES_AT_LEAST} minutes or more, and a rate above 0")
    seed = random.SystemRandom().randrange(10_000) if chosen.seed is None else chosen.seed
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    try:
        told = soaked(Lab(), int(chosen.minutes * 60), chosen.rate, seed)
    # What a part that is away makes of a question; the seed repeats it.
    except (
        AssertionError,
        OSError,
        HTTPException,
        ValueError,
        subprocess.SubprocessError,
    ) as problem:
        sys.stderr.write(f"seed {seed}: {problem}\n")
        return 1
    if chosen.table is not None:
        chosen.table.write_text(page(told, chosen.minutes, chosen.rate, seed))
    sys.stdout.write(f"{table(told)}\nexact: load, Kafka, windows, ledger and dead letters agree\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
