"""Jars are those of the lock, or nothing is started."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from loadtest.peers import jars as module
from loadtest.peers.entrant import HERE
from loadtest.peers.jars import JarsError, differing, digests, jars, locked


def project(folder: Path, content: bytes) -> Path:
    folder.mkdir()
    (folder / "pom.xml").write_text("<project/>", encoding="utf-8")
    digest = hashlib.sha256(content).hexdigest()
    (folder / "jars.sha256").write_text(f"{digest}  a.jar\n", encoding="ascii")
    return folder


def test_what_maven_brings_is_held_against_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_maven", lambda folder: (folder / "a.jar").write_bytes(b"right"))
    found = jars("x", project(tmp_path / "right", b"right"), tmp_path / "build")
    assert digests(found) == {"a.jar": hashlib.sha256(b"right").hexdigest()}
    with pytest.raises(JarsError, match=r"is not what .* names: a\.jar"):
        jars("x", project(tmp_path / "wrong", b"wrong"), tmp_path / "build")


def test_what_is_there_is_not_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = []

    def maven(folder: Path) -> None:
        fetched.append(folder)
        (folder / "a.jar").write_bytes(b"right")

    monkeypatch.setattr(module, "_maven", maven)
    wanted = project(tmp_path / "right", b"right")
    assert jars("x", wanted, tmp_path / "build") == jars("x", wanted, tmp_path / "build")
    assert len(fetched) == 1


def test_without_maven_a_sentence_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JarsError, match="apt install maven"):
        jars("x", project(tmp_path / "right", b"right"), tmp_path / "build")


def test_jars_of_only_one_side_differ() -> None:
    assert differing({"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}) == [
        "a",
        "c",
        "d",
    ]


@pytest.mark.parametrize("name", ["kafka_streams", "spark"])
def test_the_locks_of_the_peers_name_jars_by_their_digests(name: str) -> None:
    found = locked((HERE / name / "jars.sha256").read_text(encoding="ascii"))
    assert found
    assert all(len(digest) == 64 and jar.endswith(".jar") for jar, digest in found.items())
