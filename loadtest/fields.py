"""The fields of a run, as people and programs give them: what they ask for, or why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadtest.outlet import EndpointsFileError, kafka_section
from loadtest.supply import Mix, MixError


def mix_of(options: Mapping[str, Any]) -> Mix:
    """The mix that the fields of a run ask for.

    Raises:
        MixError: There can be no such mix.
    """
    try:
        return Mix(
            products=int(options["products"]),
            bad=float(options["bad"]),
            disorder=float(options["disorder"]),
            late=float(options["late"]),
        )
    except ValueError as problem:
        if isinstance(problem, MixError):
            raise
        raise MixError(f"A number is needed: {problem}.") from problem


def refusal(options: Mapping[str, Any]) -> str | None:
    """Why there can be no such run, in a sentence; None where there can."""
    try:
        mix_of(options)
        kafka_section(Path(options["endpoints"]))
        rate, duration = int(options["rate"]), int(options["duration"])
    except (MixError, EndpointsFileError) as problem:
        return str(problem)
    except ValueError as problem:
        return f"A whole number is needed: {problem}."
    if rate < 1:
        return f"rate is {rate}: at least one event a second is needed."
    return None if duration >= 0 else f"duration is {duration}: 0 is without end."
