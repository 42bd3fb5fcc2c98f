from __future__ import annotations

import random
from collections import Counter
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_job.domain import Outcome, Record, Tables, judge
from loadtest.messages import Accident, Traffic, messages
from loadtest.popularity import drawn, draws_for
from loadtest.supply import DISORDERED, GOOD, KEPT, Message, Mix, MixError, Supply

T = 1_764_000_000_000
TICK_MS = 50
EVENTS = 10_000
BATCH = 500
BAD = [outcome for outcome in Outcome if outcome not in {Outcome.COUNTED, Outcome.LATE}]


def taken(mix: Mix, events: int = EVENTS, seed: int = 1) -> list[tuple[str, int, Message]]:
    """Messages with their topic and the time that they were made at."""
    supply = Supply(mix, seed)
    made = []
    for number in range(events // BATCH):
        now = T + number * TICK_MS
        for topic, batch in supply.take(BATCH, now).items():
            made += [(topic, now, message) for message in batch]
    return made


def outcomes(made: list[tuple[str, int, Message]]) -> Counter[Outcome]:
    tables, found, offsets = Tables(), Counter[Outcome](), Counter[str]()
    for topic, now, message in made:
        found[tables.take(Record(topic, 0, offsets[topic], now + 5, message["value"]))] += 1
        offsets[topic] += 1
    return found


def test_without_accidents_every_event_is_counted() -> None:
    assert outcomes(taken(Mix())) == {Outcome.COUNTED: EVENTS}


def test_events_out_of_order_are_counted() -> None:
    made = taken(Mix(disorder=0.5))
    assert outcomes(made) == {Outcome.COUNTED: EVENTS}
    events = [judge(Record(t, 0, 0, now, m["value"]), None).event for t, now, m in made]
    older = sum(e is not None and e.timestamp < now for e, (_, now, _) in zip(events, made))  # noqa: B905
    assert older == pytest.approx(EVENTS * 0.5, rel=0.02)


def test_late_events_are_late() -> None:
    found = outcomes(taken(Mix(late=0.1)))
    assert found.keys() == {Outcome.LATE, Outcome.COUNTED}
    assert found[Outcome.LATE] == pytest.approx(EVENTS * 0.1, rel=0.02)


def test_bad_events_are_of_all_five_kinds_and_of_no_other() -> None:
    found = outcomes(taken(Mix(bad=0.5)))
    bad = [found[outcome] for outcome in BAD]
    assert sum(bad) == pytest.approx(EVENTS * 0.5, rel=0.02)
    assert min(bad) > 0.8 * max(bad)
    assert found[Outcome.LATE] == 0


@pytest.mark.parametrize("accident", Accident)
def test_an_accident_has_the_outcome_that_it_is_named_for(accident: Accident) -> None:
    # The enumerations are told apart by name alone, and a mix draws from the first.
    assert Outcome(accident.name.lower())


@given(
    batches=st.lists(st.integers(0, 300), min_size=1, max_size=20),
    clicks=st.floats(0, 1),
    bad=st.floats(0, 0.4),
    late=st.floats(0, 0.6),
)
def test_shares_hold_however_the_events_are_cut_into_batches(
    batches: list[int], clicks: float, bad: float, late: float
) -> None:
    supply = Supply(Mix(products=1, clicks=clicks, bad=bad, late=late), seed=1, draws=100)
    made = Counter[str]()
    for count in batches:
        parts = supply.take(count, T)
        assert sum(map(len, parts.values())) == count
        made.update({topic: len(batch) for topic, batch in parts.items()})
    assert abs(made["clicks"] - clicks * sum(batches)) < 1.001
    for topic, events in made.items():
        kinds = {kind: count for (of, kind), count in supply.made.items() if of == topic}
        assert sum(kinds.values()) == events
        # What the last batches were too small for is still owed, up to an event of each share.
        assert bad * events - 3.001 < sum(kinds[name] for name in BAD if name in kinds)
        assert sum(kinds[name] for name in BAD if name in kinds) <= bad * events + 0.001


def test_the_key_is_the_product_and_the_topic_goes_by_the_event() -> None:
    for topic, now, message in taken(Mix()):
        event = judge(Record(topic, 0, 0, now, message["value"]), None).event
        assert event is not None
        assert message["key"] == event.product_id.encode()
        assert (topic == "clicks") == event.is_click


def test_a_fifth_are_clicks_and_popular_products_come_more_often() -> None:
    made = taken(Mix())
    assert sum(topic == "clicks" for topic, _, _ in made) == pytest.approx(EVENTS / 5, abs=1)
    keys = Counter(message["key"] for _, _, message in made)
    assert keys[b"product-0001"] > 5 * keys[b"product-0010"] > 5 * keys[b"product-0100"]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"products": 0}, "products is 0"),
        ({"products": 1_000_001}, "at most 1,000,000"),
        ({"skew": -0.5}, "skew is -0.5"),
        ({"skew": float("nan")}, "skew is nan"),
        ({"bad": 1.5}, "bad is 1.5"),
        ({"late": -0.1}, "late is -0.1"),
        ({"disorder": float("nan")}, "disorder is nan"),
        ({"bad": 0.5, "late": 0.4, "disorder": 0.2}, "1.1 together"),
    ],
)
def test_a_mix_that_cannot_be_is_refused_in_a_sentence(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(MixError, match=says):
        Mix(**wrong)  # type: ignore[arg-type]


@given(
    products=st.integers(1, 2_000),
    skew=st.floats(0, 3),
    draws=st.integers(1, 3_000),
    draw=st.randoms(use_true_random=False),
)
def test_each_product_has_its_share_of_the_draws_to_within_one(
    products: int, skew: float, draws: int, draw: random.Random
) -> None:
    numbers = drawn(products, skew, draws, draw)
    assert len(numbers) == draws
    found = Counter(numbers)
    total = sum(rank**-skew for rank in range(1, products + 1))
    for number in range(products):
        share = (number + 1) ** -skew / total * draws
        assert abs(found[number] - share) < 1.001


def test_without_skew_as_many_draws_as_products_are_all_of_them() -> None:
    draw = random.Random(1)  # noqa: S311 - a seed is wanted
    assert sorted(drawn(5_000, 0, 5_000, draw)) == list(range(5_000))


def test_the_number_of_draws_is_bounded_however_many_products_there_are() -> None:
    assert [draws_for(products) for products in (1, 1_000, 5_000, 1_000_000)] == [
        20_000,
        20_000,
        50_000,
        1_000_000,
    ]


@pytest.mark.parametrize("draws", [100, KEPT + 1])
def test_events_are_the_same_kind_whether_they_are_kept_or_put_together_anew(draws: int) -> None:
    supply = Supply(Mix(products=50, skew=0), seed=1, draws=draws)
    taken = [supply.take(3_000, T) for _ in range(50)]
    keys = Counter(m["key"] for parts in taken for batch in parts.values() for m in batch)
    assert len(keys) == 50
    assert max(keys.values()) < 1.2 * min(keys.values())
    for topic in ("impressions", "clicks"):
        for message in taken[-1][topic]:
            event = judge(Record(topic, 0, 0, T, message["value"]), None).event
            assert event is not None
            assert event.product_id.encode() == message["key"]


PARTITIONS = 12


@pytest.mark.parametrize("first", [T, T + 3_600_000])
@pytest.mark.parametrize("delay", [5, 4_000])
def test_what_was_made_is_what_the_contract_says_of_it_to_the_event(first: int, delay: int) -> None:
    supply = Supply(Mix(bad=0.2, disorder=0.3, late=0.2), seed=2)
    tables, offsets = Tables(), Counter[tuple[str, int]]()
    found = Counter[tuple[str, Outcome]]()
    # Partitions that nothing came to for long, so that their clocks are old.
    for topic in ("impressions", "clicks"):
        for partition in range(PARTITIONS):
            old = b'{"userId":"u","productId":"p","eventType":"click","timestamp":%d}' % T
            tables.take(Record(topic, partition, 0, T, old))
            offsets[topic, partition] = 1
    for tick in range(400):
        now = first + tick * TICK_MS
        for topic, batch in supply.take(1 + tick % 40, now).items():
            for message in batch:
                partition = crc32(message["key"]) % PARTITIONS
                offset = offsets[topic, partition]
                offsets[topic, partition] += 1
                record = Record(topic, partition, offset, now + delay, message["value"])
                found[topic, tables.take(record)] += 1
    for topic in ("impressions", "clicks"):
        made = {kind: count for (of, kind), count in supply.made.items() if of == topic}
        good = made.pop(GOOD) + made.pop(DISORDERED)
        assert found[topic, Outcome.COUNTED] == good
        assert {kind: found[topic, Outcome(kind)] for kind in made} == made
        assert made["late"] > 100


def test_what_a_supply_is_turned_into_goes_on_counting() -> None:
    supply = Supply(Mix(products=1), seed=1)
    supply.take(10, T)
    other = supply.turned_into(Mix(products=2))
    other.take(10, T)
    assert other.made.total() == 20


def test_messages_of_a_seed_are_the_same_each_time() -> None:
    assert list(messages(500, Traffic(), 3)) == list(messages(500, Traffic(), 3))
