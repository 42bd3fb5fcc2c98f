"""What a run came to: what was asked of it, what became of its events, and the truth. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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


def content_of(
    run: Run,
    wanted: Wanted,
    fields: Mapping[str, Any],
    figures: Figures,
    workers: Workers,
    times: tuple[float, float],
) -> dict[str, Any]:
    """A report, as its JSON has it.

    Args:
        run: What was to be sent, and what ended it.
        wanted: The run as it was asked for.
        fields: As people gave them.
        figures: What the workers have counted.
        workers: Who took part.
        times: When it began and ended, seconds since the epoch.
    """
    began, ended = times
    return {
        "name": run.report,
        "began": _iso(began),
        "ended": _iso(ended),
        "seconds": round(ended - began, 1),
        "end": run.end,
        "fields": dict(fields),
        "workers": {"began": workers.began, "ended": workers.ended},
        "events_wanted": run.events,
        "made": _made(figures),
        "outcomes": figures.outcomes(),
        "acknowledged": {topic: figures.acknowledged[topic] for topic in TOPICS},
        "failed": {topic: figures.failed[topic] for topic in TOPICS},
        "unknown": figures.underway,
        "produce_to_ack_ms": {
            **{name: figures.took_within_ms(share) for name, share in PERCENTILES.items()},
            "max": max(figures.took_ms, default=None),
        },
        "held_events_per_second": figures.held(),
        "series": _series(wanted, figures, began),
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


def _made(figures: Figures) -> dict[str, dict[str, int]]:
    return {
        topic: {kind: count for (of, kind), count in sorted(figures.made.items()) if of == topic}
        for topic in TOPICS
    }


def _series(wanted: Wanted, figures: Figures, began: float) -> dict[str, Any]:
    """Events a second that were due and that were acknowledged, each point a mean."""
    first = int(began)
    seconds = max(max(figures.seconds, default=first) - first + 1, 1)
    each = -(-seconds // MOST_POINTS)
    starts = range(0, seconds, each)
    whole = wanted.duration or seconds
    return {
        "every_s": each,
        "due": [
            round((_due(wanted, start + each, whole) - _due(wanted, start, whole)) / each, 1)
            for start in starts
        ],
        "acknowledged": [
            round(sum(figures.seconds[first + start + part] for part in range(each)) / each, 1)
            for start in starts
        ],
    }


def _due(wanted: Wanted, elapsed: float, whole: float) -> float:
    return wanted.shape.due(min(elapsed, whole))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
