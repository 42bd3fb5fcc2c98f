"""What Avro would cost is measured on the same events with the same outcomes as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from loadtest.formats.__main__ import main
from loadtest.formats.avro import encode
from loadtest.formats.cost import HERE, classes_of, compiled, stopwatch, write_messages
from tests.nasty import T

EVENT: dict[str, Any] = {"userId": "u", "productId": "p-é", "eventType": "view", "timestamp": T}
GOOD = encode(EVENT)

CHANGES: list[dict[str, Any]] = [
    {},
    {"eventType": "click"},
    {"eventType": "impression"},
    {"eventType": "buy"},
    {"userId": ""},
    {"productId": "  "},
    {"eventType": ""},
    {"timestamp": T + 60_000},
    {"timestamp": T + 60_001},
    {"timestamp": T - 604_800_000},
    {"timestamp": T - 604_800_001},
    {"timestamp": -(2**63)},
    {"timestamp": 2**63 - 1},
    {"productId": "p" * 9_000},
]


def judged(verdict: str, known: Any, folder: Path, values: Sequence[bytes]) -> list[str]:  # noqa: ANN401
    path = folder / "messages"
    write_messages([(T, value) for value in values], path)
    watch = stopwatch(verdict, known, path)
    return [str(watch.said(number)) for number in range(len(values))]


@pytest.fixture(scope="module")
def by_hand() -> Any:  # noqa: ANN401
    return compiled((HERE / "AvroVerdict.java").read_text(encoding="utf-8"), classes_of([]))


def test_avro_and_json_have_the_same_outcomes(jar: Path, by_hand: Any, tmp_path: Path) -> None:  # noqa: ANN401
    events = [EVENT | change for change in CHANGES]
    json_said = judged(
        "Verdict", classes_of([jar]), tmp_path, [json.dumps(event).encode() for event in events]
    )
    avro_said = judged("AvroVerdict", by_hand, tmp_path, [encode(event) for event in events])
    assert avro_said == json_said


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{}",
        GOOD[:5],
        b"\x01" + GOOD[1:],
        GOOD[:4] + b"\x02" + GOOD[5:],
        *(GOOD[:end] for end in range(6, len(GOOD))),
        GOOD + b"\x00",
        GOOD[:5] + b"\x01" + GOOD[6:],
        GOOD[:5] + b"\xfe\xff\xff\xff\x0f" + GOOD[6:],
        GOOD.replace(b"\xc3", b"\xff"),
        GOOD[:-6] + b"\x80" * 10 + b"\x01",
    ],
)
def test_what_is_no_event_in_avro_is_malformed(value: bytes, by_hand: Any, tmp_path: Path) -> None:  # noqa: ANN401
    assert judged("AvroVerdict", by_hand, tmp_path, [value]) == ["malformed"]


def test_the_command_tells_each_way_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--events", "100", "--times", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.split(r" *\| *", line)[1] for line in lines[2:]] == [
        "JSON, as it comes",
        "JSON and a field of null",
        "Avro, read by hand",
    ]
    assert all(
        re.fullmatch(r"\| [\w, ]+ \| \d+ \| \d+ \| [\d.]+, [\d.]+ \|", line) for line in lines[2:]
    )


def test_a_library_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--library", "nowhere.jar"])
    assert "nowhere.jar is no file" in capsys.readouterr().err
