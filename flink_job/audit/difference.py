"""Two tables side by side: what is in one only, and what differs. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

Key = TypeVar("Key")
Row = TypeVar("Row")

SHOWN = 5


def differences(name: str, wanted: Mapping[Key, Row], found: Mapping[Key, Row]) -> list[str]:
    """Sentences on how a table differs from what it should be; none where it does not.

    Args:
        name: Of the table.
        wanted: What the specification gives.
        found: What is there.
    """
    missing = wanted.keys() - found.keys()
    surplus = found.keys() - wanted.keys()
    wrong = {key for key in wanted.keys() & found.keys() if wanted[key] != found[key]}
    sentences = []
    for what, keys in (("missing", missing), ("not to be there", surplus), ("wrong", wrong)):
        if keys:
            some = sorted(keys, key=str)[:SHOWN]
            told = "; ".join(
                f"{key}: wanted {wanted.get(key)}, found {found.get(key)}" for key in some
            )
            sentences.append(f"{name}: {len(keys):,} rows are {what}, such as {told}.")
    return sentences
