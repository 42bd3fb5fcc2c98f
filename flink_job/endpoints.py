"""How a client reaches Kafka and ClickHouse: one file, `endpoints.json`, read in one place.

```json
{
  "kafka": {"bootstrap.servers": "kafka1:9092,kafka2:9092", "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "ctr", "sasl.password": "...",
            "ssl.ca.location": "/etc/ctr/ca.pem"},
  "clickhouse": {"host": "clickhouse1", "port": 9440, "user": "ctr_loader", "password": "...",
                 "database": "ctr", "secure": true, "ca_certs": "/etc/ctr/ca.pem"}
}
```

Of `kafka` only `bootstrap.servers` is needed, of `clickhouse` all but `secure` and `ca_certs`. A
section that is not known here belongs to another client and is left alone; an unknown key in a
known section is refused, since it is a misspelt one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

# Flink's SQL connector for Kafka carries the client under a package of its own, and looks for the
# login module there.
_SHADED = "org.apache.flink.kafka.shaded."
_SECURITY = "org.apache.kafka.common.security"

_SERVER = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_HIGHEST_PORT = 65_535


class EndpointsError(Exception):
    """The endpoints file cannot be used; the text is one sentence for the operator.

    It names the file and the key, and never a value: a value may be a secret.
    """


@dataclass(frozen=True, slots=True)
class Kafka:
    """How to reach Kafka.

    Attributes:
        bootstrap_servers: Pairs of host and port, each as `host:port`.
        security_protocol: One of `PROTOCOLS`.
        sasl_mechanism: One of `MECHANISMS`; None where the protocol has no SASL.
        sasl_username: The user; None where the protocol has no SASL.
        sasl_password: The password of the user, never printed.
        ssl_ca_location: A PEM file with the authorities that are trusted; None for the system's.
    """

    bootstrap_servers: tuple[str, ...]
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: str | None = field(default=None, repr=False)
    ssl_ca_location: str | None = None

    @property
    def _sasl(self) -> bool:
        return self.security_protocol.startswith("SASL_")

    @property
    def _tls(self) -> bool:
        return self.security_protocol.endswith("SSL")

    def client_arguments(self) -> dict[str, Any]:
        """Keyword arguments of any client of kafka-python; they hold the password."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": list(self.bootstrap_servers),
            "security_protocol": self.security_protocol,
        }
        if self._sasl:
            arguments["sasl_mechanism"] = self.sasl_mechanism
            arguments["sasl_plain_username"] = self.sasl_username
            arguments["sasl_plain_password"] = self.sasl_password
        if self._tls and self.ssl_ca_location is not None:
            arguments["ssl_cafile"] = self.ssl_ca_location
        return arguments

    def librdkafka_properties(self) -> dict[str, Any]:
        """A configuration of librdkafka, which is where the keys of the file are from.

        It holds the password.
        """
        properties: dict[str, Any] = {
            "bootstrap.servers": ",".join(self.bootstrap_servers),
            "security.protocol": self.security_protocol,
        }
        if self._sasl:
            properties["sasl.mechanism"] = self.sasl_mechanism
            properties["sasl.username"] = self.sasl_username
            properties["sasl.password"] = self.sasl_password
        if self._tls and self.ssl_ca_location is not None:
            properties["ssl.ca.location"] = self.ssl_ca_location
        return properties

    def flink_kafka_properties(self, *, shaded: bool = True) -> dict[str, str]:
        """The same for the Java client, as Flink's connector takes it behind `properties.`.

        Whoever writes them into SQL still has to double the single quotes. They hold the password.

        Args:
            shaded: Whether the connector is Flink's SQL jar, which carries the Kafka client under
                a name of its own; False where `kafka-clients` is a jar beside it.
        """
        properties = {
            "bootstrap.servers": ",".join(self.bootstrap_servers),
            "security.protocol": self.security_protocol,
        }
        if self._sasl:
            properties["sasl.mechanism"] = self.sasl_mechanism or ""
            properties["sasl.jaas.config"] = self._jaas(_SHADED if shaded else "")
        if self._tls and self.ssl_ca_location is not None:
            properties["ssl.truststore.type"] = "PEM"
            properties["ssl.truststore.location"] = self.ssl_ca_location
        return properties

    def _jaas(self, package: str) -> str:
        module = (
            "plain.PlainLoginModule" if self.sasl_mechanism == "PLAIN" else "scram.ScramLoginModule"
        )
        user, password = _quoted(self.sasl_username or ""), _quoted(self.sasl_password or "")
        return f"{package}{_SECURITY}.{module} required username={user} password={password};"


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """How to reach ClickHouse by its native protocol.

    Attributes:
        host: Name or address.
        port: Usually 9000, and 9440 with TLS.
        user: The user.
        password: The password of the user, never printed; may be empty.
        database: The database that the connection starts in.
        secure: Whether to speak TLS.
        ca_certs: A PEM file with the authorities that are trusted; None for the system's.
    """

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    secure: bool = False
    ca_certs: str | None = None

    def client_arguments(self) -> dict[str, Any]:
        """Keyword arguments of clickhouse-driver's Client; they hold the password."""
        arguments: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database,
            "secure": self.secure,
        }
        if self.secure and self.ca_certs is not None:
            arguments["ca_certs"] = self.ca_certs
        return arguments


@dataclass(frozen=True, slots=True)
class Endpoints:
    """All that a client needs to reach the rest of the system."""

    kafka: Kafka
    clickhouse: ClickHouse


def read_endpoints(path: Path) -> Endpoints:
    """Read the endpoints file.

    Raises:
        EndpointsError: It is not there, is not JSON of this shape, or a value is impossible.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise EndpointsError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        # The parser's own error holds the text of the file, and so the passwords.
        raise EndpointsError(f"{path} is not JSON.") from None
    if not isinstance(content, dict):
        raise EndpointsError(f"{path} must hold one JSON object.")
    return Endpoints(
        kafka=_kafka(_Section.of(content, "kafka", path)),
        clickhouse=_clickhouse(_Section.of(content, "clickhouse", path)),
    )


@dataclass(frozen=True, slots=True)
class _Section:
    """One section of the file, which knows its name for the sentences about it."""

    path: Path
    name: str
    values: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, content: Mapping[str, Any], name: str, path: Path) -> Self:
        if name not in content:
            raise EndpointsError(f"{path} has no section {name}.")
        values = content[name]
        if not isinstance(values, dict):
            raise EndpointsError(f"{path}: {name} must be an object.")
        return cls(path, name, values)

    def refuse(self, key: str, what: str) -> EndpointsError:
        return EndpointsError(f"{self.path}: {key} of {self.name} {what}.")

    def refuse_all_but(self, *known: str) -> None:
        for key in self.values:
            if key not in known:
                raise self.refuse(key, f"is not known; known are {', '.join(known)}")

    def text(self, key: str, *, blank: bool = False) -> str:
        if key not in self.values:
            raise self.refuse(key, "is missing")
        value = self.values[key]
        if not isinstance(value, str):
            raise self.refuse(key, "must be a text")
        if not blank and not value.strip():
            raise self.refuse(key, "must not be blank")
        return value

    def text_or_none(self, key: str) -> str | None:
        return None if self.values.get(key) is None else self.text(key)

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key)
        if value not in allowed:
            raise self.refuse(key, f"must be one of {', '.join(allowed)}")
        return value


def _kafka(section: _Section) -> Kafka:
    section.refuse_all_but(
        "bootstrap.servers",
        "security.protocol",
        "sasl.mechanism",
        "sasl.username",
        "sasl.password",
        "ssl.ca.location",
    )
    servers = tuple(s.strip() for s in section.text("bootstrap.servers").split(","))
    if not all(_SERVER.fullmatch(s) and _is_port(int(s.rsplit(":", 1)[1])) for s in servers):
        raise section.refuse("bootstrap.servers", "must be host:port pairs with commas between")
    named = "security.protocol" in section.values
    protocol = section.one_of("security.protocol", PROTOCOLS) if named else "PLAINTEXT"
    sasl = protocol.startswith("SASL_")
    for key in ("sasl.mechanism", "sasl.username", "sasl.password"):
        # A password beside PLAINTEXT is a mistake that would go unseen until it matters.
        if not sasl and key in section.values:
            raise section.refuse(key, f"has no use with the security.protocol {protocol}")
    return Kafka(
        bootstrap_servers=servers,
        security_protocol=protocol,
        sasl_mechanism=section.one_of("sasl.mechanism", MECHANISMS) if sasl else None,
        sasl_username=section.text("sasl.username") if sasl else None,
        sasl_password=section.text("sasl.password") if sasl else None,
        ssl_ca_location=section.text_or_none("ssl.ca.location"),
    )


def _clickhouse(section: _Section) -> ClickHouse:
    section.refuse_all_but("host", "port", "user", "password", "database", "secure", "ca_certs")
    if "port" not in section.values:
        raise section.refuse("port", "is missing")
    port = section.values["port"]
    if type(port) is not int or not _is_port(port):
        raise section.refuse("port", f"must be a whole number from 1 to {_HIGHEST_PORT}")
    secure = section.values.get("secure", False)
    if not isinstance(secure, bool):
        raise section.refuse("secure", "must be true or false")
    return ClickHouse(
        host=section.text("host"),
        port=port,
        user=section.text("user"),
        password=section.text("password", blank=True),
        database=section.text("database"),
        secure=secure,
        ca_certs=section.text_or_none("ca_certs"),
    )


def _is_port(number: int) -> bool:
    return 1 <= number <= _HIGHEST_PORT


def _quoted(text: str) -> str:
    """A text as JAAS reads it: in double quotes, where a backslash takes the next one's meaning.

    A line end would end the text, so it is written by its escape.
    """
    escapes = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\r": r"\r"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'
