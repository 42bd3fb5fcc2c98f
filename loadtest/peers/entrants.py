"""Who takes part."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from loadtest.peers.entrant import HERE, Can, Entrant, Load

RULES = (HERE / "rules.py", HERE / "written.py", HERE / "told.py")


@dataclass(frozen=True, slots=True)
class Tools:
    """What programs of entrants are run by.

    Attributes:
        java: The Java program, 17.
        job_python: The Python that has what the job needs.
        flink_jars: The folder of Flink's connectors.
        streams_jars: The folder of Kafka Streams.
        streams_classes: The folder of the program that is written with it.
        spark_jars: The folder of Spark's connector.
        spark_java: The JAVA_HOME of Spark.
        cores: How many run at the same time.
    """

    java: Path
    job_python: Path
    flink_jars: Path
    streams_jars: Path
    streams_classes: Path
    spark_jars: Path
    spark_java: Path
    cores: int


def entrants(tools: Tools) -> list[Entrant]:
    """All of them, in the order of the table."""
    python = sys.executable
    return [
        Entrant(
            name="ours",
            title="this project's job (Flink 2.3, SQL and Java)",
            command=(
                str(tools.job_python),
                "-m",
                "loadtest.peers.ours",
                str(tools.flink_jars),
                str(tools.cores),
            ),
            environment={
                "JAVA_HOME": str(tools.java.parents[1]),
                "JAVA_TOOL_OPTIONS": "-Xmx1400m",
            },
            letters="dead-letters",
            further=("-ledger",),
            sources=tuple(
                sorted(
                    path
                    for kind in ("sql/*.sql", "sql/kafka/*.sql", "verdict/*.java", "job.py")
                    for path in (HERE.parents[1] / "flink_job").glob(kind)
                )
            ),
            load=Load.LARGE,
            can=Can(
                late="dead letter, by each partition's own clock",
                early="every 300 ms",
                letters="all, with reason and bytes",
                once="rows exact, written at least once",
                recovery="checkpoint every 5 s, on any host",
            ),
            note="It alone keeps the ledger too, and its CPU has that in it.",
        ),
        Entrant(
            name="plain",
            title="confluent-kafka and a loop in Python",
            command=(python, "-m", "loadtest.peers.plain"),
            sources=(HERE / "plain/__main__.py", *RULES),
            load=Load.LARGE,
            can=Can(
                late="dead letter, by each partition's own clock",
                early="every 300 ms",
                letters="all, with reason and bytes",
                once="rows exact, written at least once",
                recovery="a file every 5 s, on the same host, one process",
            ),
        ),
        Entrant(
            name="kafka-streams",
            title="Kafka Streams 4.3 (Java)",
            command=(
                str(tools.java),
                "-Xmx1400m",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp",
                f"{tools.streams_classes}:{tools.streams_jars}/*",
                "Peer",
                str(tools.cores),
            ),
            sources=(HERE / "kafka_streams/Peer.java",),
            load=Load.LARGE,
            can=Can(
                late="dead letter, by each partition's own clock, which a processor keeps",
                early="every 300 ms, at each commit",
                letters="all, with reason and bytes",
                once="counts twice what a crash repeats, unless with transactions",
                recovery="changelog topics, on any host",
            ),
            note="Messages must be keyed by product, or all of them go through a topic once more.",
        ),
        Entrant(
            name="quix",
            title="Quix Streams 3.28 (Python)",
            command=(python, "-m", "loadtest.peers.quix"),
            sources=(HERE / "quix/__main__.py", *RULES),
            load=Load.MIDDLE,
            can=Can(
                late="dead letter by a callback; partitions of a number share a clock",
                early="none, or one for each event",
                letters="all, with reason and bytes",
                once="counts twice what a crash repeats, unless with transactions",
                recovery="changelog topics, on any host",
            ),
            note="Windows are sent once they have ended: with `current()` each event sends a row.",
        ),
        Entrant(
            name="bytewax",
            title="Bytewax 0.21 (Python on Rust)",
            command=(python, "-m", "bytewax.run", "loadtest.peers.bytewax_flow.flow:flow"),
            sources=(HERE / "bytewax_flow/flow.py", *RULES),
            load=Load.MIDDLE,
            can=Can(
                late="dead letter, by each partition's own clock, in a step of its own",
                early="every 300 ms, in a step of its own",
                letters="all, with reason and bytes",
                once="rows exact, written at least once, where it is run with a recovery store",
                recovery="snapshots in files, on the same number of workers",
            ),
            note="Its own window operators close windows by the key's clock and send no early row; "
            "on a backlog of two topics they take what the slower topic brings for late.",
        ),
        Entrant(
            name="spark",
            title="PySpark 4.2 Structured Streaming",
            command=(
                python,
                "-m",
                "loadtest.peers.spark",
                ",".join(str(jar) for jar in sorted(tools.spark_jars.glob("*.jar"))),
                str(tools.cores),
            ),
            environment={"JAVA_HOME": str(tools.spark_java)},
            sources=(HERE / "spark/__main__.py", HERE / "told.py"),
            load=Load.LARGE,
            can=Can(
                late="dropped without a trace; a dead letter by the append time alone",
                early="one a micro-batch",
                letters="with a query of its own, which reads all topics again",
                once="rows exact, written at least once",
                recovery="checkpoints, on any host",
            ),
            note="Written in SQL functions, as its documentation advises over Python ones. They "
            "take for an event what the contract calls malformed, such as bytes that are no UTF-8, "
            "or anything behind the object; the messages that are sent here hold none of that.",
        ),
        Entrant(
            name="clickhouse",
            title="ClickHouse 26.9 (chdb), materialized views",
            command=(python, "-m", "loadtest.peers.clickhouse"),
            sources=(
                HERE / "clickhouse/__main__.py",
                *sorted((HERE / "clickhouse").glob("*.sql")),
                HERE / "written.py",
                HERE / "told.py",
            ),
            load=Load.LARGE,
            can=Can(
                late="dead letter, by the append time alone: views have no state",
                early="at each batch",
                letters="all, with reason and bytes, as a table",
                once="counts twice what a crash repeats",
                recovery="tables are on disk; offsets in Kafka",
            ),
            note="Fed by a consumer in Python; loadtest/peers/clickhouse says why not by its own. "
            "Of two equal keys its JSON functions take the first; no message that is sent here "
            "has two.",
        ),
    ]
