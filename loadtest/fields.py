"""The fields of a run, as people and programs give them: what they ask for, or why it cannot be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from flink_job.endpoints import EndpointsError, read_endpoints
from loadtest.outlet import EndpointsFileError, kafka_section
from loadtest.shape import Constant, Day, Kind, Ramp, Shape, Spike, Steps
from loadtest.supply import Mix, MixError

STEPS = "1000,10000,50000,100000"
# All of them, and what kind of value each has.
FIELDS: dict[str, type[Any]] = {
    "rate": int,
    "duration": int,
    "shape": str,
    "steps": str,
    "peak": int,
    "period": int,
    "bad": float,
    "disorder": float,
    "late": float,
    "products": int,
    "skew": float,
    "client": str,
}


class Client(StrEnum):
    """The libraries that can send the events."""

    CONFLUENT = "confluent"
    KAFKA_PYTHON = "kafka-python"


Choice = TypeVar("Choice", Client, Kind)


class FieldsError(ValueError):
    """There can be no such run; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run as it was asked for.

    Attributes:
        mix: What its events are.
        kind: Of its shape.
        shape: How its rate goes over time.
        duration: Seconds; 0 is until it is stopped.
        client: What sends them.
    """

    mix: Mix
    kind: Kind
    shape: Shape
    duration: int
    client: Client

    @property
    def events(self) -> int:
        """How many it is to send; 0 where nobody said how long it is to go on."""
        return int(self.shape.due(self.duration) + 1e-6)


def wanted(options: Mapping[str, Any]) -> Wanted:
    """The run that its fields ask for.

    Raises:
        FieldsError: There can be no such run.
    """
    duration = _whole(options, "duration")
    if duration < 0:
        raise FieldsError(f"duration is {duration}: 0 is without end.")
    kind = _choice(options, "shape", Kind)
    return Wanted(
        mix=_mix(options),
        kind=kind,
        shape=_shape(kind, options, duration),
        duration=duration,
        client=_choice(options, "client", Client),
    )


def changed(now: Wanted, options: Mapping[str, Any]) -> Wanted:
    """What a run that goes on is to be from now on.

    Raises:
        FieldsError: It cannot be changed, or not to that.
    """
    asked = wanted(options)
    if now.duration:
        raise FieldsError(
            "A run is going on that has a duration, and sends what it was started for: stop it "
            "before the next one."
        )
    if asked.duration or asked.client is not now.client:
        raise FieldsError(
            "While a run goes on its duration and client cannot be changed: stop it before the "
            "next one."
        )
    return asked


def refusal(options: Mapping[str, Any]) -> str | None:
    """Why there can be no such run, in a sentence; None where there can."""
    try:
        asked = wanted(options)
        kafka_section(Path(options["endpoints"]))
        if asked.client is Client.KAFKA_PYTHON:
            read_endpoints(Path(options["endpoints"]))
    except (FieldsError, EndpointsFileError, EndpointsError) as problem:
        return str(problem)
    return None


def _mix(options: Mapping[str, Any]) -> Mix:
    try:
        return Mix(
            products=_whole(options, "products"),
            **{name: float(options[name]) for name in ("skew", "bad", "disorder", "late")},
        )
    except MixError as problem:
        raise FieldsError(str(problem)) from problem
    except ValueError as problem:
        raise FieldsError(f"A number is needed: {problem}.") from problem


def _shape(kind: Kind, options: Mapping[str, Any], duration: int) -> Shape:
    if kind in {Kind.STEPS, Kind.RAMP} and not duration:
        raise FieldsError(f"duration is 0: the shape {kind} needs its seconds.")
    if kind is Kind.STEPS:
        return Steps(rates := _rates(str(options["steps"])), duration / len(rates))
    rate = _at_least_one(options, "rate")
    if kind is Kind.CONSTANT:
        return Constant(rate)
    if kind is Kind.RAMP:
        return Ramp(rate, duration)
    peak, period = _at_least_one(options, "peak"), _at_least_one(options, "period")
    if peak < rate:
        raise FieldsError(
            f"peak is {peak} and rate {rate}: the shape {kind} goes up from rate to peak."
        )
    return Spike(rate, peak, period) if kind is Kind.SPIKE else Day(rate, peak, period)


def _rates(text: str) -> tuple[int, ...]:
    rates = tuple(int(part) for part in text.split(",") if re.fullmatch(r"\s*[0-9]+\s*", part))
    if len(rates) != text.count(",") + 1 or 0 in rates:
        raise FieldsError(
            f"steps is {text!r}: whole numbers of events a second are needed, as in {STEPS}."
        )
    return rates


def _choice(options: Mapping[str, Any], name: str, of: type[Choice]) -> Choice:
    try:
        return of(str(options[name]))
    except ValueError:
        known = ", ".join(map(str, of))
        raise FieldsError(f"{name} is {options[name]}: it is one of {known}.") from None


def _at_least_one(options: Mapping[str, Any], name: str) -> int:
    number = _whole(options, name)
    if number < 1:
        what = "a second" if name == "period" else "one event a second"
        raise FieldsError(f"{name} is {number}: at least {what} is needed.")
    return number


def _whole(options: Mapping[str, Any], name: str) -> int:
    try:
        return int(options[name])
    except ValueError as problem:
        raise FieldsError(f"A whole number is needed: {name} is {options[name]}.") from problem
