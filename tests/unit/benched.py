"""A lab that a benchmark can measure in no time: its clock goes on only when somebody waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from flink_job.loader.service import Clock
from loadtest.benchmark.cgroups import Used
from loadtest.benchmark.flink import Checkpoint
from loadtest.benchmark.hosts import PlaybookError
from loadtest.benchmark.prometheus import Prometheus
from loadtest.benchmark.result import Law
from loadtest.benchmark.watch import Seen, Stand, Watching

BEGIN = 1_764_000_000.0
LAW = Law("conservation: consumed 10 = counted 10 + rejected 0 + late 0, unexplained 0", 0)
BROKEN = Law("conservation: consumed 10 = counted 9 + rejected 0 + late 0, unexplained 1", 1)


@dataclass
class Time:
    """A clock, and who is told as it goes on."""

    at: float = 0.0
    heard: list[Callable[[], None]] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        until = self.at + seconds
        while self.at < until:
            self.at = min(until, self.at + 0.5)
            for one in list(self.heard):
                one()

    def clock(self) -> Clock:
        return Clock(lambda: self.at, lambda: BEGIN + self.at, self.sleep)


class Waited(Seen):
    """What was seen, where waiting lets the clock go on."""

    time: Time

    def wait(self, until: Callable[[Seen], bool], within_s: float) -> bool:
        end = self.time.at + within_s
        while not until(self) and not self.over and self.time.at < end:
            self.time.sleep(0.5)
        return until(self)


@dataclass
class Watched(Watching):
    """A witness that sees what the lab does, every half second."""

    lab: FakeLab = None  # type: ignore[assignment]

    def __enter__(self) -> Self:
        self.seen = Waited()
        self.seen.time = self.lab.time
        self.seen.version = None if self.lab.blind else "18.16.1"
        self.lab.time.heard.append(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.time.heard.remove(self._look)

    def _look(self) -> None:
        if self.lab.blind:
            self.seen.end()
            return
        now = BEGIN + self.lab.time.at
        self.seen.stands.append(
            Stand(now, round(self.lab.ends), round(self.lab.lag), (), now / 100)
        )
        if self.sends:
            self.seen.took.append((now, self.lab.took_s))


@dataclass
class Going:
    """A deployment that lasts some seconds."""

    lab: FakeLab
    until: float

    @property
    def goes_on(self) -> bool:
        return self.lab.time.at < self.until

    def ended(self, within_s: float) -> str:
        self.lab.time.sleep(max(0.0, min(within_s, self.until - self.lab.time.at)))
        if self.lab.broken_job:
            raise PlaybookError("job.yml: it does not serve.")
        return ""


@dataclass
class FakeLab:
    """A lab: a load that Kafka takes, a job that counts so many a second, both cost processor time.

    Attributes:
        time: Its clock.
        counts: Events a second that the job counts at most.
        us: Of a TaskManager's processor an event; all else together takes as much again.
        blind: The witness ends.
        unmade: Why the load did not come to what was asked for.
        said: What reconcile says; None where it cannot be asked.
        broken_job: The job cannot be deployed.
    """

    time: Time = field(default_factory=Time)
    counts: float = 200_000.0
    us: float = 4.0
    took_s: float = 0.25
    blind: bool = False
    unmade: str | None = None
    said: Law | None = LAW
    broken_job: bool = False
    refuses_load: bool = False
    ends: float = 1_000.0
    lag: float = 0.0
    rate: float = 0.0
    load_until: float = 0.0
    counting: bool = True
    starts_at: float | None = None
    booked: float = 0.0
    deployed: int = 0
    stopped: int = 0
    disposed: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    loads: list[tuple[int, int]] = field(default_factory=list)
    otherwise: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time.heard.append(self._live)

    def _live(self) -> None:
        if self.starts_at is not None and self.time.at >= self.starts_at:
            self.counting, self.starts_at = True, None
        new = self.rate * 0.5 if self.time.at <= self.load_until else 0.0
        self.ends += new
        done = min(self.lag + new, self.counts * 0.5) if self.counting else 0.0
        self.lag += new - done
        self.booked += done

    @property
    def prometheus(self) -> Prometheus:
        def asking(_: str, query: str, time: str) -> dict[str, Any]:
            self.asked.append(query)
            end = float(time)
            values = [[end - 10, "100"], [end, "300"]]
            return {
                "status": "success",
                "data": {"resultType": "matrix", "result": [{"metric": {}, "values": values}]},
            }

        return Prometheus("http://monitor1:9090", asking)

    def start_load(self, rate: int, seconds: int, **otherwise: object) -> None:
        if self.refuses_load:
            raise PlaybookError("load.yml: there is no worker.")
        self.otherwise = otherwise
        self.rate, self.load_until = rate, self.time.at + seconds
        self.loads.append((rate, seconds))

    def load_ended(self, seconds: int) -> int:
        self.time.sleep(max(0.0, self.load_until - self.time.at))
        if self.unmade is not None:
            raise PlaybookError(self.unmade)
        return int(self.rate * seconds)

    def stop_load(self) -> None:
        self.stopped += 1
        self.load_until = 0.0

    def used(self) -> Used:
        spent = self.booked * self.us / 1e6
        return Used(
            {"flink-tm1": spent, "kafka1": spent},
            {("flink-tm1", "flink-taskmanager.service"): spent, ("kafka1", "kafka.service"): spent},
            2 * spent + self.time.at / 10,
            self.time.at / 100,
        )

    def memory(self) -> Mapping[tuple[str, str], int]:
        return {("kafka1", "kafka.service"): 2**20, ("kafka2", "kafka.service"): 2**20}

    def checkpoints(self) -> dict[int, Checkpoint]:
        number = int(self.time.at / 5)
        return {number: Checkpoint(number, BEGIN + number * 5, 0.2, 7 * 2**20, completed=True)}

    def law(self) -> Law:
        if self.said is None:
            raise PlaybookError("reconcile.yml: ClickHouse does not answer.")
        return self.said

    def watching(self, seconds: float, every_s: float, *, sends: bool) -> Watching:
        return Watched([], seconds, every_s, sends, lab=self)

    def stop_job(self) -> str:
        self.counting = False
        return "s3://flink/savepoints/one"

    def deploy(self) -> None:
        self.deployed += 1
        if self.broken_job:
            raise PlaybookError("job.yml: it does not serve.")
        self.counting = True

    def deploying(self) -> Going:
        self.starts_at = None if self.broken_job else self.time.at + 20
        return Going(self, self.time.at + 40)

    def dispose(self, savepoint: str) -> None:
        self.disposed.append(savepoint)
