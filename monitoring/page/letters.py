"""Messages that were not counted, as far as the page shows them. Pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from monitoring.page.visible import visible_bytes

NEWEST = 50
BYTES = 400
UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; all texts are safe to look at.

    Attributes:
        reason: Why it was not counted.
        topic: Where it came from.
        partition: The partition there.
        offset: The offset there.
        at: When it was written, in ms since the epoch.
        size: Bytes of the message; None where it had no value.
        text: The beginning of it.
    """

    reason: str
    topic: str
    partition: str
    offset: str
    at: int
    size: int | None
    text: str


@dataclass(slots=True)
class Shelf:
    """The newest dead letters in all, and the newest of each reason.

    One reason that comes often does not push the others out.
    """

    _newest: deque[Letter] = field(default_factory=lambda: deque(maxlen=NEWEST))
    _by_reason: defaultdict[str, deque[Letter]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=NEWEST))
    )

    def put(self, letters: Iterable[Letter]) -> None:
        """Add letters, newer than those before."""
        for letter in sorted(letters, key=_by_time):
            self._newest.append(letter)
            self._by_reason[letter.reason].append(letter)

    def letters(self) -> dict[str, tuple[Letter, ...]]:
        """The letters by reason, the newest first; those of any reason stand under no text."""
        shelves = {"": self._newest, **self._by_reason}
        return {
            reason: tuple(sorted(shelf, key=_by_time, reverse=True))
            for reason, shelf in shelves.items()
        }


def letter(message: Any) -> Letter:  # noqa: ANN401 - kafka-python has no types
    """What is shown of a message of the topic, whatever is in it or in its headers."""
    headers = {
        name: visible_bytes(value or b"", BYTES) or UNKNOWN for name, value in message.headers
    }
    value: bytes | None = message.value
    return Letter(
        reason=headers.get("reason", UNKNOWN),
        topic=headers.get("topic", UNKNOWN),
        partition=headers.get("partition", UNKNOWN),
        offset=headers.get("offset", UNKNOWN),
        at=message.timestamp,
        size=None if value is None else len(value),
        text="" if value is None else visible_bytes(value, BYTES),
    )


def _by_time(one: Letter) -> int:
    return one.at
