"""An answer is asked for once for all, nobody waits for the slow, an outage leaves the last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from monitoring.page.kept import Answer, Kept, in_a_thread
from tests.unit.page_played import AWAY, Clock, at_once


@dataclass
class Asked:
    """Answers 1, 2, 3 and so on, or fails while it is away."""

    times: int = 0
    away: bool = False

    def __call__(self) -> int:
        self.times += 1
        if self.away:
            raise AWAY
        return self.times


@dataclass
class Later:
    work: list[Callable[[], None]] = field(default_factory=list)

    def __call__(self, work: Callable[[], None]) -> None:
        self.work.append(work)

    def run(self) -> None:
        while self.work:
            self.work.pop()()


def test_a_fresh_answer_is_given_again_and_asked_for_anew_after_a_second() -> None:
    ask, clock = Asked(), Clock()
    kept = Kept(ask, clock=clock, later=at_once)
    assert kept.get() == kept.get() == Answer(1, 0.0, None)
    clock.now = 0.9
    assert kept.get() == Answer(1, 0.9, None)
    clock.now = 1.0
    assert kept.get() == Answer(2, 0.0, None)


def test_within_the_grace_nobody_waits_and_the_next_one_has_the_new_answer() -> None:
    ask, clock, later = Asked(), Clock(), Later()
    kept = Kept(ask, grace_s=60, clock=clock, later=later)
    kept.get()
    clock.now = 30
    assert kept.get() == kept.get() == Answer(1, 30.0, None)
    assert len(later.work) == 1, "it is asked once, however many wait"
    later.run()
    assert kept.get() == Answer(2, 0.0, None)


def test_behind_the_grace_an_old_answer_is_not_given() -> None:
    ask, clock = Asked(), Clock()
    kept = Kept(ask, grace_s=60, clock=clock, later=Later())
    kept.get()
    clock.now = 61
    assert kept.get() == Answer(2, 0.0, None)


def test_a_failure_leaves_the_last_answer_with_its_age_and_a_sentence() -> None:
    ask, clock = Asked(), Clock()
    kept = Kept(ask, clock=clock, later=at_once)
    kept.get()
    ask.away, clock.now = True, 34
    assert kept.get() == Answer(1, 34.0, str(AWAY))


def test_a_first_failure_leaves_nothing_but_its_sentence() -> None:
    kept = Kept(Asked(away=True), clock=Clock(), later=at_once)
    assert kept.get() == Answer(None, 0.0, str(AWAY))


def test_after_a_failure_nobody_waits_until_it_answers_again() -> None:
    ask, clock, later = Asked(away=True), Clock(), Later()
    kept = Kept(ask, clock=clock, later=later)
    kept.get()
    clock.now = 0.5
    kept.get()
    assert (ask.times, later.work) == (1, []), "a failure is not asked for again at once"
    clock.now = 2
    assert kept.get().problem == str(AWAY)
    assert (ask.times, len(later.work)) == (1, 1), "it is asked beside the request"
    ask.away = False
    later.run()
    assert kept.get() == Answer(2, 0.0, None)


def test_many_who_ask_at_once_ask_once() -> None:
    asked, go_on, times = threading.Event(), threading.Event(), list[int]()

    def ask() -> int:
        times.append(1)
        asked.set()
        assert go_on.wait(60)
        return 7

    kept = Kept(ask, clock=Clock())
    answers: list[Answer[int]] = []
    threads = [threading.Thread(target=lambda: answers.append(kept.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert asked.wait(60)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert answers == [Answer(7, 0.0, None)] * 8
    assert len(times) == 1


def test_a_fault_beside_the_requests_does_not_end_the_asking() -> None:
    clock, later, asked = Clock(), Later(), Asked()

    def ask() -> int:
        value = asked()
        if value == 2:
            raise ValueError("a mistake")
        return value

    kept = Kept(ask, grace_s=60, clock=clock, later=later)
    kept.get()
    clock.now = 2
    kept.get()
    with pytest.raises(ValueError, match="a mistake"):
        later.run()
    kept.get()
    later.run()
    assert kept.get().value == 3


def test_work_beside_a_request_is_done() -> None:
    done = threading.Event()
    in_a_thread(done.set)
    assert done.wait(60)
