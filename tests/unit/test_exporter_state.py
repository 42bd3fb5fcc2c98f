"""What is known follows from the looks, in whatever order they come and fail."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from flink_job.audit.law import Ledger, Partition
from flink_job.domain import INPUT, Entry, LedgerKey, Outcome
from monitoring.exporter.board import Board
from monitoring.exporter.collector import LAG_STALE_S, STALE_S, StateCollector
from monitoring.exporter.events import Tally
from monitoring.exporter.gaps import gaps
from monitoring.exporter.state import State, Tables, Topics, When

NOW = 1_764_000_000.0
PLACE, OTHER = ("clicks", 0), ("canary", 1)
COUNTED, LATE = Outcome.COUNTED, Outcome.LATE


def at(began: float = 0.0, seconds: float = 0.1) -> When:
    return When(began, NOW + began, seconds)


def ledger(*rows: tuple[Partition, Outcome, int, int, int]) -> Ledger:
    """Rows of partition, outcome, events, first and last offset."""
    return {LedgerKey(*place, outcome, 0): Entry(*entry) for place, outcome, *entry in rows}


def tables(booked: Ledger, newest_row: int | None = None) -> Tables:
    return Tables(booked, newest_row, 3, 20, 5)


def topics(
    offsets: Mapping[Partition, tuple[int, int]],
    clocks: Mapping[Partition, int] | None = None,
    newest: Mapping[str, int] | None = None,
) -> Topics:
    return Topics(offsets, {}, clocks or {}, newest or {})


def unexplained(
    offsets: Mapping[Partition, tuple[int, int]], booked: Ledger
) -> dict[Partition, int]:
    return {place: gap.missing for place, gap in gaps(offsets, booked).items()}


def page(state: State, now: float = NOW) -> str:
    registry = CollectorRegistry()
    registry.register(StateCollector(lambda: state, lambda: now))
    return generate_latest(registry).decode()


LEDGERS = st.dictionaries(
    st.builds(
        LedgerKey,
        st.sampled_from(INPUT),
        st.integers(0, 1),
        st.sampled_from(list(Outcome)),
        st.just(0),
    ),
    st.builds(Entry, st.integers(0, 50), st.integers(0, 50), st.integers(50, 99)),
    max_size=6,
)
PLACES = st.tuples(st.sampled_from(INPUT), st.integers(0, 1))
OFFSETS = st.dictionaries(PLACES, st.tuples(st.integers(0, 50), st.integers(50, 200)))
STEPS = st.lists(
    st.one_of(
        st.builds(
            lambda booked, row, began: lambda s: s.with_tables(tables(booked, row), at(began)),
            LEDGERS,
            st.none() | st.integers(0, 99),
            st.floats(0, 20),
        ),
        st.builds(
            lambda offsets, clocks, newest, began: (
                lambda s: s.with_topics(topics(offsets, clocks, newest), at(began))
            ),
            OFFSETS,
            st.dictionaries(PLACES, st.integers(0, 99)),
            st.dictionaries(st.sampled_from(INPUT), st.integers(0, 99)),
            st.floats(0, 20),
        ),
        st.builds(lambda s: lambda state: state.without_kafka(s), st.floats(0, 9)),
        st.builds(lambda s: lambda state: state.without_clickhouse(s), st.floats(0, 9)),
    ),
    max_size=12,
)


@given(STEPS)
def test_whatever_the_order_of_looks_and_failures_nothing_steps_back(
    steps: list[object],
) -> None:
    board = Board()
    for step in steps:
        before = board.state
        board.change(step)  # type: ignore[arg-type]
        after = board.state
        for was, now in (
            (before.tally.told, after.tally.told),
            (before.clocks, after.clocks),
            (before.newest, after.newest),
        ):
            assert all(now[key] >= value for key, value in was.items())  # type: ignore[index]
        assert before.newest_row is None or (after.newest_row or 0) >= before.newest_row
        assert all(lag >= 0 for lag in after.lag.values())
        # What a source has told stays while it is away.
        assert after.kafka.found is not None or before.kafka.found is None
        assert after.clickhouse.found is not None or before.clickhouse.found is None
        page(after)


@given(STEPS)
def test_a_source_that_fails_changes_nothing_that_the_other_has_told(steps: list[object]) -> None:
    board = Board()
    for step in steps:
        board.change(step)  # type: ignore[arg-type]
    known = board.state
    board.change(lambda state: state.without_kafka(3))
    assert board.state.clickhouse == known.clickhouse
    board.change(lambda state: state.without_clickhouse(3))
    for name in ("tally", "gaps", "lag", "clocks", "newest", "newest_row"):
        assert getattr(board.state, name) == getattr(known, name)


def test_every_outcome_of_every_input_is_told_once_the_ledger_was_read_and_not_before() -> None:
    assert "ctr_events_total{" not in page(State())
    read = State().with_tables(tables(ledger((PLACE, LATE, 7, 0, 6))), at())
    lines = [line for line in page(read).splitlines() if line.startswith("ctr_events_total{")]
    assert len(lines) == len(INPUT) * len(Outcome)
    assert 'ctr_events_total{outcome="late",topic="clicks"} 7.0' in lines
    assert 'ctr_events_total{outcome="counted",topic="canary"} 0.0' in lines


def test_what_is_told_of_events_is_kept_before_and_not_told_before_the_ledger_was_read() -> None:
    told: list[Tally] = []
    registry = CollectorRegistry()
    states = [State(tally=Tally({("clicks", LATE): 7}, {("clicks", LATE): 5}))]
    states.append(states[0].with_tables(tables(ledger((PLACE, LATE, 6, 0, 6))), at()))
    registry.register(StateCollector(lambda: states[len(told)], lambda: NOW, told.append))
    assert "ctr_events_total{" not in generate_latest(registry).decode()
    page = generate_latest(registry).decode()
    assert 'ctr_events_total{outcome="late",topic="clicks"} 7.0' in page
    assert told == [one.tally for one in states]


def test_offsets_below_the_ledgers_last_without_an_outcome_are_unexplained() -> None:
    booked = ledger((PLACE, COUNTED, 5, 0, 9), (PLACE, LATE, 3, 2, 7), (OTHER, LATE, 3, 0, 1))
    assert unexplained({}, booked) == {PLACE: 2, OTHER: -1}
    # What Kafka has before the first, what it has removed unread, and a partition without outcome.
    assert unexplained({PLACE: (0, 50)}, ledger((PLACE, COUNTED, 5, 5, 9))) == {PLACE: 5}
    assert unexplained({PLACE: (30, 50)}, ledger((PLACE, COUNTED, 10, 0, 9))) == {PLACE: 20}
    assert unexplained({PLACE: (30, 50)}, {}) == {PLACE: 0}


def test_lag_is_what_the_ledger_does_not_reach() -> None:
    state = State().with_topics(topics({PLACE: (0, 12), OTHER: (30, 50)}), at(0.0))
    assert state.lag == {}
    state = state.with_tables(tables(ledger((PLACE, COUNTED, 10, 0, 9))), at(0.2))
    assert state.lag == {PLACE: 2, OTHER: 20}


def test_looks_that_were_not_taken_together_are_not_held_against_each_other() -> None:
    state = State().with_tables(tables(ledger((PLACE, COUNTED, 10, 0, 9))), at(0.0))
    state = state.with_topics(topics({PLACE: (0, 12)}), at(0.1))
    assert state.lag == {PLACE: 2}
    # Five seconds of events that the ledger of the same moment would have.
    assert state.with_topics(topics({PLACE: (0, 9_000)}), at(5.0)).lag == {PLACE: 2}


def test_a_look_at_clickhouse_that_takes_beats_is_held_against_the_kafka_of_its_begin() -> None:
    state = State()
    for began, end in ((0.0, 12), (5.0, 5_000), (10.0, 9_000)):
        state = state.with_topics(topics({PLACE: (0, end)}), at(began))
    booked = tables(ledger((PLACE, COUNTED, 10, 0, 9)))
    state = state.with_tables(booked, When(0.0, NOW + 12, 12.0))
    assert state.lag == {PLACE: 2}
    # Once more and once more, it is never of the same beat as Kafka's newest.
    state = state.with_topics(topics({PLACE: (0, 9_500)}), at(15.0))
    assert state.lag_known == NOW + 12
    state = state.with_topics(topics({PLACE: (0, 9_900)}), at(20.0))
    state = state.with_tables(booked, When(15.0, NOW + 22, 7.0))
    assert state.lag == {PLACE: 9_490}
    assert state.lag_known == NOW + 22


def test_a_lag_that_nobody_knows_any_more_is_not_told() -> None:
    state = State().with_topics(topics({PLACE: (0, 12)}), at(0.0))
    state = state.with_tables(tables(ledger((PLACE, COUNTED, 10, 0, 9))), at(0.2))
    series = 'ctr_lag_events{partition="0",topic="clicks"} 2.0'
    # Kafka is looked at still, ClickHouse does not answer.
    for began in (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0):
        state = state.with_topics(topics({PLACE: (0, 50_000)}), at(began)).without_clickhouse(10)
    assert series in page(state, NOW + LAG_STALE_S)
    assert "ctr_lag_events{" not in page(state, NOW + LAG_STALE_S + 1)
    assert "ctr_unexplained_events{" in page(state, NOW + LAG_STALE_S + 1)


def test_a_recount_that_finds_less_lets_no_counter_step_back_nor_stand_still() -> None:
    state = State().with_tables(tables(ledger((PLACE, LATE, 7, 0, 6))), at())
    state = state.with_tables(
        tables(ledger((PLACE, LATE, 3, 0, 6), (PLACE, COUNTED, 4, 0, 5))), at()
    )
    assert state.tally.told["clicks", LATE] == 7
    assert state.tally.told["clicks", COUNTED] == 0, "no event has come"
    state = state.with_tables(
        tables(ledger((PLACE, LATE, 4, 0, 9), (PLACE, COUNTED, 6, 0, 8))), at()
    )
    assert state.tally.told["clicks", LATE] == 8
    assert state.tally.told["clicks", COUNTED] == 2


def test_a_source_is_up_while_its_looks_succeed_and_come() -> None:
    begun = State(addresses={"kafka": "k:9092", "clickhouse": "c:9000"})
    assert 'ctr_source_up{address="k:9092",source="kafka"} 0.0' in page(begun)
    assert 'source="store"' not in page(begun)
    state = begun.with_topics(topics({}), at(seconds=0.25))
    assert 'ctr_source_up{address="k:9092",source="kafka"} 1.0' in page(state)
    assert 'ctr_source_seconds{address="k:9092",source="kafka"} 0.25' in page(state)
    # A look that hangs says nothing, and is told by that.
    assert 'ctr_source_up{address="k:9092",source="kafka"} 0.0' in page(state, NOW + STALE_S + 1)
    away = state.without_kafka(4.0)
    assert 'ctr_source_up{address="k:9092",source="kafka"} 0.0' in page(away)
    assert 'ctr_source_seconds{address="k:9092",source="kafka"} 4.0' in page(away)
    assert (
        'ctr_source_refreshed_timestamp_seconds{address="k:9092",source="kafka"} 1.764e+09'
        in page(away)
    )


def test_a_store_is_told_where_it_is_looked_at_and_parts_by_table() -> None:
    state = State(addresses={"store": "store1:7070"}).with_store(403, at())
    assert 'ctr_source_up{address="store1:7070",source="store"} 1.0' in page(state)
    away = state.without_store(4.0)
    assert 'ctr_source_up{address="store1:7070",source="store"} 0.0' in page(away)
    assert 'ctr_source_seconds{address="store1:7070",source="store"} 4.0' in page(away)
    assert 'source="kafka"' not in page(away)
    found = Tables({}, None, 0, 0, 0, {"ctr_windows": 140, "ledger": 3})
    assert 'ctr_clickhouse_parts{table="ctr_windows"} 140.0' in page(state.with_tables(found, at()))


def test_all_metrics_of_the_contract_are_told_and_are_few() -> None:
    places = [(topic, number) for topic in INPUT for number in range(12)]
    booked = ledger(*((place, outcome, 1, 0, 6) for place in places for outcome in Outcome))
    found = Topics(
        dict.fromkeys(places, (0, 9)),
        {("ctr-windows", 0): (3, 5), ("ctr-windows", 1): (9, 4), ("ctr-ledger", 0): (0, 7)},
        dict.fromkeys(places, 1_764_000_000_500),
        dict.fromkeys(INPUT, 1_764_000_001_000),
    )
    text = page(State().with_topics(found, at()).with_tables(tables(booked, 1_764_000_002), at()))
    for line in (
        'ctr_unexplained_events{partition="0",topic="canary"} 0.0',
        'ctr_lag_events{partition="11",topic="impressions"} 2.0',
        'ctr_loader_lag_messages{topic="ctr-windows"} 2.0',
        'ctr_loader_lag_messages{topic="ctr-ledger"} 7.0',
        'ctr_partition_clock_timestamp_seconds{partition="3",topic="clicks"} 1.7640000005e+09',
        'ctr_newest_event_timestamp_seconds{topic="clicks"} 1.764000001e+09',
        "ctr_newest_row_timestamp_seconds 1.764000002e+09",
        "ctr_active_products 3.0",
        "ctr_recent_impressions 20.0",
        "ctr_recent_clicks 5.0",
    ):
        assert f"{line}\n" in text, line
    assert sum(not line.startswith("#") for line in text.splitlines()) < 500
