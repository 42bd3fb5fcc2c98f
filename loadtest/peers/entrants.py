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
        cores: How many run at the same time.
    """

    java: Path
    job_python: Path
    flink_jars: Path
    cores: int


def entrants(tools: Tools) -> list[Entrant]:
    """All of them, in the order of the table."""
    python = sys.executable
    return [
        Entrant(
            name="ours",
            title="this project's job (Flink 2.3, SQL and a page of Java)",
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
                    for kind in ("sql/*.sql", "sql/kafka/*.sql", "verdict/Verdict.java", "job.py")
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
                recovery="a file every 5 s, on the same host; one process, no second one takes over",
            ),
        ),
    ]
