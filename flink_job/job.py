"""The job: the same views between two kinds of ends, Kafka on the cluster and files embedded."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from string import Template
from typing import Any

from flink_job.age import WINDOWS_TTL
from flink_job.java import java_gateway

SQL = Path(__file__).with_name("sql")

SETTINGS = {
    # The three results hang on one view; with this it is planned, and runs, once.
    "table.optimizer.reuse-optimize-block-with-digest-enabled": "true",
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "300 ms",
    "table.exec.mini-batch.size": "50000",
    # Clocks never expire; windows and ledger say in their own SQL for how long they are kept.
    "table.exec.state.ttl": "0",
    "table.local-time-zone": "UTC",
    "pipeline.object-reuse": "true",
    "pipeline.name": "ctr",
}

# The results, each hanging on `judged`.
RESULTS = ("windows", "ledger", "dead_letters")

# What the SQL of the cluster's ends leaves open, for the job that serves.
SERVING = {
    "extent": "'scan.startup.mode' = 'earliest-offset'",
    "group": "ctr-job",
    "windows_topic": "ctr-windows",
    "ledger_topic": "ctr-ledger",
}


class Ends(StrEnum):
    """Where messages come from and results go to; each value is a folder of SQL."""

    KAFKA = "kafka"
    FILES = "files"


def statement(path: str, values: Mapping[str, str] | None = None) -> str:
    """The one statement of a file below sql/, its ${placeholders} filled in."""
    return Template((SQL / path).read_text(encoding="utf-8")).substitute(values or {})


def options(properties: Mapping[str, str]) -> str:
    """Client properties as the lines of a WITH clause of Flink's Kafka connector."""
    quoted = {key: value.replace("'", "''") for key, value in properties.items()}
    return ",\n  ".join(f"'properties.{key}' = '{value}'" for key, value in quoted.items())


def assemble(
    ends: Ends,
    values: Mapping[str, str],
    jars: list[Path],
    settings: Mapping[str, str],
    results: Sequence[str] = RESULTS,
) -> Any:  # noqa: ANN401 - pyflink has no types
    """Put the job together, ready to be explained or executed.

    Args:
        ends: Where messages come from and results go to.
        values: What the SQL of these ends leaves open; `windows_ttl` has a default.
        jars: The function's jar, and the connectors' where they are not in Flink's lib.
        settings: Flink settings beside and above `SETTINGS`.
        results: Which of `RESULTS` are wanted.

    Returns:
        A pyflink StatementSet with an insert for each of the results.
    """
    # No function of the job is in Python: PyFlink need not serve any, nor import what that takes.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - that is its name
    java_gateway()
    from pyflink.table import EnvironmentSettings, TableEnvironment  # noqa: PLC0415 - needs Java

    tables = TableEnvironment.create(EnvironmentSettings.in_streaming_mode())
    for key, value in {**SETTINGS, **settings}.items():
        tables.get_config().set(key, value)
    tables.get_config().set("pipeline.jars", ";".join(jar.absolute().as_uri() for jar in jars))

    values = {"windows_ttl": WINDOWS_TTL, **values}
    for path in (
        "verdict.sql",
        f"{ends}/incoming.sql",
        "parsed.sql",
        "clocked.sql",
        "judged.sql",
        *(f"{ends}/{result}.sql" for result in results),
    ):
        tables.execute_sql(statement(path, values))

    statements = tables.create_statement_set()
    for result in results:
        statements.add_insert_sql(statement(_insert(ends, result), values))
    return statements


def _insert(ends: Ends, result: str) -> str:
    """The file of a result's insert: these ends' own, where they have one."""
    own = f"{ends}/insert_{result}.sql"
    return own if (SQL / own).exists() else f"insert_{result}.sql"
