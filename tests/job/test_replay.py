"""`python -m flink_job replay`: what a user gives it, and what they get."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from flink_job.__main__ import main
from flink_job.replay import EXAMPLE
from tests.nasty import T

ROOT = Path(__file__).parents[2]
Files = tuple[Path, Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return tmp_path / "W.csv", tmp_path / "L.csv", tmp_path / "D.jsonl"


def replay(dump: str | Path, files: Files) -> int:
    windows, ledger, letters = map(str, files)
    outputs = ["--windows", windows, "--ledger", ledger, "--dead-letters", letters]
    return main(["replay", str(dump), *outputs])


def dump(folder: Path, payloads: list[str | None], appended: list[int] | None = None) -> Path:
    path = folder / "dump.jsonl"
    times = appended or [T] * len(payloads)
    with path.open("w") as lines:
        for offset, (payload, ts) in enumerate(zip(payloads, times, strict=True)):
            line = {"topic": "impressions", "partition": 0, "offset": offset, "ts": ts}
            lines.write(json.dumps({**line, "payload": payload}) + "\n")
    return path


def ev(timestamp: object) -> str:
    event = {"userId": "u", "productId": "p", "eventType": "impression", "timestamp": timestamp}
    return json.dumps(event)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines))


def events(ledger: Path) -> dict[str, int]:
    total: dict[str, int] = {}
    for row in table(ledger):
        total[row["outcome"]] = total.get(row["outcome"], 0) + int(row["events"])
    return total


def letters(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_clocks_in_seconds_or_microseconds_are_explained_and_move_nothing(
    tmp_path: Path, files: Files
) -> None:
    times = [1764000000, 1764000000000000, 1764000000000000000, T - 12_000, T]
    appended = [T + offset for offset in range(5)]
    assert replay(dump(tmp_path, [ev(time) for time in times], appended), files) == 0
    assert table(files[0]) == [
        {"product_id": "p", "window_start": start, "impressions": "1", "clicks": "0"}
        for start in ("2025-11-24T15:59:40Z", "2025-11-24T16:00:00Z")
    ]
    assert events(files[1]) == {"old_timestamp": 1, "future_timestamp": 2, "counted": 2}
    assert [letter["offset"] for letter in letters(files[2])] == [0, 1, 2]


def test_timestamps_as_text_and_as_numbers_count_and_other_forms_are_explained(
    tmp_path: Path, files: Files
) -> None:
    # By hand, since JSON in Python cannot say 1764000000000.5 without rounding in every case.
    times = [str(T), f'"{T}"', f"{T}.5", '"abc"', "true", "{}", str(2**63), str(2**63 - 1)]
    payloads: list[str | None] = [ev(0).replace(" 0}", f" {t}}}") for t in [*times, str(-(2**63))]]
    assert replay(dump(tmp_path, payloads), files) == 0
    assert events(files[1]) == {
        "counted": 2,
        "malformed": 4,
        "missing_field": 1,
        "future_timestamp": 1,
        "old_timestamp": 1,
    }
    assert len(letters(files[2])) == 7


def test_arrays_and_tombstones_are_malformed_and_come_back_byte_for_byte(
    tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    array = f"[{ev(T)},{ev(T)}]"
    assert replay(dump(tmp_path, [array, None]), files) == 0
    assert table(files[0]) == []
    assert table(files[1]) == [
        {
            "topic": "impressions",
            "partition": "0",
            "outcome": "malformed",
            "hour": "2025-11-24T16:00:00Z",
            "events": "2",
            "first_offset": "0",
            "last_offset": "1",
        }
    ]
    assert [letter["payload"] for letter in letters(files[2])] == [array, None]
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "conservation: consumed 2 = counted 0 + rejected 2 + late 0, unexplained 0"


def test_the_example_shows_every_outcome_and_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay"]) == 0
    shown = capsys.readouterr().out
    assert shown in (ROOT / "README.md").read_text(), "README shows another output"
    for outcome in (
        "malformed",
        "missing_field",
        "unknown_type",
        "future_timestamp",
        "old_timestamp",
        "late",
        "counted",
    ):
        assert f" {outcome} " in shown
    assert shown.splitlines()[-1].endswith("unexplained 0")


def test_standard_input_and_gzip_give_what_the_plain_file_gives(
    tmp_path: Path, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert replay(EXAMPLE, files) == 0
    plain = [path.read_bytes() for path in files]

    packed = tmp_path / "example.gz"
    packed.write_bytes(gzip.compress(EXAMPLE.read_bytes()))
    assert replay(packed, files) == 0
    assert [path.read_bytes() for path in files] == plain

    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(EXAMPLE.read_bytes())))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert replay("-", files) == 0
    assert [path.read_bytes() for path in files] == plain


def test_bytes_that_are_no_utf8_come_back_as_they_were(tmp_path: Path, files: Files) -> None:
    path = tmp_path / "raw.jsonl"
    line = (
        b'{"topic":"clicks","partition":0,"offset":0,"ts":%d,"payload":"\xff\xc3 \xe2\x82"}\n' % T
    )
    path.write_bytes(line)
    assert replay(path, files) == 0
    (letter,) = letters(files[2])
    payload = str(letter["payload"])
    assert payload.encode("utf-8", "surrogateescape") == b"\xff\xc3 \xe2\x82"


def test_an_empty_dump_has_nothing_to_explain(
    tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(dump(tmp_path, []), files) == 0
    assert files[0].read_text() == "product_id,window_start,impressions,clicks\n"
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .endswith("consumed 0 = counted 0 + rejected 0 + late 0, unexplained 0")
    )


def test_offsets_that_the_dump_lacks_are_told_and_are_not_unexplained(
    tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = dump(tmp_path, [ev(T)] * 5).read_text().splitlines(keepends=True)
    holes = tmp_path / "holes.jsonl"
    holes.write_text(whole[0] + whole[4])
    assert replay(holes, files) == 0
    assert "3 offsets between the first and the last are not in the dump" in capsys.readouterr().out


def test_a_dump_that_lacks_its_beginning_is_told_and_judged_from_where_it_begins(
    tmp_path: Path, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    # The first one moves the clock far enough for the second, appended before, to be late.
    whole = dump(tmp_path, [ev(T + 40_000), ev(T)], [T + 40_000, T + 30_000])
    assert replay(whole, files) == 0
    assert events(files[1]) == {"counted": 1, "late": 1}
    assert "The dump begins above offset 0" not in capsys.readouterr().out
    edge = tmp_path / "edge.jsonl"
    edge.write_text(whole.read_text().splitlines()[1])
    assert replay(edge, files) == 0
    assert events(files[1]) == {"counted": 1}
    assert "The dump begins above offset 0 in 1 partitions" in capsys.readouterr().out


def test_the_command_ends_with_the_status_of_the_replay(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "flink_job", "replay", str(tmp_path / "absent")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr == f"{tmp_path / 'absent'} cannot be read: No such file or directory.\n"


def test_a_job_that_fails_is_one_sentence_and_leaves_no_outputs(
    tmp_path: Path,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def damaged(_: object, folder: Path) -> Counter[tuple[str, int]]:
        (folder / "incoming.json.gz").write_bytes(b"no gzip")
        return Counter({("clicks", 0): 1})

    monkeypatch.setattr("flink_job.replay.write_incoming", damaged)
    assert replay(EXAMPLE, files) == 1
    said = capsys.readouterr().err
    assert said.startswith("The job failed: ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
