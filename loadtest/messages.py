"""Realistic messages by the seed: what shops send, with a share of everything that goes wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flink_job.domain import Record

DAY_MS = 86_400_000


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
        value = _gone_wrong(fields, appended, int(draw.random() / traffic.bad), draw)
        yield Record(topic, partition, offset, appended, value)


def _gone_wrong(
    fields: dict[str, Any], appended: int, accident: int, draw: random.Random
) -> bytes | None:
    match accident:
        case 0:
            return draw.choice((None, b"", json.dumps([fields]).encode(), _cut(fields)))
        case 1:
            fields[draw.choice(("userId", "productId", "eventType", "timestamp"))] = None
        case 2:
            fields["eventType"] = draw.choice(("purchase", "IMPRESSION", "hover"))
        case 3:
            fields["timestamp"] = appended + draw.randrange(61_000, DAY_MS)
        case 4:
            fields["timestamp"] = draw.choice((appended // 1_000, appended - 8 * DAY_MS))
        case 5:
            fields["timestamp"] = appended - draw.randrange(40_000, DAY_MS)
    return json.dumps(fields).encode()


def _cut(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()[:-20]
