"""The data contract in pure Python: the specification that the Flink job is held against.

Nothing here knows Flink, Kafka, a clock on a wall or a file. `fold` is the whole job in one loop.
"""

from flink_job.domain.event import Event, Record, parse
from flink_job.domain.fold import DeadLetter, Tables, fold, merged
from flink_job.domain.ledger import Entry, LedgerKey, first_offsets, missing_offsets
from flink_job.domain.outcome import Outcome, Verdict, judge
from flink_job.domain.topic import BUSINESS, CANARY, CANARY_PRODUCT, INPUT
from flink_job.domain.window import Counts, WindowKey, window_start

__all__ = [
    "BUSINESS",
    "CANARY",
    "CANARY_PRODUCT",
    "INPUT",
    "Counts",
    "DeadLetter",
    "Entry",
    "Event",
    "LedgerKey",
    "Outcome",
    "Record",
    "Tables",
    "Verdict",
    "WindowKey",
    "first_offsets",
    "fold",
    "judge",
    "merged",
    "missing_offsets",
    "parse",
    "window_start",
]
