"""The command line that both checks have."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a check is told.

    Attributes:
        endpoints: The file that says how to reach Kafka and ClickHouse.
        within: Seconds in which what is under way must have arrived.
    """

    endpoints: Path
    within: float


def parsed(program: str, description: str | None, arguments: list[str] | None) -> Arguments:
    """Read the command line; None stands for this process's own."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--within",
        type=float,
        default=60.0,
        metavar="S",
        help="how long results may take to arrive",
    )
    chosen = parser.parse_args(arguments)
    return Arguments(chosen.endpoints, chosen.within)
