"""What a user can get wrong with a replay ends in one sentence, and leaves nothing behind."""

from __future__ import annotations

import gzip
import json
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest

from flink_job import replay as replay_module
from flink_job.__main__ import main
from flink_job.domain import Record
from flink_job.dump import (
    DumpError,
    open_dump,
    payload_bytes,
    payload_text,
    read_record,
    read_records,
)
from flink_job.embedded import write_incoming
from flink_job.java import JavaError, find_java
from flink_job.outputs import OutputError, whole_files
from tests.nasty import T

LINE: dict[str, Any] = {"topic": "clicks", "partition": 0, "offset": 0, "ts": 1, "payload": "x"}


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["replay", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"topic": None}, "topic"),
        ({"topic": ""}, "topic"),
        ({"topic": 5}, "topic"),
        ({"partition": None}, "partition"),
        ({"partition": -1}, "partition"),
        ({"partition": True}, "partition"),
        ({"partition": 2**31}, "partition"),
        ({"offset": "0"}, "offset"),
        ({"offset": 1.0}, "offset"),
        ({"offset": 2**63}, "offset"),
        ({"ts": -1}, "ts"),
        ({"ts": 2**62}, "ts"),
        ({"payload": {}}, "payload"),
        ({"payload": 5}, "payload"),
    ],
)
def test_a_line_with_a_wrong_field_is_named_by_its_number_and_field(
    changes: dict[str, Any], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text(json.dumps(LINE) + "\n\n" + json.dumps({**LINE, "offset": 1, **changes}))
    said = refused([str(dump)], capsys)
    assert said.startswith(f"Line 3 is not a line of a dump: {sentence} must be ")


@pytest.mark.parametrize("line", [b"garbage", b"[1]", b"5", b'{"topic":', b"\xff", b"[" * 100_000])
def test_a_line_that_is_no_object_is_named_by_its_number(
    line: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_bytes(line + b"\n")
    assert refused([str(dump)], capsys).startswith("Line 1 is not a line of a dump: it is not ")


def test_a_line_without_payload_is_refused() -> None:
    with pytest.raises(DumpError, match="payload must be a string, or null"):
        read_record(json.dumps({k: v for k, v in LINE.items() if k != "payload"}).encode())


@pytest.mark.parametrize("second", [0, 1])
def test_offsets_that_do_not_rise_are_refused(second: int) -> None:
    lines = [json.dumps({**LINE, "offset": offset}).encode() for offset in (1, second)]
    with pytest.raises(
        DumpError, match=rf"Line 2: offset {second} of clicks/0 comes behind offset 1"
    ):
        list(read_records(lines))


def test_what_kcat_prints_besides_is_ignored() -> None:
    extra = {"tstype": "logappend", "broker": 1, "headers": ["k", "v"], "key": None}
    assert read_record(json.dumps({**LINE, **extra}).encode()).value == b"x"


def test_a_missing_dump_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused([str(tmp_path / "absent")], capsys)
    assert said == f"{tmp_path / 'absent'} cannot be read: No such file or directory.\n"


def test_a_folder_for_a_dump_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused([str(tmp_path)], capsys) == f"{tmp_path} cannot be read: Is a directory.\n"


def test_a_cut_gzip_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = tmp_path / "dump.gz"
    lines = b"".join(json.dumps({**LINE, "offset": n}).encode() + b"\n" for n in range(100))
    dump.write_bytes(gzip.compress(lines)[:-20])
    assert refused([str(dump)], capsys).startswith(f"{dump} is gzip, but damaged or cut short: ")


def test_a_folder_that_is_not_there_is_a_sentence_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    windows = tmp_path / "absent" / "W.csv"
    said = refused([str(tmp_path / "no-dump-either"), "--windows", str(windows)], capsys)
    assert said == f"{windows} cannot be written: No such file or directory.\n"


def test_a_folder_in_an_outputs_place_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(["--ledger", str(tmp_path)], capsys)
    assert said == f"{tmp_path} cannot be written: it is there and is not a file.\n"


def test_a_file_named_twice_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text(json.dumps(LINE))
    assert "is named twice" in refused([str(dump), "--windows", str(dump)], capsys)
    assert dump.read_text() == json.dumps(LINE)


def test_a_refused_replay_leaves_earlier_outputs_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dump, windows = tmp_path / "dump.jsonl", tmp_path / "W.csv"
    dump.write_text("garbage")
    windows.write_text("earlier")
    refused([str(dump), "--windows", str(windows), "--ledger", str(tmp_path / "L.csv")], capsys)
    assert windows.read_text() == "earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["W.csv", "dump.jsonl"]


def test_whole_files_take_the_umask_and_come_together(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    before = os.umask(0o027)
    try:
        with whole_files([one, two]) as files:
            for file in files:
                file.write("x")
            assert not one.exists()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (one, two)} == {0o640}


def test_a_name_that_is_taken_meanwhile_leaves_the_files_before_it(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    with pytest.raises(OutputError, match="two cannot be written"), whole_files([one, two, three]):
        two.mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_an_output_through_a_link_to_a_device_is_refused(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    with pytest.raises(OutputError, match="is not a file"), whole_files([tmp_path / "null"]):
        pass


def test_a_java_home_without_java_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(JavaError, match="there is no bin/java in it"):
        find_java()


def test_payloads_keep_every_byte() -> None:
    for value in (b"", b"text", "é".encode(), b"\xff\xfe", b"\xed\xa0\x80", bytes(range(256))):
        assert payload_bytes(payload_text(value)) == value


def test_an_escaped_surrogate_stays_invalid() -> None:
    with pytest.raises(UnicodeDecodeError):
        payload_bytes("\ud800").decode()


@contextmanager
def little_room() -> Iterator[None]:
    """No file may become longer than 4 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [5_000, 50_000])
def test_an_output_without_room_is_a_sentence_and_leaves_nothing(tmp_path: Path, size: int) -> None:
    wanted = tmp_path / "W.csv"
    with little_room(), pytest.raises((OutputError, OSError)), whole_files([wanted]) as (file,):
        file.write("x" * size)
    assert list(tmp_path.iterdir()) == []


def test_no_room_for_the_messages_is_no_fault_of_the_dump(tmp_path: Path) -> None:
    records = (Record("clicks", 0, offset, T, bytes(10_000)) for offset in range(100))
    with little_room(), pytest.raises(OutputError, match=r"no room for the messages .* TMPDIR"):
        write_incoming(records, tmp_path)


def test_an_interrupted_replay_is_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(replay_module, "replay", interrupt)
    assert main(["replay"]) == 130
    said = capsys.readouterr().err
    assert said == "Interrupted: each file that was asked for is whole, or as it was before.\n"


def test_an_empty_dump_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with open_dump(str(empty)) as lines:
        assert list(read_records(lines)) == []
