"""The command line that the checks have."""

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


def command_line(
    program: str, description: str | None, within: float = 60.0
) -> argparse.ArgumentParser:
    """What every check is told, with its own default of `--within`."""
    parser = argparse.ArgumentParser(prog=f"python -m {program}", description=description)
    parser.add_argument("--endpoints", type=Path, required=True, help="endpoints.json")
    parser.add_argument(
        "--within",
        type=float,
        default=within,
        metavar="S",
        help="how long results may take to arrive",
    )
    return parser


def parsed(program: str, description: str | None, arguments: list[str] | None) -> Arguments:
    """Read the command line; None stands for this process's own."""
    chosen = command_line(program, description).parse_args(arguments)
    return Arguments(chosen.endpoints, chosen.within)
