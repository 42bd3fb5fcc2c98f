"""Nothing on the dashboards is empty while events come."""

from __future__ import annotations

import json
import math
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest

from tests.asked import Asked, of_clickhouse, of_prometheus
from tests.lab.fleet import Lab, eventually

RATE = 2_000
LOAD_S = 120
# What looks back over days is recorded every two minutes.
RECORDED_WITHIN_S = 200


@pytest.fixture(scope="module", autouse=True)
def _under_load(lab: Lab) -> Iterator[None]:
    lab.loaded(RATE, seconds=LOAD_S)
    yield
    lab.acknowledged()


def has_value(lab: Lab, expr: str) -> bool:
    """Whether the answer has a series with a number."""
    query = urllib.parse.urlencode({"query": expr})
    url = f"http://{lab.address('monitor1')}:9090/api/v1/query?{query}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        series = json.load(answer)["data"]["result"]
    return any(math.isfinite(float(one["value"][1])) for one in series)


def answer_of(lab: Lab, asked: Asked) -> bool | None:
    return True if has_value(lab, asked.expr) else None


def test_every_question_of_the_dashboards_has_an_answer_under_load(lab: Lab) -> None:
    recorded = [asked for asked in of_prometheus() if "slo:" in asked.expr]
    silent = [asked for asked in of_prometheus() if asked not in recorded]

    def answered() -> bool | None:
        silent[:] = [asked for asked in silent if not has_value(lab, asked.expr)]
        return None if silent else True

    try:
        eventually(answered, "every question has an answer", within_s=LOAD_S - 10)
    except AssertionError:
        pytest.fail("\n".join(f"{asked.where}: {asked.expr}" for asked in silent))
    for asked in recorded:
        eventually(partial(answer_of, lab, asked), asked.where, RECORDED_WITHIN_S)


@pytest.mark.parametrize("statement", of_clickhouse())
def test_every_table_of_the_dashboards_has_rows(lab: Lab, statement: str) -> None:
    eventually(lambda: True if lab.query(statement) else None, "the table has rows")
