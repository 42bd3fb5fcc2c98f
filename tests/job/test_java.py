"""The way into the JVM."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path

from flink_job.java import java_gateway


def test_objects_dropped_by_another_thread_open_no_second_connection() -> None:
    gateway = java_gateway()
    objects = [gateway.jvm.java.util.ArrayList() for _ in range(500)]

    def drop() -> None:
        objects.clear()
        gc.collect()

    dropping = threading.Thread(target=drop)
    dropping.start()
    while dropping.is_alive():
        gateway.jvm.System.nanoTime()
    assert len(gateway._gateway_client.deque) == 1  # noqa: SLF001 - py4j shows it nowhere else


def test_a_java_that_does_not_start_is_a_sentence(tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho no memory for this Java >&2\nexit 1\n", encoding="utf-8")
    java.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "flink_job", "replay"],
        env={**os.environ, "JAVA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert f"The Java of {tmp_path} did not start" in ended.stderr
    assert "Traceback" not in ended.stderr
