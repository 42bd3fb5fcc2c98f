"""Realistic messages by the seed: what shops send, with a share of everything that goes wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from flink_job.domain import Record

DAY_MS = 86_400_000


class Accident(IntEnum):
    """What can go wrong with a message, named for the outcome that it then has."""

    MALFORMED = 0
    MISSING_FIELD = 1
    UNKNOWN_TYPE = 2
    FUTURE_TIMESTAMP = 3
    OLD_TIMESTAMP = 4
    LATE = 5


@dataclass(frozen=True, slots=True)
class Traffic:
    """How the messages are.

    Attributes:
        rate: Events a second, by append time.
        start: Append time of the first message, ms since the epoch.
        products: Number of products; popular ones come far more often (Zipf's law).
        partitions: Partitions of each of the topics `impressions` and `clicks`.
        clicks: Share of clicks.
        disorder: Events are up to this many ms older than their append time.
        bad: Share of each kind of bad message, and of late events; six kinds.
    """

    rate: float = 1_000.0
    start: int = 1_764_000_000_000
    products: int = 1_000
    partitions: int = 12
    clicks: float = 0.2
    disorder: int = 1_500
    bad: float = 0.004


def messages(count: int, traffic: Traffic, seed: int) -> Iterator[Record]:
    """Records of both topics in the order of their append times; the same seed, the same records.

    Args:
        count: How many.
        traffic: How they are.
        seed: Of everything that is drawn.
    """
    draw = random.Random(seed)  # noqa: S311 - a seed is wanted
    ranks = range(1, traffic.products + 1)
    popularity = [1 / rank for rank in ranks]
    chosen: list[int] = []
    offsets: dict[tuple[str, int], int] = {}
    for number in range(count):
        if not chosen:
            chosen = draw.choices(ranks, popularity, k=10_000)
        rank = chosen.pop()
        click = draw.random() < traffic.clicks
        topic = "clicks" if click else "impressions"
        partition = rank % traffic.partitions
        offset = offsets.get((topic, partition), 0)
        offsets[topic, partition] = offset + 1
        appended = traffic.start + int(number * 1_000 / traffic.rate)
        kind = "click" if click else draw.choice(("impression", "impression", "view"))
        fields = {
            "userId": f"u-{draw.randrange(100_000)}",
            "productId": f"product-{rank:04d}",
            "eventType": kind,
            "timestamp": appended - draw.randrange(traffic.disorder),
        }
        accident = int(draw.random() / traffic.bad)
        value = (
            gone_wrong(fields, appended, Accident(accident), draw)
            if accident < len(Accident)
            else json.dumps(fields).encode()
        )
        yield Record(topic, partition, offset, appended, value)


def gone_wrong(
    fields: dict[str, Any], appended: int, accident: Accident, draw: random.Random
) -> bytes | None:
    """The message that was meant to have these fields, after an accident; None is a tombstone.

    Args:
        fields: The event as it should be; it is changed.
        appended: When the broker appends it, ms since the epoch.
        accident: What went wrong.
        draw: Where all chance comes from.
    """
    match accident:
        case Accident.MALFORMED:
            return draw.choice((None, b"", json.dumps([fields]).encode(), _cut(fields)))
        case Accident.MISSING_FIELD:
            fields[draw.choice(("userId", "productId", "eventType", "timestamp"))] = None
        case Accident.UNKNOWN_TYPE:
            fields["eventType"] = draw.choice(("purchase", "IMPRESSION", "hover"))
        case Accident.FUTURE_TIMESTAMP:
            fields["timestamp"] = appended + draw.randrange(61_000, DAY_MS)
        case Accident.OLD_TIMESTAMP:
            fields["timestamp"] = draw.choice((appended // 1_000, appended - 8 * DAY_MS))
        case Accident.LATE:
            fields["timestamp"] = appended - draw.randrange(40_000, DAY_MS)
    return json.dumps(fields).encode()


def _cut(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()[:-20]
