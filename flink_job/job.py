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
    "table.optimizer.agg-phase-strategy": "TWO_PHASE",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "300 ms",
    "table.exec.mini-batch.size": "50000",
    # A burst of rows each 300 ms would otherwise wait up to 100 ms more for the network's flush.
    "execution.buffer-timeout.interval": "10 ms",
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
    jvm = java_gateway().jvm
    # No function of the job is in Python: PyFlink need not serve any, nor import what that takes.
    os.environ["_python_worker_execution_mode"] = "process"  # noqa: SIM112 - that is its name
    from pyflink.table import TableEnvironment  # noqa: PLC0415 - needs Java

    whole = {**SETTINGS, **settings}
    whole["pipeline.jars"] = ";".join(jar.absolute().as_uri() for jar in jars)
    configuration = jvm.org.apache.flink.configuration.Configuration()
    for key, value in whole.items():
        configuration.setString(key, value)
    streams = jvm.org.apache.flink.streaming.api.environment.StreamExecutionEnvironment
    # Without a cluster that is named, one in this process.
    named = "execution.target" in whole
    where = streams(configuration) if named else streams.getExecutionEnvironment(configuration)
    java_tables = jvm.org.apache.flink.table.api.bridge.java.StreamTableEnvironment.create(where)
    tables = TableEnvironment(java_tables)

    values = {"windows_ttl": WINDOWS_TTL, **values}
    tables.execute_sql(statement(f"{ends}/incoming.sql", values))
    _judge(java_tables, jars)
    for result in results:
        tables.execute_sql(statement(f"{ends}/{result}.sql", values))

    statements = tables.create_statement_set()
    for result in results:
        statements.add_insert_sql(statement(_insert(ends, result), values))
    return statements


def judge_of(jars: Sequence[Path]) -> Any:  # noqa: ANN401 - py4j has no types
    """The step in Java that judges, from the jar that it is in."""
    gateway = java_gateway()
    jvm = gateway.jvm
    urls = gateway.new_array(jvm.java.net.URL, len(jars))
    for number, jar in enumerate(jars):
        urls[number] = jvm.java.net.URL(jar.absolute().as_uri())
    known = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    return jvm.java.net.URLClassLoader(urls, known).loadClass("Judge").newInstance()


def _judge(tables: Any, jars: Sequence[Path]) -> None:  # noqa: ANN401 - py4j has no types
    """Make the view `judged` of the table `incoming`, by the step in Java."""
    judge = judge_of(jars)
    incoming = tables.sqlQuery(statement("incoming.sql"))
    # As rows are inside of Flink: nothing is converted on the way.
    row = java_gateway().jvm.org.apache.flink.table.data.RowData._java_lang_class  # noqa: SLF001
    inside = incoming.getResolvedSchema().toSourceRowDataType().bridgedTo(row)
    judged = tables.toDataStream(incoming, inside).map(judge).name("judge").uid("judge")
    tables.createTemporaryView("judged", judged)


def _insert(ends: Ends, result: str) -> str:
    """The file of a result's insert: these ends' own, where they have one."""
    own = f"{ends}/insert_{result}.sql"
    return own if (SQL / own).exists() else f"insert_{result}.sql"
