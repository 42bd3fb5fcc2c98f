"""Spark's Java is the same Java, without the module that it asks for in vain."""

from __future__ import annotations

import subprocess
from pathlib import Path

from loadtest.peers.java_for_spark import LACKING, java_for_spark


def test_the_one_word_is_taken_out_and_all_others_are_passed_on(tmp_path: Path) -> None:
    java = tmp_path / "a java"
    java.write_text('#!/bin/sh\nfor word; do echo "<$word>"; done\n', encoding="utf-8")
    java.chmod(0o755)
    program = java_for_spark(java, tmp_path) / "bin/java"
    words = ["-cp", "a b", LACKING, "--add-modules=java.sql", "$HOME", ""]
    ended = subprocess.run([program, *words], capture_output=True, text=True, check=True)  # noqa: S603
    assert ended.stdout.splitlines() == [f"<{word}>" for word in words if word != LACKING]
