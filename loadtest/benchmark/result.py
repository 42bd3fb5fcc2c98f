"""What a run has found out; all of it goes to JSON and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtest.benchmark.about import About
from loadtest.benchmark.cgroups import Used, component
from loadtest.benchmark.flink import Checkpoints
from loadtest.benchmark.series import Samples, percentile, risen, thirds

TASKMANAGER = "flink-taskmanager"
# What of a host is in no unit: its first process, sessions, and units that have ended.
NO_UNIT = "no unit"
US, MB = 1e6, 2**20
# By how many seconds' worth of events the last third of a step may be further behind than the
# first: a checkpoint or a collection of garbage more or less, and no backlog that grows.
FLAT_S = 0.5


@dataclass(frozen=True, slots=True)
class Latency:
    """How long events took to become rows, in seconds.

    Attributes:
        samples: How many.
        p50_s: Of half of them, at most.
        p95_s: Of 95 in a hundred.
        p99_s: Of 99 in a hundred.
        max_s: Of all.
    """

    samples: int
    p50_s: float
    p95_s: float
    p99_s: float
    max_s: float

    @classmethod
    def of(cls, took: Sequence[float]) -> Latency | None:
        """Of single events; None where there is none."""
        if not took:
            return None
        p50, p95, p99 = (percentile(took, share) for share in (0.5, 0.95, 0.99))
        return cls(len(took), p50, p95, p99, max(took))


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time of a span.

    Attributes:
        us: Microseconds an event of all hosts of the lab.
        us_taskmanager: Of the TaskManagers alone.
        hosts: Cores by host.
        components: Cores by component, over all hosts.
        machine: Cores of the whole machine, with what runs beside the lab and the benchmark itself.
        stolen: Cores that the machine's own host has given to others meanwhile.
    """

    us: float
    us_taskmanager: float
    hosts: dict[str, float]
    components: dict[str, float]
    machine: float
    stolen: float

    @classmethod
    def of(cls, before: Used, after: Used, seconds: float, events: float) -> Cost:
        """Of what was used between two looks.

        Args:
            before: The first look.
            after: The second.
            seconds: Between them.
            events: That were counted between them, more than none.
        """
        hosts = risen(before.hosts, after.hosts)
        components: dict[str, float] = {}
        left = dict(hosts)
        for (host, unit), used in risen(before.units, after.units).items():
            name = component(unit)
            components[name] = components.get(name, 0.0) + used
            left[host] -= used
        components[NO_UNIT] = max(0.0, sum(left.values()))
        return cls(
            us=sum(hosts.values()) / events * US,
            us_taskmanager=components.get(TASKMANAGER, 0.0) / events * US,
            hosts={name: used / seconds for name, used in sorted(hosts.items())},
            components={name: used / seconds for name, used in _largest_first(components)},
            machine=(after.machine - before.machine) / seconds,
            stolen=(after.stolen - before.stolen) / seconds,
        )


@dataclass(frozen=True, slots=True)
class Lag:
    """How far the ledger was behind Kafka, in events.

    Attributes:
        first: On average in the first third of the time.
        last: In the last third.
        end: At the end.
        flat: Whether it did not grow.
    """

    first: float
    last: float
    end: float
    flat: bool

    @classmethod
    def of(cls, samples: Samples, rate: float) -> Lag:
        """Of what was read, at a rate in events a second."""
        first, last = thirds(samples)
        return cls(first, last, samples[-1][1], flat=last <= first + FLAT_S * rate)


@dataclass(frozen=True, slots=True)
class Law:
    """What a check of conservation has said.

    Attributes:
        line: Its words.
        unexplained: Events without an outcome.
    """

    line: str
    unexplained: int


@dataclass(frozen=True, slots=True)
class Step:
    """A constant load.

    Attributes:
        rate: Events a second that were asked for.
        seconds: For how long it was measured.
        warm_up: Seconds before that, which do not count.
        events_per_s: Into Kafka, by its end offsets.
        counted_per_s: Into the ledger.
        rows_per_s: Rows of windows that were inserted; None where Prometheus does not know.
        latency: From event to row; None where none was measured.
        cost: Processor time.
        probe_us: Microseconds an event of the probe's own process, which are in the cost.
        memory_mb: By component, over all hosts, the most that was seen.
        backpressure: The highest share of time that a task waited for the next one; None as above.
        busy: The highest share of time that a task worked.
        checkpoints: That were begun meanwhile.
        lag: Of the ledger behind Kafka.
        law: Whether all was counted once or explained; None where it could not be checked.
        problems: What went wrong, in sentences; the figures are of what was measured all the same.
    """

    rate: int
    seconds: int
    warm_up: int
    events_per_s: float
    counted_per_s: float
    rows_per_s: float | None
    latency: Latency | None
    cost: Cost
    probe_us: float
    memory_mb: dict[str, float]
    backpressure: float | None
    busy: float | None
    checkpoints: Checkpoints
    lag: Lag
    law: Law | None
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.rate:,} events/s"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Step:
        """Read what JSON has of it."""
        return cls(
            **{
                **told,
                "latency": None if told["latency"] is None else Latency(**told["latency"]),
                "cost": Cost(**told["cost"]),
                "checkpoints": Checkpoints(**told["checkpoints"]),
                "lag": Lag(**told["lag"]),
                "law": _law(told),
            }
        )


@dataclass(frozen=True, slots=True)
class Drain:
    """A backlog, produced while the job was stopped, and counted by it from a cold start.

    Attributes:
        events: Of the backlog.
        first_row_s: Seconds from the start of the playbook until the first was in the ledger.
        seconds: From then until all were; from later on where a part of it was to be left out.
        events_per_s: Meanwhile.
        cost: Processor time meanwhile.
        curve: Seconds since the start of the playbook, and how many were in the ledger.
        law: As of a step.
        problems: As of a step.
    """

    events: int
    first_row_s: float
    seconds: float
    events_per_s: float
    cost: Cost
    curve: list[tuple[float, float]]
    law: Law | None
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """For people."""
        return f"a backlog of {self.events:,} events"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Drain:
        """Read what JSON has of it."""
        curve = [(when, events) for when, events in told["curve"]]
        return cls(**{**told, "cost": Cost(**told["cost"]), "curve": curve, "law": _law(told)})


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of a run that came to nothing.

    Attributes:
        part: Which.
        why: A sentence.
    """

    part: str
    why: str


@dataclass(slots=True)
class Run:
    """A run; it grows from part to part.

    Attributes:
        began: When, in UTC.
        command: That made it.
        commit: Of the checkout.
        about: The machine.
        versions: Of what ran on it.
        load: What the events were.
        steps: Those that were measured.
        drain: The backlog; None where it was not measured.
        failures: What came to nothing.
        took_s: Seconds in all; None while it goes on.
    """

    began: str
    command: str
    commit: str
    about: About
    versions: dict[str, str]
    load: str
    steps: list[Step] = field(default_factory=list)
    drain: Drain | None = None
    failures: list[Failure] = field(default_factory=list)
    took_s: float | None = None

    def told(self) -> dict[str, Any]:
        """The run as JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Run:
        """Read what `told` gives."""
        return cls(
            **{
                **told,
                "about": About(**told["about"]),
                "steps": [Step.of(one) for one in told["steps"]],
                "drain": None if told["drain"] is None else Drain.of(told["drain"]),
                "failures": [Failure(**one) for one in told["failures"]],
            }
        )

    @property
    def parts(self) -> list[Step | Drain]:
        """All that was measured."""
        return [*self.steps, *([] if self.drain is None else [self.drain])]

    @property
    def laws(self) -> list[Law]:
        """What was said of conservation."""
        return [part.law for part in self.parts if part.law is not None]

    @property
    def unlawful(self) -> list[str]:
        """The parts whose events were not all counted once or explained."""
        return [one.name for one in self.parts if one.law is not None and one.law.unexplained]

    @property
    def unchecked(self) -> list[str]:
        """The parts behind which conservation could not be checked."""
        return [one.name for one in self.parts if one.law is None]


def memory_of(looks: Iterable[Mapping[tuple[str, str], int]]) -> dict[str, float]:
    """MB by component, over all hosts: the most of some looks."""
    most: dict[str, float] = {}
    for look in looks:
        summed: dict[str, float] = {}
        for (_, unit), size in look.items():
            summed[component(unit)] = summed.get(component(unit), 0.0) + size / MB
        for name, size_mb in summed.items():
            most[name] = max(most.get(name, 0.0), size_mb)
    return dict(_largest_first(most))


def _largest_first(values: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(values.items(), key=lambda one: (-one[1], one[0]))


def _law(told: Mapping[str, Any]) -> Law | None:
    return None if told["law"] is None else Law(**told["law"])
