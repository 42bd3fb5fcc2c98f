"""The form of what peers in Python write."""

from __future__ import annotations

from typing import Any

import orjson

from flink_job.domain import Outcome


def window_value(product: str, start: int, impressions: int, clicks: int) -> bytes:
    """A window as its topic has it."""
    row = {
        "product_id": product,
        "window_start": start,
        "impressions": impressions,
        "clicks": clicks,
    }
    return orjson.dumps(row)


def window_key(product: str, start: int) -> bytes:
    """The key of a window, by which its topic is compacted."""
    return orjson.dumps({"product_id": product, "window_start": start})


def letter(
    topic: str, partition: int, offset: int, reason: Outcome, value: bytes | None
) -> dict[str, Any]:
    """A dead letter: arguments of `produce` beside the topic."""
    place = f"{topic}-{partition}-{offset}".encode()
    headers = {
        "topic": topic.encode(),
        "partition": str(partition).encode(),
        "offset": str(offset).encode(),
        "reason": reason.encode(),
    }
    return {"key": place, "value": value, "headers": list(headers.items())}
