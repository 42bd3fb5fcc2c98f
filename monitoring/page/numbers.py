"""What the views show, put together from answers that are kept for all users."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from flink_job.domain import Counts, Outcome
from flink_job.domain.ledger import HOUR_MS
from flink_job.domain.window import LATE_AFTER_MS, WINDOW_MS
from monitoring.page.books import Books
from monitoring.page.conserved import Conservation, Looks, conservation
from monitoring.page.kept import Answer, Kept, Later, in_a_thread
from monitoring.page.tables import Booked, Found, Product, Recent, Seen, Series, Tables
from monitoring.page.topics import Topics

T = TypeVar("T")

WINDOW_S, LATE_AFTER_S, HOUR_S = WINDOW_MS // 1_000, LATE_AFTER_MS // 1_000, HOUR_MS // 1_000
MINUTE_S = 60
# What reads an hour of all products takes longer than somebody should wait: it is asked beside the
# requests, and the windows of the last two minutes, which are asked anew, are laid over it.
SLOW_FRESH_S, SLOW_GRACE_S = 4.0, 60.0
WARM_EVERY_S = 30.0
REMEMBERED = 256


class By(StrEnum):
    """The steps of a product's history."""

    WINDOW = "window"
    MINUTE = "minute"
    HOUR = "hour"

    @property
    def step(self) -> int:
        """Seconds of a step."""
        return {By.WINDOW: WINDOW_S, By.MINUTE: MINUTE_S, By.HOUR: HOUR_S}[self]

    @property
    def span(self) -> int:
        """Seconds of the whole."""
        return {By.WINDOW: HOUR_S, By.MINUTE: 6 * HOUR_S, By.HOUR: 30 * 24 * HOUR_S}[self]


@dataclass(frozen=True, slots=True)
class Window:
    """A window of all products together.

    Attributes:
        start: In seconds since the epoch.
        counts: What was counted in it.
        open: Whether events of it may still come.
    """

    start: int
    counts: Counts
    open: bool

    @property
    def end(self) -> int:
        """The second behind it."""
        return self.start + WINDOW_S


@dataclass(frozen=True, slots=True)
class Share:
    """What became of the messages of a topic: one outcome.

    Attributes:
        topic: The topic.
        outcome: The outcome.
        day: Messages of the last day.
        events: Messages in all.
        of_day: All messages of the topic in the last day, whatever became of them.
        of_events: The same in all.
    """

    topic: str
    outcome: Outcome
    day: int
    events: int
    of_day: int
    of_events: int


@dataclass(frozen=True, slots=True)
class Now:
    """The numbers as they stand.

    Attributes:
        at: When, in seconds since the epoch.
        window: The newest window; None where the last hour has none.
        hour: All of the last hour.
        minutes: The last hour by minute.
        top: The products that were seen most often in it.
        written_age: Seconds since a row was last written; None if none was in the last two minutes.
        conservation: The first law; None where the ledger was never read.
        doubt: Where all but the ledger could be renewed, why that could not, a sentence.
        doubt_s: Seconds since the ledger was read then; 0 where it never was.
    """

    at: int
    window: Window | None
    hour: Counts
    minutes: Series
    top: tuple[Product, ...]
    written_age: int | None
    conservation: Conservation | None
    doubt: str | None = None
    doubt_s: float = 0.0


@dataclass(frozen=True, slots=True)
class History:
    """A product and its past.

    Attributes:
        product: Its id.
        seen: When it was in the windows.
        by: The steps.
        series: What was counted, by step.
        first: The first second of the whole.
        end: The second behind the last.
    """

    product: str
    seen: Seen
    by: By
    series: Series
    first: int
    end: int

    @property
    def total(self) -> Counts:
        """All of it."""
        return total(self.series)


@dataclass(frozen=True, slots=True)
class Law:
    """The ledger, and what of it stayed unexplained over some looks."""

    booked: Booked
    unexplained: int


class Numbers:
    """The numbers of all views."""

    def __init__(
        self,
        tables: Tables,
        topics: Callable[[], Topics],
        *,
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        later: Later = in_a_thread,
    ) -> None:
        """Ask nothing yet.

        Args:
            tables: ClickHouse.
            topics: What is known of Kafka.
            wall: Seconds since the epoch.
            clock: Seconds, only forward.
            later: Does some work beside a request.
        """
        self._tables = tables
        self._topics = topics
        self._wall = wall
        self._clock = clock
        self._later = later
        self._looks = Looks()
        self._books = Books(tables.booked, clock, wall)
        self._recent: Kept[Recent] = self._kept(tables.recent)
        self._hour: Kept[Series] = self._slow(tables.hour)
        self._top: Kept[tuple[Product, ...]] = self._slow(tables.top)
        self._law: Kept[Law] = self._slow(self._look)
        self._asked: OrderedDict[tuple[object, ...], Kept[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def now(self) -> Answer[Now]:
        """The numbers as they stand."""
        recent, hour, top, law = (
            self._recent.get(),
            self._hour.get(),
            self._top.get(),
            self._law.get(),
        )
        # The ledger is the largest of them: without it the rest is shown all the same.
        age, problem = _worst((recent, hour, top))
        if recent.value is None or hour.value is None or top.value is None:
            return Answer(None, age, problem)
        doubt = law.problem if problem is None else None
        at = int(self._wall() - age)
        windows = {
            start: counts
            for start, counts in {**hour.value, **recent.value.windows}.items()
            if at - HOUR_S < start <= at
        }
        written = recent.value.written
        return Answer(
            Now(
                at=at,
                window=_newest(windows, at),
                hour=total(windows),
                minutes=_by_minute(windows),
                top=top.value,
                written_age=None if written is None else max(0, at - written),
                conservation=None
                if law.value is None
                else conservation(
                    law.value.booked.ledger, law.value.unexplained, self._topics().offsets
                ),
                doubt=doubt,
                doubt_s=0.0 if doubt is None else law.age_s,
            ),
            age,
            problem,
        )

    def shares(self) -> Answer[tuple[Share, ...]]:
        """What became of the messages, by topic and outcome."""
        law = self._law.get()
        value = None if law.value is None else shares(law.value.booked)
        return Answer(value, law.age_s if law.problem else 0.0, law.problem)

    def topics(self) -> Topics:
        """What is known of Kafka."""
        return self._topics()

    def topics_age(self) -> float | None:
        """Seconds since Kafka was read; None where it never was."""
        read_at = self._topics().read_at
        return None if read_at is None else max(0.0, self._clock() - read_at)

    def products(self, prefix: str) -> Answer[Found]:
        """Products whose id begins with this text."""
        return self._about(("products", prefix), lambda: self._tables.products(prefix))

    def history(self, product: str, by: By) -> Answer[History | None]:
        """A product's past; no product where none of that id was ever counted."""
        return self._about(("history", product, by), lambda: self._history(product, by))

    def warm(self) -> None:
        """Ask what takes long before somebody has to wait for it."""
        for one in (self._hour, self._top, self._law):
            one.get()

    def keep_warm(self, stopping: threading.Event, every_s: float = WARM_EVERY_S) -> None:
        """Do so every now and then, until it is time to stop."""
        while not stopping.is_set():
            self.warm()
            stopping.wait(every_s)

    def _history(self, product: str, by: By) -> History | None:
        seen = self._tables.seen(product)
        if seen is None:
            return None
        # The step under way is shown, too.
        end = int(self._wall()) // by.step * by.step + by.step
        first = end - by.span
        series = self._tables.history(product, by.step, first, end)
        return History(product, seen, by, series, first, end)

    def _look(self) -> Law:
        booked = self._books.read()
        return Law(booked, self._looks.take(self._clock(), booked.ledger))

    def _about(self, key: tuple[object, ...], ask: Callable[[], T]) -> Answer[T]:
        with self._lock:
            one: Kept[T] = self._asked.setdefault(key, self._kept(ask))
            self._asked.move_to_end(key)
            if len(self._asked) > REMEMBERED:
                self._asked.popitem(last=False)
        answer = one.get()
        return Answer(answer.value, answer.age_s if answer.problem else 0.0, answer.problem)

    def _kept(self, ask: Callable[[], T]) -> Kept[T]:
        return Kept(ask, clock=self._clock, later=self._later)

    def _slow(self, ask: Callable[[], T]) -> Kept[T]:
        return Kept(
            ask,
            fresh_s=SLOW_FRESH_S,
            grace_s=SLOW_GRACE_S,
            clock=self._clock,
            later=self._later,
        )


def total(series: Series) -> Counts:
    """All of a series together."""
    return sum(series.values(), Counts())


def shares(booked: Booked) -> tuple[Share, ...]:
    """What became of the messages of each topic; every outcome of every topic that has any."""
    events: defaultdict[tuple[str, Outcome], int] = defaultdict(int)
    for key, entry in booked.ledger.items():
        events[key.topic, key.outcome] += entry.events
    topics = sorted({topic for topic, _ in events}, reverse=True)
    return tuple(
        Share(
            topic=topic,
            outcome=outcome,
            day=booked.day.get((topic, outcome), 0),
            events=events[topic, outcome],
            of_day=sum(booked.day.get((topic, each), 0) for each in Outcome),
            of_events=sum(events[topic, each] for each in Outcome),
        )
        for topic in topics
        for outcome in Outcome
    )


def _newest(windows: Series, at: int) -> Window | None:
    if not windows:
        return None
    start = max(windows)
    return Window(start, windows[start], open=at < start + LATE_AFTER_S)


def _by_minute(windows: Series) -> Series:
    minutes: defaultdict[int, Counts] = defaultdict(Counts)
    for start, counts in windows.items():
        minutes[start // MINUTE_S * MINUTE_S] += counts
    return dict(minutes)


def _worst(answers: Sequence[Answer[Any]]) -> tuple[float, str | None]:
    """The age of the oldest answer that could not be renewed, and why it could not."""
    problems = [answer for answer in answers if answer.problem is not None]
    age = max((answer.age_s for answer in problems), default=0.0)
    return age, problems[0].problem if problems else None
