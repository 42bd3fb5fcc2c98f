"""Events in Avro, framed as schema registries want them: a zero, four bytes of an id, the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# The schema is a record of three fields of the type string and `timestamp` of the type long.
TEXTS = ("userId", "productId", "eventType")
SCHEMA_ID = 1
FRAME = b"\x00" + SCHEMA_ID.to_bytes(4, "big")


def encode(event: Mapping[str, Any]) -> bytes:
    """An event as an Avro message.

    Args:
        event: The four fields: three texts, and `timestamp` in ms.

    Raises:
        UnicodeEncodeError: A text holds an unpaired surrogate, which no UTF-8 can say.
    """
    texts = [event[name].encode() for name in TEXTS]
    body = b"".join(_integer(len(text)) + text for text in texts)
    return FRAME + body + _integer(event["timestamp"])


def _integer(number: int) -> bytes:
    """Of 64 bits: the sign goes last, then groups of seven bits, the lowest first."""
    rest = (number << 1) ^ (number >> 63)
    groups = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - the largest of seven bits
        groups.append(rest & 0x7F | 0x80)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)
