"""Ansible filter: how many seconds a duration in Prometheus' words is."""

from __future__ import annotations

import re
from collections.abc import Callable

from ansible.errors import AnsibleFilterError

SECONDS = {
    "y": 365 * 86_400.0,
    "w": 7 * 86_400.0,
    "d": 86_400.0,
    "h": 3_600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
# Each unit once at most, the largest first.
DURATION = re.compile("".join(rf"(?:(\d+){unit})?" for unit in SECONDS))


def prometheus_seconds(text: object, variable: str) -> float:
    """The seconds of a duration.

    Args:
        text: As Prometheus reads it (15s, 1m30s, 500ms).
        variable: Where it stands, for the sentence that refuses it.

    Raises:
        AnsibleFilterError: It is none, or 0.
    """
    match = DURATION.fullmatch(str(text))
    numbers = match.groups(default="0") if match else ()
    seconds = sum(
        int(number) * each for number, each in zip(numbers, SECONDS.values(), strict=False)
    )
    if not seconds:
        raise AnsibleFilterError(
            f"{variable} is {text!r}: write a duration in Prometheus' words, such as 15s."
        )
    return seconds


class FilterModule:
    """What Ansible asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., float]]:
        """The filters by the names that templates call them by."""
        return {"prometheus_seconds": prometheus_seconds}
