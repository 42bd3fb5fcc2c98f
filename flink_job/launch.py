"""Starts any version of the job, each by the code of its own release."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flink_job.cluster import ClusterError
from flink_job.deployed import Version
from flink_job.endpoints import Kafka
from flink_job.group import ran_before

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

    def start(self, version: Version, origin: str | None) -> str:
        """Start a version from a savepoint, or with None from the beginning; the job's id.

        Raises:
            ClusterError: It was not started, as far as is known.
        """
        # Without -P the current folder's code would win over that of the release.
        command = [sys.executable, "-P", "-W", "ignore", "-m", "flink_job.submit"]
        command += [f"--endpoints={self.endpoints}", f"--cluster={self.cluster}"]
        command += [f"--build={self.build}"]
        command += [f"--setting={key}={value}" for key, value in version.settings.items()]
        command += [] if origin is None else [f"--from={origin}"]
        try:
            ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
                command,
                env=os.environ | {"PYTHONPATH": version.release},
                capture_output=True,
                text=True,
                check=False,
                timeout=self.within_s,
                # Should this process be killed, the next deployment sees that a start goes on.
                pass_fds=[self.lock],
            )
        except subprocess.TimeoutExpired as problem:
            raise ClusterError(f"it was not submitted within {self.within_s:.0f} s") from problem
        job = ended.stdout.strip().splitlines()[-1:]
        if ended.returncode or not job or not JOB.fullmatch(job[0]):
            said = ended.stderr.strip().splitlines() or ["submitting it told no job and no reason"]
            raise ClusterError(said[-1])
        return job[0]
