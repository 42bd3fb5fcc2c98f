"""Results as files and as tables to look at."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TextIO

from rich.table import Table

from flink_job.domain import Counts, DeadLetter, Entry, LedgerKey, Outcome, WindowKey
from flink_job.dump import payload_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEWEST = 10


def iso(time: int) -> str:
    """A time in ms since the epoch as ISO 8601, UTC."""
    return (EPOCH + timedelta(milliseconds=time)).isoformat().replace("+00:00", "Z")


def write_windows(file: TextIO, windows: Mapping[WindowKey, Counts]) -> None:
    """Windows as CSV, by window and product."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["product_id", "window_start", "impressions", "clicks"])
    for key in sorted(windows, key=lambda key: (key.window_start, key.product_id)):
        counts = windows[key]
        rows.writerow([key.product_id, iso(key.window_start), counts.impressions, counts.clicks])


def write_ledger(file: TextIO, ledger: Mapping[LedgerKey, Entry]) -> None:
    """The ledger as CSV, by topic, partition, outcome and hour."""
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(
        ["topic", "partition", "outcome", "hour", "events", "first_offset", "last_offset"]
    )
    for key in sorted(ledger):
        entry = ledger[key]
        place = [key.topic, key.partition, key.outcome, iso(key.hour)]
        rows.writerow([*place, entry.events, entry.first_offset, entry.last_offset])


def write_dead_letter(file: TextIO, place: tuple[str, int, int], letter: DeadLetter) -> None:
    """A dead letter as a line of JSON; its payload reads as it does in a dump."""
    topic, partition, offset = place
    payload = None if letter.payload is None else payload_text(letter.payload)
    row = {"topic": topic, "partition": partition, "offset": offset}
    file.write(json.dumps({**row, "reason": letter.reason, "payload": payload}) + "\n")


def ctr_table(windows: Mapping[WindowKey, Counts]) -> Table:
    """The newest CTR rows."""
    busiest_of_newest = sorted(
        windows, key=lambda key: (-key.window_start, -windows[key].impressions, key.product_id)
    )
    newest = busiest_of_newest[:NEWEST]
    table = Table(title=f"CTR, the newest {len(newest)} of {len(windows):,} rows")
    for heading in ("product", "window (UTC)"):
        table.add_column(heading, no_wrap=True)
    for heading in ("impressions", "clicks", "CTR"):
        table.add_column(heading, justify="right")
    for key in newest:
        counts = windows[key]
        ctr = "-" if counts.ctr is None else f"{counts.ctr:.4f}"
        numbers = (f"{counts.impressions:,}", f"{counts.clicks:,}", ctr)
        table.add_row(_plain(key.product_id), iso(key.window_start), *numbers)
    return table


def ledger_table(ledger: Mapping[LedgerKey, Entry]) -> Table:
    """The ledger by topic and outcome; partitions and hours are added up."""
    table = Table(title="Ledger")
    table.add_column("topic", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    table.add_column("partitions", justify="right")
    table.add_column("events", justify="right")
    for topic in sorted({key.topic for key in ledger}):
        for outcome in Outcome:
            keys = [key for key in ledger if (key.topic, key.outcome) == (topic, outcome)]
            events = sum(ledger[key].events for key in keys)
            if keys:
                table.add_row(
                    _plain(topic), outcome, str(len({k.partition for k in keys})), f"{events:,}"
                )
    return table


def _plain(text: str) -> str:
    """Foreign text that cannot move the cursor or be taken for markup."""
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown.replace("[", "\\[")
