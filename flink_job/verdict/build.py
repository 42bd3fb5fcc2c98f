"""Compiles the pages of Java by Janino, the compiler that Flink carries for its generated code."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from flink_job.java import java_gateway

FOLDER = Path(__file__).parent
# Each may use those before it.
PAGES = ("PlainEvent.java", "Verdict.java", "Judge.java")
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def verdict_jar(folder: Path, source: Path = FOLDER) -> Path:
    """The jar of the function and the clock, built when its source is new.

    The jar's name carries the digest of the source, so that a changed page never meets an old jar;
    the same pages give the same bytes.

    Args:
        folder: Where jars are kept; made when it is not there.
        source: The folder of the pages of Java.

    Returns:
        The absolute path of the jar.
    """
    pages = [(source / page).read_text(encoding="utf-8") for page in PAGES]
    digest = hashlib.sha256("".join(pages).encode()).hexdigest()[:16]
    jar = folder.absolute() / f"verdict-{digest}.jar"
    if not jar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write(jar, compile_java(pages))
    return jar


def compile_java(pages: Sequence[str]) -> dict[str, bytes]:
    """Compile pages of Java, of which each may use those before it; class names and their bytes."""
    jvm = java_gateway().jvm
    known = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    code: dict[str, bytes] = {}
    for page in pages:
        compiler = jvm.org.codehaus.janino.SimpleCompiler()
        compiler.setParentClassLoader(known)
        compiler.cook(page)
        classes = compiler.getBytecodes()
        code |= {name: bytes(classes[name]) for name in classes}
        known = compiler.getClassLoader()
    return dict(sorted(code.items()))


def _write(jar: Path, classes: Mapping[str, bytes]) -> None:
    # By a name of its own first: two builds at once must not read each other's half.
    half = jar.with_suffix(f".{os.getpid()}")
    with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, code in classes.items():
            archive.writestr(zipfile.ZipInfo(name.replace(".", "/") + ".class", LONG_AGO), code)
    half.replace(jar)
