"""One file says how to reach the rest, and a mistake in it ends in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from confluent_kafka import Producer
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer

from flink_job.endpoints import Endpoints, EndpointsError, Kafka, read_endpoints

PASSWORD = "p#w;d\"'$1%&<>\\`"  # noqa: S105 - as nasty as one may be, and nobody's

PLAIN: dict[str, Any] = {
    "kafka": {"bootstrap.servers": "kafka1:9092, kafka2:9092"},
    "clickhouse": {
        "host": "clickhouse1",
        "port": 9000,
        "user": "ctr_loader",
        "password": "",
        "database": "ctr",
    },
}
SECURE: dict[str, Any] = {
    "kafka": {
        "bootstrap.servers": "kafka1:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ctr",
        "sasl.password": PASSWORD,
        "ssl.ca.location": "/etc/ctr/ca.pem",
    },
    "clickhouse": {
        "host": "clickhouse1",
        "port": 9440,
        "user": "ctr_loader",
        "password": PASSWORD,
        "database": "ctr",
        "secure": True,
        "ca_certs": "/etc/ctr/ca.pem",
    },
    "object_store": {"for": "another client"},
}


def read(content: object, folder: Path) -> Endpoints:
    path = folder / "endpoints.json"
    path.write_text(json.dumps(content))
    return read_endpoints(path)


def changed(section: str, **values: object) -> dict[str, Any]:
    """SECURE with some values changed; a double underscore stands for a dot, None removes."""
    settings = dict(SECURE[section])
    for name, value in values.items():
        key = name.replace("__", ".")
        if value is None:
            settings.pop(key)
        else:
            settings[key] = value
    return SECURE | {section: settings}


def unquoted(text: str) -> str:
    """A quoted text as Java's StreamTokenizer reads it, by which JAAS is parsed."""
    assert text[0] == text[-1] == '"'
    read: list[str] = []
    characters = iter(text[1:-1])
    for character in characters:
        assert character not in '"\r\n', "the text ends here for the tokenizer"
        if character == "\\":
            following = next(characters)
            assert following not in "01234567", "an octal number begins here for the tokenizer"
            read.append({"n": "\n", "r": "\r", "t": "\t"}.get(following, following))
        else:
            read.append(character)
    return "".join(read)


def test_what_needs_no_secret_needs_no_secret(tmp_path: Path) -> None:
    endpoints = read(PLAIN, tmp_path)
    assert endpoints.kafka.client_arguments() == {
        "bootstrap_servers": ["kafka1:9092", "kafka2:9092"],
        "security_protocol": "PLAINTEXT",
    }
    for properties in (
        endpoints.kafka.flink_kafka_properties(),
        endpoints.kafka.librdkafka_properties(),
    ):
        assert properties == {
            "bootstrap.servers": "kafka1:9092,kafka2:9092",
            "security.protocol": "PLAINTEXT",
        }
    assert endpoints.clickhouse.client_arguments() == {
        "host": "clickhouse1",
        "port": 9000,
        "user": "ctr_loader",
        "password": "",
        "database": "ctr",
        "secure": False,
    }


def test_a_password_reaches_every_client_as_it_is(tmp_path: Path) -> None:
    endpoints = read(SECURE, tmp_path)
    assert endpoints.kafka.client_arguments() == {
        "bootstrap_servers": ["kafka1:9093"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ctr",
        "sasl_plain_password": PASSWORD,
        "ssl_cafile": "/etc/ctr/ca.pem",
    }
    assert endpoints.kafka.librdkafka_properties() == SECURE["kafka"]
    arguments = endpoints.clickhouse.client_arguments()
    assert arguments["password"] == PASSWORD
    assert arguments["secure"] is True
    assert arguments["ca_certs"] == "/etc/ctr/ca.pem"
    jaas = endpoints.kafka.flink_kafka_properties()["sasl.jaas.config"]
    assert unquoted(jaas.split("password=", 1)[1].removesuffix(";")) == PASSWORD


def test_the_clients_know_the_arguments_that_they_are_given(tmp_path: Path) -> None:
    endpoints = read(SECURE, tmp_path)
    assert set(endpoints.kafka.client_arguments()) <= set(KafkaConsumer.DEFAULT_CONFIG)
    Client(**endpoints.clickhouse.client_arguments())  # which connects at its first query only
    without_file = endpoints.kafka.librdkafka_properties()
    without_file.pop("ssl.ca.location")
    Producer(without_file).flush(0)  # which knows its keys at once, and connects beside


@pytest.mark.parametrize(
    ("mechanism", "module"),
    [
        ("PLAIN", "org.apache.kafka.common.security.plain.PlainLoginModule"),
        ("SCRAM-SHA-256", "org.apache.kafka.common.security.scram.ScramLoginModule"),
        ("SCRAM-SHA-512", "org.apache.kafka.common.security.scram.ScramLoginModule"),
    ],
)
def test_flink_logs_in_by_the_module_of_the_mechanism(
    mechanism: str, module: str, tmp_path: Path
) -> None:
    kafka = read(changed("kafka", sasl__mechanism=mechanism), tmp_path).kafka
    properties = kafka.flink_kafka_properties()
    assert properties["sasl.mechanism"] == mechanism
    assert properties["ssl.truststore.type"] == "PEM"
    assert properties["ssl.truststore.location"] == "/etc/ctr/ca.pem"
    shaded = f"org.apache.flink.kafka.shaded.{module} required username="
    assert properties["sasl.jaas.config"].startswith(shaded)
    beside = kafka.flink_kafka_properties(shaded=False)["sasl.jaas.config"]
    assert beside.startswith(f"{module} required username=")


@given(st.text(min_size=1), st.text(min_size=1))
def test_jaas_reads_any_user_and_password_back(user: str, password: str) -> None:
    kafka = Kafka(("kafka1:9092",), "SASL_PLAINTEXT", "PLAIN", user, password)
    jaas = kafka.flink_kafka_properties()["sasl.jaas.config"]
    texts = jaas.split("username=", 1)[1].removesuffix(";")
    # The last of the places that could be the border is not always it; one of them is.
    borders = [i for i in range(len(texts)) if texts.startswith(" password=", i)]
    read_back = []
    for border in borders:
        try:
            read_back.append((unquoted(texts[:border]), unquoted(texts[border + 10 :])))
        except (AssertionError, StopIteration):
            continue
    assert read_back == [(user, password)]


def test_secrets_are_in_no_repr(tmp_path: Path) -> None:
    endpoints = read(SECURE, tmp_path)
    for thing in (endpoints, endpoints.kafka, endpoints.clickhouse):
        assert PASSWORD not in repr(thing)
        assert "p#w" not in repr(thing)


def test_tls_without_authorities_trusts_those_of_the_system(tmp_path: Path) -> None:
    kafka = read(changed("kafka", ssl__ca__location=None), tmp_path).kafka
    assert "ssl_cafile" not in kafka.client_arguments()
    assert "ssl.truststore.location" not in kafka.flink_kafka_properties()
    clickhouse = read(changed("clickhouse", ca_certs=None), tmp_path).clickhouse
    assert "ca_certs" not in clickhouse.client_arguments()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "must hold one JSON object."),
        ({"clickhouse": SECURE["clickhouse"]}, "has no section kafka."),
        (SECURE | {"clickhouse": []}, "clickhouse must be an object."),
        (changed("kafka", bootstrap__servers=None), "bootstrap.servers of kafka is missing."),
        (changed("kafka", bootstrap__servers=5), "bootstrap.servers of kafka must be a text."),
        (changed("kafka", bootstrap__servers=" "), "bootstrap.servers of kafka must not be blank."),
        *(
            (
                changed("kafka", bootstrap__servers=servers),
                "bootstrap.servers of kafka must be host:port pairs with commas between.",
            )
            for servers in ("kafka1", "kafka1:9092,", "kafka1:0", "kafka1:65536", "a b:9092")
        ),
        (
            changed("kafka", security__protocol="TLS"),
            "security.protocol of kafka must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL.",
        ),
        (
            changed("kafka", sasl__mechanism="GSSAPI"),
            "sasl.mechanism of kafka must be one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512.",
        ),
        (changed("kafka", sasl__password=None), "sasl.password of kafka is missing."),
        (
            changed("kafka", security__protocol="SSL"),
            "sasl.mechanism of kafka has no use with the security.protocol SSL.",
        ),
        (
            changed("kafka", sasl__passwort=PASSWORD),
            "sasl.username, sasl.password, ssl.ca.location.",
        ),
        (changed("kafka", sasl__password=["hidden"]), "sasl.password of kafka must be a text."),
        (changed("clickhouse", host=None), "host of clickhouse is missing."),
        (changed("clickhouse", port=None), "port of clickhouse is missing."),
        *(
            (
                changed("clickhouse", port=port),
                "port of clickhouse must be a whole number from 1 to 65535.",
            )
            for port in ("9000", 0, 65_536, True, 9000.0)
        ),
        (changed("clickhouse", secure="yes"), "secure of clickhouse must be true or false."),
        (changed("clickhouse", password=None), "password of clickhouse is missing."),
    ],
)
def test_a_mistake_ends_in_one_sentence_without_a_secret(
    content: object, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(EndpointsError) as refused:
        read(content, tmp_path)
    assert str(refused.value).startswith(str(tmp_path / "endpoints.json"))
    assert str(refused.value).endswith(sentence)
    assert "\n" not in str(refused.value)
    assert PASSWORD not in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_a_misspelt_key_is_named_and_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(EndpointsError, match=r": sasl\.passwort of kafka is not known; known are"):
        read(changed("kafka", sasl__passwort=PASSWORD), tmp_path)


@pytest.mark.parametrize("text", [b'{"kafka": {"sasl.password": "hidden"', b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_not_quoted(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "endpoints.json"
    path.write_bytes(text)
    with pytest.raises(EndpointsError, match=r"endpoints\.json is not JSON\.$") as refused:
        read_endpoints(path)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EndpointsError, match=r"none\.json cannot be read: No such file"):
        read_endpoints(tmp_path / "none.json")


@pytest.mark.parametrize("server", ["[::1]:9092", "10.0.0.1:9092", "kafka-1.example:9092"])
def test_servers_may_be_names_and_addresses(server: str, tmp_path: Path) -> None:
    kafka = read(changed("kafka", bootstrap__servers=server), tmp_path).kafka
    assert kafka.bootstrap_servers == (server,)
