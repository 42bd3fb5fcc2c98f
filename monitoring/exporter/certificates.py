"""Until when the certificates are valid that endpoints present, by handshakes every few minutes."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from flink_job.endpoints import Endpoints
from flink_job.loader.service import Clock
from monitoring.exporter.address import Address, Url, address_of
from monitoring.exporter.board import Board
from monitoring.exporter.store import unverified

log = logging.getLogger(__name__)

EVERY_S = 300.0
TIMEOUT_S = 4.0

# Tags of DER, by X.690.
UTC_TIME, GENERALIZED_TIME, VERSION = 0x17, 0x18, 0xA0
LONG = 0x80
# By RFC 5280 a year of two digits is one from 1950 to 2049.
CENTURY_ENDS = "50"


class CertificateError(Exception):
    """What was presented is no certificate; the message is a sentence for the operator."""


def presenting(endpoints: Endpoints, store: Url | None) -> list[tuple[str, Address]]:
    """Who speaks TLS: the source's name, and where it listens."""
    found = []
    if endpoints.kafka.security_protocol.endswith("SSL"):
        found += [("kafka", address_of(server)) for server in endpoints.kafka.bootstrap_servers]
    if endpoints.clickhouse.secure:
        clickhouse = Address(endpoints.clickhouse.host, endpoints.clickhouse.port)
        found.append(("clickhouse", clickhouse))
    if store is not None and store.secure:
        found.append(("store", store.address))
    return found


@dataclass(slots=True)
class Certificates:
    """Asks each endpoint for its certificate until it is asked to stop.

    Attributes:
        places: Who speaks TLS.
        board: Where the dates go; that of an endpoint which is away stays as it was.
        stopping: Whether somebody has asked to stop.
        clock: Time.
        presented: Gives the certificate that an endpoint presents, in DER.
    """

    places: list[tuple[str, Address]]
    board: Board
    stopping: Callable[[], bool]
    clock: Clock
    presented: Callable[[Address], bytes] = field(default_factory=lambda: presented_by)

    def run(self) -> None:
        """Ask all, and again after some minutes."""
        while not self.stopping():
            for source, address in self.places:
                self._ask(source, address)
            self.clock.wait(EVERY_S, self.stopping)

    def _ask(self, source: str, address: Address) -> None:
        try:
            until = not_after(self.presented(address))
        except (OSError, CertificateError) as problem:
            log.warning("the certificate of %s at %s is not known: %s", source, address, problem)
            return
        key = source, str(address)
        self.board.change(lambda state: replace(state, expiry={**state.expiry, key: until}))


def presented_by(address: Address) -> bytes:
    """The certificate that a server presents, in DER, whoever has issued it and if it has expired.

    Raises:
        OSError: No handshake comes about.
        CertificateError: The server presents none.
    """
    with (
        socket.create_connection((address.host, address.port), TIMEOUT_S) as plain,
        unverified().wrap_socket(plain, server_hostname=address.host) as secured,
    ):
        certificate = secured.getpeercert(binary_form=True)
    if certificate is None:
        raise CertificateError("The server presents no certificate.")
    return certificate


def not_after(certificate: bytes) -> int:
    """Until when a certificate in DER is valid, in seconds since the epoch.

    The library tells the date of certificates that it trusts alone; that of one which has expired
    is what this is for. A certificate begins, by RFC 5280, with version, which may be left out,
    serial number, algorithm, issuer and validity, and that is two moments.

    Raises:
        CertificateError: It is no certificate.
    """
    try:
        (_, whole), *_ = _elements(certificate)
        (_, signed), *_ = _elements(whole)
        _, _, _, (_, validity), *_ = (each for each in _elements(signed) if each[0] != VERSION)
        _, (kind, moment) = _elements(validity)
        return _seconds(kind, moment.decode("ascii"))
    except (ValueError, IndexError):
        raise CertificateError("What the server presents is no certificate.") from None


def _elements(content: bytes) -> Iterator[tuple[int, bytes]]:
    """What is in a part of DER: the tag of each element, and its content."""
    at = 0
    while at < len(content):
        tag, length = content[at], content[at + 1]
        at += 2
        if length & LONG:
            size = length - LONG
            length = int.from_bytes(content[at : at + size])
            at += size
        yield tag, content[at : at + length]
        at += length


def _seconds(kind: int, moment: str) -> int:
    if kind == UTC_TIME:
        moment = ("20" if moment[:2] < CENTURY_ENDS else "19") + moment
    elif kind != GENERALIZED_TIME:
        raise ValueError(kind)
    return int(datetime.strptime(moment, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp())
