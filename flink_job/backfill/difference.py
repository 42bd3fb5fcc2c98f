"""What a range holds beside what was counted anew, hour by hour. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from flink_job.backfill.plan import Plan
from flink_job.backfill.results import Results
from flink_job.backfill.span import told
from flink_job.domain import Outcome
from flink_job.domain.ledger import hour_of

COUNTED_ANEW = ("is", "recounted", "difference")


def differing(was: Mapping[Any, Any], now: Mapping[Any, Any]) -> int:
    """How many keys are in one only, or differ."""
    return sum(was.get(key) != now.get(key) for key in was.keys() | now.keys())


def shown(plan: Plan, was: Results, now: Results) -> list[str]:
    """Two tables to look at, and a sentence.

    Args:
        plan: Of the recount.
        was: What ClickHouse has of the range.
        now: What was counted anew.
    """
    windows = differing(was.windows, now.windows)
    ledger = differing(was.ledger, now.ledger)
    if not windows and not ledger:
        sentence = f"Nothing differs from {plan.span}."
    else:
        sentence = f"{windows:,} windows and {ledger:,} ledger rows differ from {plan.span}."
    return [*_windows(plan, was, now), "", *_ledger(was, now), "", sentence]


def _windows(plan: Plan, was: Results, now: Results) -> list[str]:
    before, after = _by_hour(was), _by_hour(now)
    names = ("windows", "impressions", "clicks")
    rows = [["hour (UTC)", *(f"{name} {what}" for name in names for what in COUNTED_ANEW)]]
    for hour in plan.span.hours:
        numbers = [_compared(before[hour, name], after[hour, name]) for name in names]
        rows.append([told(hour), *(each for three in numbers for each in three)])
    return aligned(rows)


def _ledger(was: Results, now: Results) -> list[str]:
    before, after = _by_outcome(was), _by_outcome(now)
    rows = [["hour (UTC)", "outcome", *(f"events {what}" for what in COUNTED_ANEW)]]
    order = list(Outcome)
    places = sorted(before.keys() | after.keys(), key=lambda at: (at[0], order.index(at[1])))
    for hour, outcome in places:
        place = hour, outcome
        rows.append([told(hour), outcome, *_compared(before[place], after[place])])
    return aligned(rows)


def _by_hour(results: Results) -> Counter[tuple[int, str]]:
    sums: Counter[tuple[int, str]] = Counter()
    for key, counts in results.windows.items():
        hour = hour_of(key.window_start)
        sums[hour, "windows"] += 1
        sums[hour, "impressions"] += counts.impressions
        sums[hour, "clicks"] += counts.clicks
    return sums


def _by_outcome(results: Results) -> Counter[tuple[int, Outcome]]:
    sums: Counter[tuple[int, Outcome]] = Counter()
    for key, entry in results.ledger.items():
        sums[key.hour, key.outcome] += entry.events
    return sums


def _compared(was: int, now: int) -> list[str]:
    return [f"{was:,}", f"{now:,}", f"{now - was:+,}" if now != was else "0"]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines; words of the first column begin, and all others end, at one place."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
