"""Compiles Verdict.java by Janino, the compiler that Flink carries for its own generated code."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

from flink_job.java import java_gateway

SOURCE = Path(__file__).with_name("Verdict.java")
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def verdict_jar(folder: Path, source: Path = SOURCE) -> Path:
    """The jar of the function, built when its source is new.

    The jar's name carries the digest of the source, so that a changed page never meets an old jar;
    the same page gives the same bytes.

    Args:
        folder: Where jars are kept; made when it is not there.
        source: The page of Java.

    Returns:
        The absolute path of the jar.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    jar = folder.absolute() / f"verdict-{digest}.jar"
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(jar, compile_java(source.read_text(encoding="utf-8")))
    return jar


def compile_java(source: str) -> dict[str, bytes]:
    """Compile a page of Java; class names and their bytes."""
    compiler = java_gateway().jvm.org.codehaus.janino.SimpleCompiler()
    compiler.cook(source)
    classes = compiler.getBytecodes()
    return {name: bytes(classes[name]) for name in sorted(classes)}


def _write(jar: Path, classes: Mapping[str, bytes]) -> None:
    # By a name of its own first: two builds at once must not read each other's half.
    half = jar.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, code in classes.items():
            archive.writestr(zipfile.ZipInfo(name.replace(".", "/") + ".class", LONG_AGO), code)
    half.replace(jar)
