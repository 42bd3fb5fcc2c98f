"""How many TaskManagers, and at what parallelism. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


class ConfigurationError(ValueError):
    """There can be no such configuration; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True, order=True)
class Configuration:
    """What is measured together.

    Attributes:
        taskmanagers: That run; all others are stopped.
        parallelism: Of the job.
    """

    taskmanagers: int
    parallelism: int

    def __str__(self) -> str:
        """As it is asked for."""
        return f"{self.taskmanagers}x{self.parallelism}"

    @property
    def name(self) -> str:
        """For people."""
        plural = "" if self.taskmanagers == 1 else "s"
        return f"{self.taskmanagers} TaskManager{plural}, parallelism {self.parallelism}"

    @classmethod
    def parse(cls, text: str) -> Configuration:
        """Read one as it is asked for.

        Raises:
            ConfigurationError: It is none.
        """
        found = re.fullmatch(r"([1-9][0-9]?)x([1-9][0-9]{0,2})", text, re.ASCII)
        if found is None:
            raise ConfigurationError(
                f"{text} is no configuration: name TaskManagers and parallelism, as in 2x4."
            )
        return cls(int(found[1]), int(found[2]))

    def refusal(self, slots: int, most: int) -> str | None:
        """Why it cannot be measured, in a sentence; None where it can.

        Args:
            slots: Of a TaskManager.
            most: TaskManagers that there can be.
        """
        if self.taskmanagers > most:
            return f"{self} cannot be measured: the lab has at most {most} TaskManagers."
        if self.parallelism > self.taskmanagers * slots:
            return (
                f"{self} cannot be measured: a TaskManager has {slots} slots, so that the "
                f"parallelism is at most {self.taskmanagers * slots}."
            )
        return None


# All slots are taken from the second on, so that it is known which TaskManagers do the work: the
# first two have the same processor time and differ in parallelism alone.
USUAL = (
    Configuration(1, 1),
    Configuration(1, 2),
    Configuration(2, 4),
    Configuration(3, 6),
)


def in_order(chosen: Sequence[Configuration]) -> list[Configuration]:
    """Each once; what needs more TaskManagers comes later, as one may have to be made for it."""
    return sorted(set(chosen))
