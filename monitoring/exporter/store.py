"""Looks at the object store: whether it answers at all."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from monitoring.exporter.address import Url

# A store that does not answer holds up this source alone, and not for long.
TIMEOUT_S = 4.0


class StoreError(Exception):
    """The store does not answer; the message is a sentence for the operator."""


@contextmanager
def watching(url: Url) -> Iterator[Callable[[], int]]:
    """What takes a look at the store: the status of the answer to a request without credentials.

    Any status will do, a refusal too. Each look has a connection of its own, since a store may end
    one that is idle. Which authorities are trusted is a matter of those who keep data there, and
    how long a certificate is valid is told apart: it is not verified here, and nothing is sent
    that it would have to protect.

    Raises:
        StoreError: The store refuses connections or does not answer in time; by a look.
    """
    yield lambda: _status(url)


def unverified() -> ssl.SSLContext:
    """For handshakes that ask how a server is, and entrust nothing to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _status(url: Url) -> int:
    host, port = url.address.host, url.address.port
    connection = (
        HTTPSConnection(host, port, timeout=TIMEOUT_S, context=unverified())
        if url.secure
        else HTTPConnection(host, port, timeout=TIMEOUT_S)
    )
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, HTTPException) as problem:
        said = str(problem) or type(problem).__name__
        raise StoreError(f"The store at {url.address} does not answer: {said}.") from problem
    finally:
        connection.close()
