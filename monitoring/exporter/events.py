"""What is told of events: counters that only grow, over recounts and restarts.

Prometheus takes a number that has become lower for one that began again at 0, and its whole for the
increase. The sums of the ledger do become lower: a recount moves events from one outcome to
another, and a table that was lost is filled again from the beginning.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from flink_job.domain import Outcome

log = logging.getLogger(__name__)

Kind: TypeAlias = tuple[str, Outcome]
Events: TypeAlias = Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class Tally:
    """Events of each input topic by outcome.

    Attributes:
        told: What is told of them; empty until the ledger was read. Of a topic it is in all the
            highest sum that the ledger has had.
        booked: The sums of the ledger at the last look.
        of_former_run: Whether these were kept, and no look was taken since.
    """

    told: Events = field(default_factory=dict)
    booked: Events = field(default_factory=dict)
    of_former_run: bool = False

    def seen(self, booked: Events) -> Tally:
        """After a look at the ledger.

        What a topic has more in all than ever before is new. It is told of those outcomes that have
        grown since the last look, so that what a recount has moved is told of none.

        Args:
            booked: Its sums, of every input topic and outcome.
        """
        # Tables that were made anew meanwhile would have to come to what the old ones had first.
        another = self.of_former_run and 2 * sum(booked.values()) < sum(self.booked.values())
        if another or not self.told:
            return Tally(booked, booked)
        told = dict(self.told)
        for topic in {topic for topic, _ in booked}:
            grown = {
                kind: max(0, events - self.booked.get(kind, 0))
                for kind, events in booked.items()
                if kind[0] == topic
            }
            new = max(0, _of(topic, booked) - _of(topic, self.told))
            for kind, events in _shared(new, grown).items():
                told[kind] = told.get(kind, 0) + events
        return Tally(told, booked)


@dataclass(slots=True)
class Keeper:
    """Keeps what a scrape is told before it is told.

    Attributes:
        file: Where; None to keep it nowhere.
    """

    file: Path | None
    _kept: Tally | None = None
    _warned: bool = False
    _keeping: Lock = field(default_factory=Lock)

    def keep(self, tally: Tally) -> None:
        """Let the file hold this, in whole or not at all, if it is new."""
        with self._keeping:
            if self.file is None or tally == self._kept or not tally.told:
                return
            rows = [
                [topic, outcome.value, told, tally.booked.get((topic, outcome), 0)]
                for (topic, outcome), told in tally.told.items()
            ]
            beside = self.file.with_suffix(".new")
            try:
                beside.write_text(json.dumps(rows), encoding="utf-8")
                beside.replace(self.file)
            except OSError as problem:
                if not self._warned:
                    log.warning("%s cannot be written: %s", self.file, problem.strerror)
                self._warned = True
                return
            self._kept, self._warned = tally, False


def kept(file: Path) -> Tally:
    """What the file holds; nothing without one that can be read."""
    try:
        rows = [
            ((str(topic), Outcome(outcome)), int(told), int(booked))
            for topic, outcome, told, booked in json.loads(file.read_bytes())
        ]
    except FileNotFoundError:
        return Tally()
    except (OSError, ValueError, TypeError) as problem:
        log.warning("%s cannot be read, so counters are the ledger's own: %r", file, problem)
        return Tally()
    return Tally(
        {kind: told for kind, told, _ in rows},
        {kind: booked for kind, _, booked in rows},
        of_former_run=True,
    )


def _of(topic: str, events: Events) -> int:
    return sum(number for (one, _), number in events.items() if one == topic)


def _shared(new: int, grown: Events) -> dict[Kind, int]:
    """New events, spread over what has grown as much as it has; nothing gets more than that."""
    whole = sum(grown.values())
    if whole <= new:
        return dict(grown)
    shares: dict[Kind, int] = {}
    passed = given = 0
    for kind, one in grown.items():
        passed += one
        shares[kind] = new * passed // whole - given
        given += shares[kind]
    return shares
