"""What a peer is told: where it reads and writes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Told:
    """Where a peer reads and writes.

    Attributes:
        kafka: Host:port.
        windows: Topic of its windows.
        letters: Topic of its dead letters.
        state: A folder of its own.
    """

    kafka: str
    windows: str
    letters: str
    state: Path

    @classmethod
    def by(cls, environment: dict[str, str] | None = None) -> Self:
        """What the environment of a peer says."""
        found = dict(os.environ) if environment is None else environment
        return cls(
            found["PEER_KAFKA"],
            found["PEER_WINDOWS"],
            found["PEER_LETTERS"],
            Path(found["PEER_STATE"]),
        )

    def environment(self) -> dict[str, str]:
        """The same, as a peer's environment has it."""
        return {
            "PEER_KAFKA": self.kafka,
            "PEER_WINDOWS": self.windows,
            "PEER_LETTERS": self.letters,
            "PEER_STATE": str(self.state),
        }
