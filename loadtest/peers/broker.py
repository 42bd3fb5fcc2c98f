"""A Kafka broker on loopback, alone, with its data in a folder that goes when it ends."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from flink_job.domain import CANARY, INPUT

PARTITIONS = 12
WITHIN_S = 180
END_S = 30.0
LOGGING = Path(__file__).parents[2] / "roles/kafka/files/log4j2.yaml"
CLUSTER = "Y3RyLXBlZXJzLWxvb3BiYQ"


class BrokerError(Exception):
    """There is no broker; the message is a sentence for the user."""


def settings(port: int, log: Path) -> dict[str, str]:
    """The broker's settings; its controller listens at the next port."""
    client, controller = f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": controller,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"CLIENT://{client},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENT://{client},CONTROLLER://{controller}",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": str(log),
        # A machine that others keep busy may hold it up for longer than the usual nine seconds.
        "broker.session.timeout.ms": "60000",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "num.partitions": str(PARTITIONS),
        "offsets.topic.num.partitions": str(PARTITIONS),
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
    }


@contextmanager
def broker(java: Path, jars: Path, port: int) -> Iterator[str]:
    """A broker that serves, with the empty topics of the input; its host:port.

    Args:
        java: The program.
        jars: The folder of Kafka's jars.
        port: Where clients come to; the next port is the controller's.

    Raises:
        BrokerError: It does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="ctr-peers-kafka-") as name:
        folder = Path(name)
        properties = folder / "server.properties"
        lines = (f"{key}={value}\n" for key, value in settings(port, folder / "log").items())
        properties.write_text("".join(lines), encoding="utf-8")
        logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
        command = [str(java), logging, "-cp", f"{jars}/*"]
        tool = ["-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format"]
        made = subprocess.run(  # noqa: S603 - no shell reads it
            [*command, *tool, f"--cluster-id={CLUSTER}", f"--config={properties}", "--standalone"],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            last = (made.stdout + made.stderr).splitlines()[-3:]
            raise BrokerError(f"The broker's folder cannot be made: {' '.join(last)}")
        told = folder / "kafka.log"
        with told.open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - no shell reads it
                [*command, "-Xmx512m", "kafka.Kafka", str(properties)], stdout=log, stderr=log
            )
        try:
            address = f"127.0.0.1:{port}"
            _wait(server, address, told)
            make_topics(address, INPUT)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(END_S)
            except subprocess.TimeoutExpired:
                # Nobody needs what it has.
                server.kill()
                server.wait()


def make_topics(address: str, names: Sequence[str]) -> None:
    """Make topics whose records carry the broker's own time of appending."""
    config = {
        "message.timestamp.type": "LogAppendTime",
        "max.message.bytes": "8388608",
    }
    admin = AdminClient({"bootstrap.servers": address})
    made = admin.create_topics(
        [
            NewTopic(name, num_partitions=1 if name == CANARY else PARTITIONS, config=config)
            for name in names
        ]
    )
    for future in made.values():
        future.result()


def free_port(first: int) -> int:
    """The first port from here on that is free together with the next one, by twos."""
    return next(port for port in range(first, 65_000, 2) if _free(port) and _free(port + 1))


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait(server: subprocess.Popen[bytes], address: str, told: Path) -> None:
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    deadline = time.monotonic() + WITHIN_S
    while True:
        try:
            admin.list_topics(timeout=1)
        except KafkaException:
            last = told.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
            if server.poll() is not None:
                raise BrokerError(f"The broker ended: {' '.join(last)}") from None
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"The broker at {address} does not answer within {WITHIN_S} s: {' '.join(last)}"
                ) from None
        else:
            return
