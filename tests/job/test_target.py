"""Where the job runs: on the cluster that is named, or else in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from flink_job.job import Ends, assemble


class Cluster(ThreadingHTTPServer):
    """A Flink that is asked, and knows of nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    """Refuses all."""

    server: Cluster

    def do_GET(self) -> None:
        """Refuse to tell."""
        self._refuse()

    def do_POST(self) -> None:
        """Refuse to take."""
        self._refuse()

    def _refuse(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_job_goes_to_the_cluster_that_is_named(
    cluster: Cluster, jar: Path, tmp_path: Path
) -> None:
    settings = {
        "execution.target": "remote",
        "execution.attached": "false",
        "rest.address": "127.0.0.1",
        "rest.port": str(cluster.server_port),
        "rest.retry.max-attempts": "1",
    }
    job = assemble(Ends.FILES, {"folder": str(tmp_path)}, [jar], settings)
    with pytest.raises(Exception, match=r"Failed to execute|submit"):
        job.execute()
    assert any(path.endswith("/jobs") for path in cluster.asked), cluster.asked
