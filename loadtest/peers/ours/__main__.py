"""The job as it is deployed: the same views, the same ends, checkpoints every 5 s."""

from __future__ import annotations

import sys
from pathlib import Path

from flink_job.endpoints import Kafka
from flink_job.java import java_gateway
from flink_job.job import SERVING, Ends, assemble, options
from flink_job.replay import JARS
from flink_job.verdict import verdict_jar
from loadtest.peers.told import Told


def main(arguments: list[str] | None = None) -> int:
    """Run until it is ended.

    Args:
        arguments: The folder of the connector's jars, and the parallelism.
    """
    connectors, parallelism = sys.argv[1:] if arguments is None else arguments
    told = Told.by()
    settings = {
        "parallelism.default": parallelism,
        "rest.bind-port": "0",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "state.backend.type": "hashmap",
        "execution.checkpointing.interval": "5 s",
        "execution.checkpointing.dir": told.state.as_uri(),
    }
    values = {
        **SERVING,
        "windows_topic": told.windows,
        "ledger_topic": f"{told.windows}-ledger",
        "kafka_properties": options(Kafka((told.kafka,)).flink_kafka_properties()),
    }
    jars = [verdict_jar(JARS), *sorted(Path(connectors).glob("*.jar"))]
    _within_reach(jars)
    assemble(Ends.KAFKA, values, jars, settings).execute().wait()
    return 0


def _within_reach(jars: list[Path]) -> None:
    """Connectors are in Flink's own folder on a cluster; here the planner has to be shown them."""
    java_gateway()
    from pyflink.util.java_utils import (  # noqa: PLC0415 - needs Java
        add_jars_to_context_class_loader,
    )

    add_jars_to_context_class_loader([jar.absolute().as_uri() for jar in jars])


if __name__ == "__main__":
    sys.exit(main())
