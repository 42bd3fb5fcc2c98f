"""The job on an embedded Flink, one JVM for all tests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from flink_job.domain import Counts, DeadLetter, Entry, LedgerKey, Record, WindowKey
from flink_job.embedded import execute, read_results, write_incoming
from flink_job.replay import JARS
from flink_job.verdict import verdict_jar


@dataclass(frozen=True, slots=True)
class Outputs:
    """The three results, as the specification has them."""

    windows: dict[WindowKey, Counts]
    ledger: dict[LedgerKey, Entry]
    dead_letters: dict[tuple[str, int, int], DeadLetter]


RunJob = Callable[[Iterable[Record]], Outputs]


@pytest.fixture(scope="session")
def jar() -> Path:
    return verdict_jar(JARS)


@pytest.fixture
def run_job(jar: Path, tmp_path: Path) -> RunJob:
    def run(records: Iterable[Record]) -> Outputs:
        consumed = write_incoming(records, tmp_path)
        execute(tmp_path, jar)
        results = read_results(tmp_path, consumed)
        letters = list(results.dead_letters())
        assert len(letters) == len(dict(letters)), "a dead letter came twice"
        return Outputs(results.windows, results.ledger, dict(letters))

    return run
