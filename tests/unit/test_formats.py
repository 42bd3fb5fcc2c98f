"""Avro's encoding, by its specification and not by what writes it."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.formats.avro import encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def number(body: BytesIO) -> int:
    total = place = 0
    while True:
        (byte,) = body.read(1)
        total |= (byte % 128) << place
        place += 7
        if byte < 128:
            return total // 2 if total % 2 == 0 else -(total // 2) - 1


def text(body: BytesIO) -> str:
    return body.read(number(body)).decode()


def test_an_event_is_a_frame_three_texts_and_the_time() -> None:
    event = {"userId": "u", "productId": "pé", "eventType": "click", "timestamp": 150}
    assert encode(event) == b"\0\0\0\0\1" + b"\x02u" + b"\x06p\xc3\xa9" + b"\x0aclick" + b"\xac\x02"


@given(TEXT, TEXT, TEXT, st.integers(-(2**63), 2**63 - 1))
def test_what_is_written_can_be_read(user: str, product: str, kind: str, time: int) -> None:
    event = {"userId": user, "productId": product, "eventType": kind, "timestamp": time}
    message = BytesIO(encode(event))
    assert message.read(5) == b"\0\0\0\0\1"
    assert (text(message), text(message), text(message)) == (user, product, kind)
    assert number(message) == time
    assert message.read() == b""


def test_a_text_that_utf8_cannot_say_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode({"userId": "\ud800", "productId": "p", "eventType": "click", "timestamp": 1})
