"""The largest message that a topic takes, and the largest record that comes of it."""

from __future__ import annotations

import json
import re

import pytest

from flink_job.job import SQL
from tests.nasty import T, event

LARGEST_INPUT = 1_048_588  # Kafka's message.max.bytes: a batch with one record and all its fields
BATCH = 61 + 70  # the batch and the record around key, value and headers
LONGEST_PLACE = f"impressions-{2**31 - 1}-{2**63 - 1}"
WIDE = "\U0001f600"  # four bytes in UTF-8, and an escape of twelve as Flink writes it


def largest_product() -> str:
    return WIDE * ((LARGEST_INPUT - BATCH - len(event(product='""'))) // len(WIDE.encode()))


def largest_window() -> int:
    key = {"product_id": largest_product(), "window_start": -T}
    value = {**key, "impressions": 2**63 - 1, "clicks": 2**63 - 1}
    return BATCH + len(json.dumps(key)) + len(json.dumps(value))


def largest_letter() -> int:
    headers = ("topic", "partition", "offset", "reason", LONGEST_PLACE, "future_timestamp")
    return LARGEST_INPUT + len(LONGEST_PLACE) + sum(len(text) + 10 for text in headers)


@pytest.mark.parametrize(
    ("sink", "largest"), [("windows", largest_window()), ("dead_letters", largest_letter())]
)
def test_the_largest_message_fits_into_its_results(sink: str, largest: int) -> None:
    text = (SQL / "kafka" / f"{sink}.sql").read_text()
    said = re.search(r"'properties\.max\.request\.size' = '(\d+)'", text)
    assert said is not None
    assert LARGEST_INPUT < largest <= int(said[1])
    assert int(said[1]) >= 2 * LARGEST_INPUT + 64 * 1_024


def test_the_largest_product_is_as_large_as_it_can_be() -> None:
    value = event(product=f'"{largest_product()}"')
    assert 0 <= LARGEST_INPUT - BATCH - len(value) < len(WIDE.encode())
