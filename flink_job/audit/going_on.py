"""What an audit can tell for sure while the canary goes on, which sends an event a second. Pure.

Events that came behind the reading are in ClickHouse when it is compared. Those of the canary are
younger than the audit, so that what is older is final; the rest of the canary is left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from flink_job.domain import CANARY, CANARY_PRODUCT, Counts, DeadLetter, Entry, LedgerKey, WindowKey
from flink_job.domain.ledger import HOUR_MS
from flink_job.domain.window import WINDOW_MS

# A canary is in Kafka some seconds after its timestamp, or never; clocks of hosts differ by less.
UNREAD_MS = 60_000


def final_windows(windows: Mapping[WindowKey, Counts], began: int) -> dict[WindowKey, Counts]:
    """All windows but those of the canary that may hold events which were not read.

    Args:
        windows: Wanted or found.
        began: When the audit began to read, in ms since the epoch.
    """
    return {
        key: counts
        for key, counts in windows.items()
        if not key.product_id.startswith(CANARY_PRODUCT)
        or key.window_start + WINDOW_MS <= began - UNREAD_MS
    }


def final_ledger(ledger: Mapping[LedgerKey, Entry], began: int) -> dict[LedgerKey, Entry]:
    """All rows of the ledger but those of the canary's hours that go on."""
    return {
        key: entry
        for key, entry in ledger.items()
        if key.topic != CANARY or key.hour + HOUR_MS <= began - UNREAD_MS
    }


def final_letters(
    letters: Mapping[tuple[str, int, int], DeadLetter], read: Mapping[LedgerKey, Entry]
) -> dict[tuple[str, int, int], DeadLetter]:
    """All dead letters but those of the canary's records that were not read.

    Args:
        letters: Wanted or found.
        read: The ledger of all records that were read.
    """
    last: dict[int, int] = {}
    for key, entry in read.items():
        if key.topic == CANARY:
            last[key.partition] = max(last.get(key.partition, -1), entry.last_offset)
    return {
        (topic, partition, offset): letter
        for (topic, partition, offset), letter in letters.items()
        if topic != CANARY or offset <= last.get(partition, -1)
    }
