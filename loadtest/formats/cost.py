"""CPU of a verdict by itself, in the JVM that PyFlink runs on."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

from flink_job.java import java_gateway

HERE = Path(__file__).parent
_NUMBERS = count()
Loader = Any  # a java.lang.ClassLoader; py4j has no types


def write_messages(messages: Iterable[tuple[int, bytes]], path: Path) -> None:
    """Write messages as Stopwatch.java reads them, each with its append time in ms."""
    with path.open("wb") as file:
        for appended, value in messages:
            file.write(struct.pack(">qi", appended, len(value)) + value)


def classes_of(jars: Iterable[Path]) -> Loader:
    """The classes of jars, on top of Flink's."""
    gateway = java_gateway()
    names = [jar.absolute().as_uri() for jar in jars]
    urls = gateway.new_array(gateway.jvm.java.net.URL, len(names))
    for place, name in enumerate(names):
        urls[place] = gateway.jvm.java.net.URL(name)
    flink = gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader()
    return gateway.jvm.java.net.URLClassLoader(urls, flink)


def compiled(page: str, known: Loader) -> Loader:
    """The classes of a page of Java, on top of those that it may use."""
    compiler = java_gateway().jvm.org.codehaus.janino.SimpleCompiler()
    compiler.setParentClassLoader(known)
    compiler.cook(page)
    return compiler.getClassLoader()


def stopwatch(verdict: str, known: Loader, messages: Path) -> Any:  # noqa: ANN401 - as above
    """A Stopwatch for the verdict of this name, with the messages of a file."""
    # Two classes of one name are one to py4j, from whichever loaders they come.
    name = f"Stopwatch{next(_NUMBERS)}"
    page = (HERE / "Stopwatch.java").read_text(encoding="utf-8")
    page = page.replace("Stopwatch", name).replace("THE_VERDICT", verdict)
    given = java_gateway().new_array(java_gateway().jvm.Object, 1)
    given[0] = str(messages)
    (constructor,) = compiled(page, known).loadClass(name).getConstructors()
    return constructor.newInstance(given)
