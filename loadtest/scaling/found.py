"""What was found out, as docs/scaling.json keeps it: each part with when and by which commit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest.benchmark.about import About
from loadtest.benchmark.result import Drain
from loadtest.scaling.configuration import Configuration

# What is simulated.
USUAL, MANY_PRODUCTS, MANY_PARTITIONS, LARGE = (
    "as on the lab",
    "1,000,000 products",
    "1,000 partitions a topic",
    "events of 10 KB",
)


class FoundError(Exception):
    """What was found before cannot be read; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A backlog counted in one configuration.

    Attributes:
        taskmanagers: That ran.
        parallelism: Of the job.
        cores: That each TaskManager's host could have.
        ran_on: The hosts that the job ran on; empty where that is not known.
        drain: The rest.
        began: When, in UTC.
        commit: Of the checkout.
    """

    taskmanagers: int
    parallelism: int
    cores: float
    ran_on: list[str]
    drain: Drain
    began: str
    commit: str

    @property
    def configuration(self) -> Configuration:
        """What was measured."""
        return Configuration(self.taskmanagers, self.parallelism)

    def us(self, *components: str) -> float:
        """Microseconds an event of some components, over all hosts."""
        cost = self.drain.cost
        cores = sum(cost.components.get(name, 0.0) for name in components)
        return cores / max(sum(cost.hosts.values()), 1e-9) * cost.us

    @property
    def used(self) -> float:
        """The share that TaskManagers have used of what they could have."""
        used = self.drain.cost.components.get("flink-taskmanager", 0.0)
        return used / (self.taskmanagers * self.cores)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Measured:
        """Read what JSON has of it."""
        return cls(**{**told, "drain": Drain.of(told["drain"])})


@dataclass(frozen=True, slots=True)
class Simulated:
    """A run of the embedded job.

    Attributes:
        name: Of what was simulated.
        events: How many.
        megabytes: Of their values together.
        seconds: That the job took.
        us: Of the JVM's processor time an event.
        keys: Of windows and products, how many rows came out.
        unexplained: Events without an outcome.
        began: When, in UTC.
        commit: Of the checkout.
    """

    name: str
    events: int
    megabytes: float
    seconds: float
    us: float
    keys: int
    unexplained: int
    began: str
    commit: str


@dataclass(slots=True)
class Found:
    """All that is known; it grows from part to part and from run to run.

    Attributes:
        about: The machine that it was measured on; None where nothing was.
        load: What the events of the lab were.
        measured: By configuration.
        simulated: By name.
        failures: What came to nothing in the last run, by part.
    """

    about: About | None = None
    load: str = ""
    measured: dict[str, Measured] = field(default_factory=dict)
    simulated: dict[str, Simulated] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def in_order(self) -> list[Measured]:
        """The configurations, from the fewest TaskManagers to the most."""
        return sorted(self.measured.values(), key=lambda one: one.configuration)

    def write(self, file: Path) -> None:
        """Keep it, in one step."""
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(f"{json.dumps(asdict(self), indent=1)}\n", encoding="utf-8")
        new.replace(file)

    @classmethod
    def read(cls, file: Path) -> Found:
        """What a file has; nothing where there is none.

        Raises:
            FoundError: It is not one of this program's.
        """
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            return cls(
                about=None if told["about"] is None else About(**told["about"]),
                load=told["load"],
                measured={name: Measured.of(one) for name, one in told["measured"].items()},
                simulated={name: Simulated(**one) for name, one in told["simulated"].items()},
                failures=dict(told["failures"]),
            )
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, LookupError, AttributeError) as problem:
            raise FoundError(
                f"{file} cannot be read as what this program has found ({problem}): put it away."
            ) from problem
