"""Starts any version of the job, each by the code of its own release."""

from __future__ import annotations

import hashlib
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, cast

from flink_job.age import Reached
from flink_job.cluster import ClusterError
from flink_job.deployed import Version
from flink_job.endpoints import Kafka
from flink_job.group import ran_before, reached
from flink_job.submit import READY

# How argparse ends, as in a release that does not know an option.
MISTAKE = 2
JOB = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Launcher:
    """How jobs are started here.

    Attributes:
        kafka: How they reach Kafka.
        endpoints: The file that says so.
        cluster: Host:port of Flink's REST interface.
        build: Folder that the verdict's jar is made in.
        within_s: How long a start may take.
        lock: Open file that is locked for as long as anything of a deployment is under way.
    """

    kafka: Kafka
    endpoints: Path
    cluster: str
    build: Path
    within_s: float
    lock: int

    def digest(self, version: Version) -> str:
        """What tells a version from others, here and now.

        A job must be started anew for another Kafka or another login, too.
        """
        whole = [
            version.name,
            sorted(version.settings.items()),
            sorted(self.kafka.client_arguments().items()),
        ]
        return hashlib.sha256(json.dumps(whole).encode()).hexdigest()[:12]

    def there(self, version: Version) -> bool:
        """Whether the release of a version is on this host still."""
        return (Path(version.release) / "flink_job" / "submit.py").is_file()

    def ran_before(self) -> bool:
        """Whether the job has ever run against this Kafka, from wherever."""
        return ran_before(self.kafka)

    def reached(self) -> Reached:
        """How far the newest checkpoint of the job that ran last has read.

        Raises:
            ClusterError: Kafka cannot be asked.
        """
        return reached(self.kafka)

    def start(self, version: Version, origin: str | None) -> str:
        """Start a version from a savepoint, or with None from the beginning; the job's id.

        Raises:
            ClusterError: It was not started, as far as is known.
        """
        with self._submitting(version, [] if origin is None else [f"--from={origin}"]) as process:
            return self._submitted(process, None)

    @contextmanager
    def prepared(self, version: Version) -> Iterator[Callable[[str | None], str]]:
        """Make a version ready, so that starting it takes a moment; what starts it, as `start`.

        It is used once, inside of the block. A release that cannot wait is started when it is.

        Raises:
            ClusterError: Flink refuses its plan, or it is not ready in time.
        """
        with self._submitting(version, ["--await"]) as process:
            if process.first_line(self.within_s) == READY:
                yield lambda origin: self._submitted(process, f"{origin or ''}\n")
                return
            if process.code(self.within_s) != MISTAKE:
                raise ClusterError(process.reason())
        yield lambda origin: self.start(version, origin)

    def _submitted(self, process: _Submission, told: str | None) -> str:
        job = process.last_line(told, self.within_s)
        if process.code(self.within_s) or not JOB.fullmatch(job):
            raise ClusterError(process.reason())
        return job

    @contextmanager
    def _submitting(self, version: Version, options: list[str]) -> Iterator[_Submission]:
        # Without -P the current folder's code would win over that of the release.
        command = [sys.executable, "-P", "-W", "ignore", "-m", "flink_job.submit"]
        command += [f"--endpoints={self.endpoints}", f"--cluster={self.cluster}"]
        command += [f"--build={self.build}"]
        command += [f"--setting={key}={value}" for key, value in version.settings.items()]
        with TemporaryFile("w+") as errors:
            process = subprocess.Popen(  # noqa: S603 - a list of words, no shell reads them
                [*command, *options],
                env=os.environ | {"PYTHONPATH": version.release},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # Should this process be killed, the next deployment sees that a start goes on.
                pass_fds=[self.lock],
            )
            try:
                yield _Submission(process, errors)
            finally:
                process.kill()
                process.communicate()


@dataclass(frozen=True, slots=True)
class _Submission:
    """A process that submits a version.

    Attributes:
        process: It.
        errors: What it has to say of what went wrong.
    """

    process: subprocess.Popen[str]
    errors: IO[str]

    def first_line(self, within_s: float) -> str:
        """The first line that it says; empty where it ends without."""
        said = cast("IO[str]", self.process.stdout)
        if not select.select([said], [], [], within_s)[0]:
            raise ClusterError(f"it was not ready to be submitted within {within_s:.0f} s")
        return said.readline().strip()

    def last_line(self, told: str | None, within_s: float) -> str:
        """Tell it something, and wait for its end; the last line that it says."""
        try:
            said, _ = self.process.communicate(told, within_s)
        except subprocess.TimeoutExpired as problem:
            raise ClusterError(f"it was not submitted within {within_s:.0f} s") from problem
        return (said.strip().splitlines() or [""])[-1]

    def code(self, within_s: float) -> int:
        """Its exit status."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired as problem:
            raise ClusterError(f"it did not end within {within_s:.0f} s") from problem

    def reason(self) -> str:
        """Why it failed, in its own words."""
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        return said[-1] if said else "submitting it told no job and no reason"
