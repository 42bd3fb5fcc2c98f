"""What takes part: how it is started, and what it can and cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

HERE = Path(__file__).parent


class Load(StrEnum):
    """A set of messages: everyone is measured with the small one and one of the others."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


@dataclass(frozen=True, slots=True)
class Can:
    """What an entrant can do with this contract, a short phrase each.

    Attributes:
        late: What becomes of late data, and by which clock it is late.
        early: Rows of windows that have not ended.
        letters: Dead letters of what is not counted.
        once: What is counted twice or lost when it is killed.
        recovery: How it comes back.
    """

    late: str
    early: str
    letters: str
    once: str
    recovery: str


@dataclass(frozen=True, slots=True)
class Entrant:
    """One that takes part.

    Attributes:
        name: What it is asked for by, and begins the names of its topics.
        title: As the table has it.
        command: Its program and arguments.
        sources: Its files, whose lines are counted.
        load: Which set it is measured with beside the small one.
        can: What it can do.
        environment: Beside the usual.
        letters: The topic of its dead letters, where it cannot be told one.
        further: Endings of the names of further topics that it writes.
        note: What a reader must know of how it is written.
    """

    name: str
    title: str
    command: tuple[str, ...]
    sources: tuple[Path, ...]
    load: Load
    can: Can
    environment: Mapping[str, str] = field(default_factory=dict)
    letters: str = ""
    further: tuple[str, ...] = ()
    note: str = ""


def lines_of(sources: tuple[Path, ...]) -> int:
    """Lines of code: neither blank nor nothing but a comment."""
    return sum(
        1
        for source in sources
        for line in source.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.strip().startswith(("#", "//", "--", "/*", "*"))
    )
