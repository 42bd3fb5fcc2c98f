"""Texts of any content, so that a reader sees what is in them."""

from __future__ import annotations


def visible(text: str) -> str:
    """A text with an escape for every sign that is not seen, or turns others around."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


def visible_bytes(value: bytes, most: int) -> str:
    """The beginning of some bytes as a text; what is no UTF-8 is seen as escapes.

    Args:
        value: The bytes.
        most: How many of them are shown.
    """
    shown = visible(value[:most].decode("utf-8", "backslashreplace"))
    return f"{shown}…" if len(value) > most else shown
