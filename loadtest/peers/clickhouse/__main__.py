"""The engine in this process, fed with batches from Kafka, and a look at what is new every 300 ms.

The engine's own Kafka tables are not to be had here: the current engine, which comes as a library,
knows them and refuses to start one, and the server that distributions have is too old to show a
message's offset and append time, without which no rule of the contract can be asked. So a consumer
inserts what the Kafka table would: the views are the same.

The look stands for whoever reads the tables, and brings what it finds to the topics that all
entrants' results are read from.
"""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chdb
import pyarrow as pa
from confluent_kafka import Consumer, KafkaException, Message, Producer

from flink_job.domain import BUSINESS, Outcome
from loadtest.peers.told import Told
from loadtest.peers.written import letter, window_key, window_value

SQL = Path(__file__).parent
BATCH = 65_536
LOOK_S = 0.3
# A row is seen a moment behind the time that it bears.
AGAIN_MS = 500
TABLES = ("messages", "judged", "windows", "letters", "judge", "count", "write_letters")


def statement(name: str, **values: object) -> str:
    """A file of SQL, filled in."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8").format(**values)


def insert(connection: Any, messages: list[Message]) -> None:  # noqa: ANN401 - chdb has no types
    """Insert a batch."""
    batch = pa.table(  # noqa: F841 - the statement names it
        {
            "topic": pa.array([one.topic() for one in messages], pa.string()),
            "partition": pa.array([one.partition() for one in messages], pa.int32()),
            "offset": pa.array([one.offset() for one in messages], pa.int64()),
            "appended": pa.array([one.timestamp()[1] for one in messages], pa.int64()),
            "message": pa.array([one.value() for one in messages], pa.binary()),
        }
    )
    connection.query(statement("insert"))


def rows(connection: Any, name: str, since: int) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - chdb has no types
    """What a query gives."""
    for line in connection.query(statement(name, since=since)).bytes().splitlines():
        yield json.loads(line)


def look(connection: Any, producer: Producer, told: Told, since: int) -> None:  # noqa: ANN401 - chdb has no types
    """Tell what is new."""
    for row in rows(connection, "grown", since):
        window = row["product_id"], int(row["window_start"])
        counts = int(row["impressions"]), int(row["clicks"])
        producer.produce(told.windows, window_value(*window, *counts), key=window_key(*window))
    for row in rows(connection, "written", since):
        place = row["topic"], int(row["partition"]), int(row["offset"])
        value = None if row["message"] is None else base64.b64decode(row["message"])
        producer.produce(told.letters, **letter(*place, Outcome(row["outcome"]), value))
    producer.poll(0)


def main() -> int:
    """Run until it is ended."""
    told = Told.by()
    connection = chdb.connect(str(told.state / "data"))
    connection.query("CREATE DATABASE peer")
    for name in TABLES:
        connection.query(statement(name))
    client = {"bootstrap.servers": told.kafka}
    producer = Producer({**client, "linger.ms": 5, "compression.type": "lz4"})
    consumer = Consumer(
        {
            **client,
            "group.id": told.windows,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe(list(BUSINESS))
    since, looked = 0, time.monotonic()
    while True:
        messages = consumer.consume(BATCH, LOOK_S)
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
        if messages:
            insert(connection, messages)
            consumer.commit(asynchronous=True)
        if time.monotonic() - looked >= LOOK_S:
            looked, now = time.monotonic(), int(time.time() * 1_000)
            look(connection, producer, told, since)
            since = now - AGAIN_MS


if __name__ == "__main__":
    sys.exit(main())
