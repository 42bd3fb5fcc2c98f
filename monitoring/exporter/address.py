"""Where a source listens, as a label has it: `host:port`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens.

    Attributes:
        host: Name or address, an IPv6 address without brackets.
        port: Of TCP.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """As `host:port`; an IPv6 address in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Url:
    """An address that speaks HTTP.

    Attributes:
        address: Where it listens.
        secure: Whether it speaks TLS.
    """

    address: Address
    secure: bool


def address_of(server: str) -> Address:
    """What `host:port` names, as bootstrap servers are written."""
    host, _, port = server.rpartition(":")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def url_of(text: str) -> Url:
    """What a URL of the schemes http and https names.

    Raises:
        ValueError: It is no such URL.
    """
    parts = urlsplit(text)
    if parts.scheme not in PORTS or not parts.hostname:
        raise ValueError(text)
    port = PORTS[parts.scheme] if parts.port is None else parts.port
    return Url(Address(parts.hostname, port), parts.scheme == "https")
