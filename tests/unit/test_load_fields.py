from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loadtest.fields import FIELDS, STEPS, Client, FieldsError, changed, refusal, wanted
from loadtest.shape import Constant, Day, Kind, Ramp, Spike, Steps

OPTIONS: dict[str, Any] = {
    "rate": 1_000,
    "duration": 0,
    "shape": "constant",
    "steps": STEPS,
    "peak": 5_000,
    "period": 60,
    "bad": 0.1,
    "disorder": 0.1,
    "late": 0.1,
    "products": 10,
    "skew": 1.0,
    "client": "confluent",
}
KAFKA = '"kafka": {"bootstrap.servers": "kafka1:9092"}'
STEPPED = {"shape": "steps", "duration": 60}


def test_the_fields_are_all_that_a_run_hangs_on() -> None:
    assert OPTIONS.keys() == FIELDS.keys()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({}, None),
        ({"rate": "0"}, "rate is 0"),
        ({"rate": "many"}, "A whole number is needed: rate is many."),
        ({"duration": -1}, "duration is -1"),
        ({"bad": "2"}, "bad is 2"),
        ({"bad": "x"}, "number is needed"),
        ({"skew": "-1"}, "skew is -1"),
        ({"products": 1_000_001}, "at most 1,000,000"),
        (
            {"shape": "sawtooth"},
            "sawtooth: it is one of constant, steps, ramp, spike, day",
        ),
        ({"shape": "ramp"}, "duration is 0: the shape ramp needs its seconds"),
        ({"shape": "steps"}, "duration is 0: the shape steps needs its seconds"),
        ({**STEPPED, "steps": "1000;10000"}, "steps is '1000;10000'"),
        ({**STEPPED, "steps": "1000,,10000"}, "steps is '1000,,10000'"),
        ({**STEPPED, "steps": "1000,0"}, "steps is '1000,0'"),
        ({"shape": "spike", "peak": 10}, "peak is 10 and rate 1000"),
        ({"shape": "day", "period": 0}, "period is 0: at least a second"),
        ({"client": "librdkafka"}, "client is librdkafka: it is one of confluent, kafka-python"),
        ({"endpoints": "/nowhere/endpoints.json"}, "cannot be read"),
        ({"client": "kafka-python"}, "no section clickhouse"),
    ],
)
def test_a_run_that_cannot_be_is_refused_in_a_sentence(
    wrong: dict[str, Any], says: str | None, tmp_path: Path
) -> None:
    endpoints = tmp_path / "endpoints.json"
    endpoints.write_text(f"{{{KAFKA}}}")
    told = refusal({**OPTIONS, "endpoints": str(endpoints), **wrong})
    assert told is None if says is None else says in (told or "")


@pytest.mark.parametrize(
    ("fields", "shape", "events"),
    [
        ({"duration": 60}, Constant(1_000), 60_000),
        ({"shape": "steps", "steps": "10, 20", "duration": 60}, Steps((10, 20), 30), 900),
        ({"shape": "ramp", "duration": 60}, Ramp(1_000, 60), 30_000),
        ({"shape": "spike", "duration": 60}, Spike(1_000, 5_000, 60), 84_000),
        ({"shape": "day", "duration": 60}, Day(1_000, 5_000, 60), 180_000),
        ({"shape": "day"}, Day(1_000, 5_000, 60), 0),
    ],
)
def test_a_shape_and_a_duration_make_a_number_of_events(
    fields: dict[str, Any], shape: object, events: int
) -> None:
    asked = wanted({**OPTIONS, **fields})
    assert asked.shape == shape
    assert asked.events == events
    assert asked.kind is Kind(str(fields.get("shape", "constant")))


def test_a_run_without_an_end_can_be_changed_while_it_goes_on() -> None:
    now = changed(wanted(OPTIONS), {**OPTIONS, "rate": 7, "skew": 0.0})
    assert (now.shape, now.mix.skew) == (Constant(7), 0.0)


@pytest.mark.parametrize(
    ("going_on", "asked", "says"),
    [
        ({"duration": 60}, {"rate": 5}, "has a duration"),
        ({}, {"duration": 60}, "duration and client cannot be changed"),
        ({}, {"client": str(Client.KAFKA_PYTHON)}, "duration and client cannot be changed"),
        ({}, {"rate": 0}, "rate is 0"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_a_sentence(
    going_on: dict[str, Any], asked: dict[str, Any], says: str
) -> None:
    now = wanted({**OPTIONS, **going_on})
    with pytest.raises(FieldsError, match=says):
        changed(now, {**OPTIONS, **asked})
