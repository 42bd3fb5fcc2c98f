"""The job: the same views between two kinds of ends, Kafka on the cluster and files embedded."""

from __future__ import annotations

import os
from collections.abc import Mapping
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
    ends: Ends, values: Mapping[str, str], jars: list[Path], settings: Mapping[str, str]
) -> Any:  # noqa: ANN401 - pyflink has no types
    """Put the job together, ready to be explained or executed.

    Args:
        ends: Where messages come from and results go to.
        values: What the SQL of these ends leaves open; `windows_ttl` has a default.
        jars: The function's jar, and the connectors' where they are not in Flink's lib.
        settings: Flink settings beside and above `SETTINGS`.

    Returns:
        A pyflink StatementSet with three inserts: windows, ledger, dead letters.
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
        f"{ends}/windows.sql",
        f"{ends}/ledger.sql",
        f"{ends}/dead_letters.sql",
    ):
        tables.execute_sql(statement(path, values))

    statements = tables.create_statement_set()
    for path in ("insert_windows.sql", "insert_ledger.sql", f"{ends}/insert_dead_letters.sql"):
        statements.add_insert_sql(statement(path, values))
    return statements
