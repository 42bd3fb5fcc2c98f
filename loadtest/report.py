"""What a run came to: what was asked of it, what became of its events, and the truth. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from loadtest.fields import Wanted
from loadtest.figures import Figures
from loadtest.run import Run
from loadtest.supply import TOPICS

MOST_POINTS = 600
PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Workers:
    """Who took part in a run.

    Attributes:
        began: How many.
        ended: How many of them have told all that they counted.
    """

    began: int
    ended: int


def name_of(began: float) -> str:
    """The name of a report, in the order of time: from seconds since the epoch."""
    moment = datetime.fromtimestamp(began, UTC)
    return f"{moment:%Y%m%dT%H%M%S}-{moment.microsecond // 1_000:03d}"


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over.

    Attributes:
        name: Of its report.
        wanted: What was asked for.
        fields: As people gave them at the start.
        changes: To other fields while it went on, each with when.
        run: What was to be sent, and what ended it.
        began: When, seconds since the epoch.
        ended: When, seconds since the epoch.
        figures: What its workers have counted.
        workers: Who took part.
    """

    name: str
    wanted: Wanted
    fields: Mapping[str, Any]
    changes: Sequence[Mapping[str, Any]]
    run: Run
    began: float
    ended: float
    figures: Figures
    workers: Workers

    def content(self) -> dict[str, Any]:
        """The report as its JSON has it."""
        figures = self.figures
        took = {name: figures.took_within_ms(share) for name, share in PERCENTILES.items()}
        return {
            "name": self.name,
            "began": _iso(self.began),
            "ended": _iso(self.ended),
            "seconds": round(self.ended - self.began, 1),
            "end": self.run.end,
            "fields": dict(self.fields),
            "changes": list(self.changes),
            "workers": asdict(self.workers),
            "events_wanted": self.run.events,
            "made": {
                topic: {
                    kind: count for (of, kind), count in sorted(figures.made.items()) if of == topic
                }
                for topic in TOPICS
            },
            "outcomes": figures.outcomes(),
            "acknowledged": {topic: figures.acknowledged[topic] for topic in TOPICS},
            "failed": {topic: figures.failed[topic] for topic in TOPICS},
            "unknown": figures.underway,
            "produce_to_ack_ms": {**took, "max": max(figures.took_ms, default=None)},
            "held_events_per_second": figures.held(),
            "series": self._series(),
        }

    def _series(self) -> dict[str, Any]:
        """Events a second that were due and that were acknowledged, each point a mean."""
        first, seen = int(self.began), self.figures.seconds
        seconds = max(max(seen, default=first) - first + 1, 1)
        each = -(-seconds // MOST_POINTS)
        whole = self.wanted.duration or seconds
        due = [self.wanted.shape.due(min(place, whole)) for place in range(0, seconds + each, each)]
        return {
            "every_s": each,
            "due": [round((then - before) / each, 1) for before, then in pairwise(due)],
            "acknowledged": [
                round(sum(seen[first + start + part] for part in range(each)) / each, 1)
                for start in range(0, seconds, each)
            ],
        }


def truth_line(content: Mapping[str, Any]) -> str:
    """What a run made, by topic and outcome, in one line."""
    told = []
    for topic, outcomes in content["outcomes"].items():
        parts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())
        told.append(f"{topic} {sum(outcomes.values()):,} ({parts or 'none'})")
    return f"made: {', '.join(told)}"


def doubt(content: Mapping[str, Any]) -> str | None:
    """Why the counts of a report may not be whole, in a sentence; None where they are."""
    workers = content["workers"]
    if workers["ended"] < workers["began"]:
        lost = workers["began"] - workers["ended"]
        return f"{lost} of {workers['began']} workers never told all that they made."
    failed = sum(content["failed"].values())
    if failed or content["unknown"]:
        return (
            f"{failed:,} events failed and of {content['unknown']:,} nobody knows whether they are "
            "in Kafka."
        )
    return None


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
