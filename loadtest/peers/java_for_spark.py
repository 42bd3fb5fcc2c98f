"""A JAVA_HOME for Spark, whose launcher asks for a module that small Java runtimes lack.

It is the incubating vector module, which speeds up linear algebra of Spark's machine learning and
nothing that is measured here.
"""

from __future__ import annotations

import shlex
from pathlib import Path

LACKING = "--add-modules=jdk.incubator.vector"

SCRIPT = """#!/bin/sh
# The same Java, without the module that it has not.
for word; do
  shift
  [ "$word" = {lacking} ] || set -- "$@" "$word"
done
exec {java} "$@"
"""


def java_for_spark(java: Path, into: Path) -> Path:
    """A folder whose bin/java is this one, without the module.

    Args:
        java: The Java program.
        into: Where the folder is made.
    """
    home = into.absolute() / "java-for-spark"
    program = home / "bin/java"
    program.parent.mkdir(parents=True, exist_ok=True)
    text = SCRIPT.format(lacking=shlex.quote(LACKING), java=shlex.quote(str(java)))
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return home
