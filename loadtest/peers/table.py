"""docs/peers.md and docs/peers.json, out of what was measured. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loadtest.peers.contest import Drain
from loadtest.peers.entrant import Entrant, lines_of
from loadtest.peers.latency import Latency

US = 1e6
GB = 2**30


@dataclass(frozen=True, slots=True)
class Measured:
    """What an entrant came to.

    Attributes:
        entrant: Who.
        small: The small set, which is mostly the start of the program.
        whole: The large or the middle set; None where the small one was not finished.
        latency: While 1,000 events a second came; None where it was not measured.
    """

    entrant: Entrant
    small: Drain
    whole: Drain | None
    latency: Latency | None

    @property
    def cost(self) -> float | None:
        """CPU us of each event, without what the start of the program costs."""
        if self.whole is None or self.whole.failed or self.small.failed:
            return None
        more = self.whole.events - self.small.events
        return (self.whole.cpu - self.small.cpu) / more * US if more > 0 else None

    @property
    def problem(self) -> str | None:
        """Why it was not measured to its end; None where it was."""
        return self.small.failed or (self.whole.failed if self.whole else None)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Where and when.

    Attributes:
        machine: In words.
        day: ISO date, UTC.
        minutes: How long all of it took.
        load: How many other programs wanted each processor when it began.
    """

    machine: str
    day: str
    minutes: float
    load: float


def page(all_measured: Sequence[Measured], occasion: Occasion) -> str:
    """The text of docs/peers.md."""
    parts = [
        "# Peers: the same messages through what else one might use",
        "",
        _how(occasion),
        "",
        *_figures(all_measured),
        "",
        _what_is_what(),
        "",
        *_results(all_measured),
        "",
        *_cheaper(all_measured),
        "",
        *_abilities(all_measured),
    ]
    return "\n".join(parts) + "\n"


def _how(occasion: Occasion) -> str:
    return (
        f"Made by `make peers` alone, on {occasion.day}, in {occasion.minutes:.0f} minutes: "
        f"{occasion.machine}. When it began {occasion.load:.1f} other programs wanted each of its "
        "processors: what CPU time feels little of, and seconds and latency much. "
        "[peers.json](peers.json) has the figures too."
    )


def figures(all_measured: Sequence[Measured], occasion: Occasion) -> dict[str, Any]:
    """What docs/peers.json holds."""
    return {
        "occasion": asdict(occasion),
        "entrants": [
            {
                "name": one.entrant.name,
                "title": one.entrant.title,
                "us_an_event": one.cost,
                "lines": lines_of(one.entrant.sources),
                "small": asdict(one.small),
                "whole": None if one.whole is None else asdict(one.whole),
                "latency": None if one.latency is None else asdict(one.latency),
            }
            for one in all_measured
        ],
    }


def _figures(all_measured: Sequence[Measured]) -> list[str]:
    head = (
        "| | CPU us an event | events/s a core | start, CPU s | drained | seconds "
        "| event to row p50 / p99 | memory, most | lines | results |"
    )
    return [
        head,
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_row(one) for one in all_measured),
    ]


def _row(one: Measured) -> str:
    lines = f"{lines_of(one.entrant.sources):,}"
    last = one.whole or one.small
    memory = f"{max(one.small.memory, last.memory) / GB:.2f} GB"
    if one.cost is None:
        why = one.problem or "not measured"
        return f"| {one.entrant.title} | - | - | - | - | - | - | {memory} | {lines} | {why} |"
    start = max(0.0, one.small.cpu - one.small.events * one.cost / US)
    cells = [
        one.entrant.title,
        f"{one.cost:.1f}",
        f"{US / one.cost:,.0f}",
        f"{start:.1f}",
        f"{last.events:,}",
        f"{last.wall:.0f}",
        _latency(one.latency),
        memory,
        lines,
        "equal" if _exact(one) else "differ",
    ]
    return "| " + " | ".join(cells) + " |"


def _latency(found: Latency | None) -> str:
    if found is None:
        return "-"
    shown = ("-" if value is None else f"{value / 1_000:.2f}" for value in (found.p50, found.p99))
    unseen = f", {found.unseen:,} of {found.events:,} not seen" if found.unseen else ""
    return " / ".join(shown) + " s" + unseen


def _exact(one: Measured) -> bool:
    drains = [drain for drain in (one.small, one.whole) if drain is not None]
    return all(drain.difference is not None and drain.difference.exact for drain in drains)


def _what_is_what() -> str:
    return (
        "CPU is of the program and all that it starts, user and system, from two sets of messages "
        "of different sizes: the difference in CPU over the difference in events, so that the "
        "start of the program is not in it, and what a JVM compiles on the way is. Seconds are "
        "from the start of the program to its last result. Latency is from a broker's time of "
        "appending an event to that of the first row that counts it, at 1,000 events/s. Lines are "
        "of the program, without blank ones and comments; of this project's job the SQL, the "
        "Java and what puts them together. The broker, and what reads the results, is the same "
        "for all and is not in the figures. Everyone starts at the beginning of 2 x 12 partitions, "
        "in which all outcomes of [the contract](contract.md) occur."
    )


def _results(all_measured: Sequence[Measured]) -> list[str]:
    lines = ["## Results, held against the specification", ""]
    for one in all_measured:
        for drain in (one.small, one.whole):
            if drain is None:
                continue
            said = drain.failed or str(drain.difference)
            lines.append(f"- {one.entrant.title}, {drain.events:,} messages: {said}.")
    return lines


def _cheaper(all_measured: Sequence[Measured]) -> list[str]:
    lines = ["## Where this project's job loses", ""]
    ours = next((one for one in all_measured if one.entrant.name == "ours"), None)
    if ours is None or ours.cost is None:
        return [*lines, "The job itself was not measured in this run."]
    mine = ours.cost
    lost = [
        f"- CPU: {one.entrant.title} needs {one.cost:.1f} us an event, the job {mine:.1f}."
        for one in all_measured
        if one.cost is not None and one.cost < mine
    ]
    lost += [
        f"- Latency: {one.entrant.title} has the lower p99."
        for one in all_measured
        if one is not ours and _sooner(one, ours)
    ]
    return [*lines, *(lost or ["Neither in CPU an event nor in latency, in this run."])]


def _sooner(one: Measured, ours: Measured) -> bool:
    if one.latency is None or ours.latency is None or one.latency.p99 is None:
        return False
    return ours.latency.p99 is None or one.latency.p99 < ours.latency.p99


def _abilities(all_measured: Sequence[Measured]) -> list[str]:
    rows = [
        "## What each can and cannot do",
        "",
        "As they are written here; what a framework could do otherwise is said where it matters.",
        "",
        "| | late data | early rows | dead letters | after a crash | recovery |",
        "|---|---|---|---|---|---|",
    ]
    for one in all_measured:
        can = one.entrant.can
        rows.append(
            f"| {one.entrant.title} | {can.late} | {can.early} | {can.letters} | {can.once} "
            f"| {can.recovery} |"
        )
    rows.append("")
    rows += [
        f"- {one.entrant.title}: {one.entrant.note}" for one in all_measured if one.entrant.note
    ]
    return rows
