"""The numbers as JSON has them, documented in README.md beside this file. Pure."""

from __future__ import annotations

from typing import Any

from flink_job.domain import Counts
from monitoring.page.forms import iso
from monitoring.page.numbers import History, Now, Share
from monitoring.page.tables import Found, Series

Told = dict[str, Any]


def now_told(now: Now, shares: tuple[Share, ...]) -> Told:
    """The numbers as they stand."""
    law = now.conservation
    return {
        "at": iso(now.at),
        "window": now.window
        and {
            "start": iso(now.window.start),
            "end": iso(now.window.end),
            "open": now.window.open,
            **_counts(now.window.counts),
        },
        "last_hour": _counts(now.hour),
        "minutes": _series(now.minutes),
        "top": [{"product_id": one.product_id, **_counts(one.counts)} for one in now.top],
        "row_age_seconds": now.written_age,
        "conservation": law
        and {
            "consumed": law.consumed,
            "counted": law.counted,
            "rejected": law.rejected,
            "late": law.late,
            "unexplained": law.unexplained,
            "unsettled": law.unsettled,
            "waiting": law.waiting,
        },
        **_doubt(now),
        "outcomes": [
            {
                "topic": one.topic,
                "outcome": one.outcome,
                "events": one.events,
                "last_day": one.day,
            }
            for one in shares
        ],
    }


def _doubt(now: Now) -> Told:
    if now.doubt is None:
        return {}
    return {
        "conservation_problem": now.doubt,
        "conservation_age_seconds": None if now.conservation is None else round(now.doubt_s, 1),
    }


def found_told(found: Found) -> Told:
    """What a search has found."""
    return {"products": list(found.products), "more": found.more}


def history_told(history: History) -> Told:
    """A product and its past."""
    return {
        "product_id": history.product,
        "first_seen": iso(history.seen.first),
        "last_seen": iso(history.seen.last),
        "by": history.by,
        "step_seconds": history.by.step,
        "first": iso(history.first),
        "end": iso(history.end),
        "total": _counts(history.total),
        "steps": _series(history.series),
    }


def _series(series: Series) -> list[Told]:
    return [{"start": iso(start), **_counts(counts)} for start, counts in sorted(series.items())]


def _counts(counts: Counts) -> Told:
    return {"impressions": counts.impressions, "clicks": counts.clicks, "ctr": counts.ctr}
