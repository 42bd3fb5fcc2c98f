"""How to reach Kafka, from the file that the role endpoints writes."""

from __future__ import annotations

import json
from pathlib import Path


class EndpointsError(Exception):
    """The file cannot be used; the text is a sentence for the operator, and names no value."""


def kafka_of(endpoints: Path) -> dict[str, str]:
    """The section `kafka` of endpoints.json, in librdkafka's words.

    Raises:
        EndpointsError: It cannot be read, or has no such section.
    """
    try:
        told = json.loads(endpoints.read_text(encoding="utf-8"))
    except OSError as problem:
        raise EndpointsError(f"{endpoints} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise EndpointsError(f"{endpoints} is not JSON: run the playbook again.") from problem
    if not isinstance(told, dict) or not isinstance(told.get("kafka"), dict):
        raise EndpointsError(f"{endpoints} has no section kafka: run the playbook again.")
    kafka: dict[str, str] = told["kafka"]
    return kafka
