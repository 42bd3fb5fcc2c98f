"""The step that judges keeps the clocks of its partitions, through restarts and changes of size."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from flink_job.domain import LedgerKey, Outcome, Record
from flink_job.domain.fold import Tables
from flink_job.java import java_gateway
from flink_job.job import judge_of
from loadtest.messages import Traffic, messages
from tests.nasty import GOOD, T

# Ten windows in all, so that clocks move and events are late.
TRAFFIC = Traffic(rate=6.0, products=20, partitions=3, bad=0.02)
# py4j makes a Java long only of what is no int.
FAR = 2**40
RECORDS = list(messages(600, TRAFFIC, seed=5))


Java: TypeAlias = Any  # py4j has no types


@pytest.fixture(scope="module")
def judges(jar: Path) -> Java:
    """Their class; one for all, since py4j knows classes by their names."""
    return judge_of([jar]).getClass()


class Subtasks:
    """As many instances of the step as the job has subtasks, all with the state of those before."""

    def __init__(self, judges: Java, count: int, kept: Sequence[Any] = ()) -> None:
        """Start them.

        Args:
            judges: The class of the step.
            count: How many.
            kept: The clocks that the instances before them have written, of all of them.
        """
        self._judges = [judges.newInstance() for _ in range(count)]
        self._stores = []
        for number, judge in enumerate(self._judges):
            jvm = java_gateway().jvm
            state, core = jvm.org.apache.flink.runtime.state, jvm.org.apache.flink.api.common
            config, loader = core.ExecutionConfig(), judges.getClassLoader()
            store = state.DefaultOperatorStateBackendBuilder(
                loader,
                config,
                False,  # noqa: FBT003 - Java knows no names
                jvm.java.util.ArrayList(),
                jvm.org.apache.flink.core.fs.CloseableRegistry(),
            ).build()
            task = core.TaskInfoImpl("judge", 128, number, count, 0)
            nothing = jvm.java.util.HashMap()
            groups = jvm.org.apache.flink.metrics.groups.UnregisteredMetricsGroup
            metrics = groups.createOperatorMetricGroup()
            runtime = core.functions.util.RuntimeUDFContext
            judge.setRuntimeContext(runtime(task, loader, config, nothing, nothing, metrics))
            self._stores.append(store.getUnionListState(judge.clocks()))
            for clock in kept:
                self._stores[-1].add(clock)
            judge.initializeState(
                state.StateInitializationContextImpl(None, store, None, None, None)
            )

    def judged(self, subtask: int, record: Record) -> Java:
        """The row that comes of a record in one of them."""
        jvm = java_gateway().jvm
        data = jvm.org.apache.flink.table.data
        row = data.GenericRowData(5)
        topic = data.binary.BinaryStringData.fromString(record.topic)
        appended = data.TimestampData.fromEpochMillis(record.appended)
        fields = (record.value, topic, record.partition, FAR + record.offset, appended)
        for place, value in enumerate(fields):
            row.setField(place, value)
        return self._judges[subtask].map(row)

    def checkpoint(self) -> list[Any]:
        """The clocks that all of them write."""
        for judge in self._judges:
            judge.snapshotState(None)
        return [clock for store in self._stores for clock in store.get()]


def expected(records: Sequence[Record]) -> list[str]:
    tables = Tables()
    return [tables.take(record).value for record in records]


def test_the_traffic_has_each_outcome() -> None:
    assert set(expected(RECORDS)) == {outcome.value for outcome in Outcome}


def test_rows_are_as_the_specification_says(judges: Java) -> None:
    subtask = Subtasks(judges, 1)
    tables = Tables()
    booked: set[LedgerKey] = set()
    for record in RECORDS[:200]:
        outcome = tables.take(record)
        row = subtask.judged(0, record)
        assert row.getString(0).toString() == record.topic
        assert (row.getInt(1), row.getLong(2)) == (record.partition, FAR + record.offset)
        assert row.getString(3).toString() == outcome.value
        booked.add(LedgerKey(record.topic, record.partition, outcome, row.getLong(7)))
        counted = outcome is Outcome.COUNTED
        payload = None if row.isNullAt(8) else bytes(row.getBinary(8))
        assert payload == (None if counted else record.value)
    assert booked == set(tables.ledger)


@pytest.mark.parametrize("seed", range(3))
def test_outcomes_do_not_hang_on_restarts_nor_on_who_reads_what(judges: Java, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a test that can be repeated
    cuts = sorted({0, len(RECORDS), *draw.sample(range(len(RECORDS)), k=6)})
    kept: list[Any] = []
    outcomes = []
    for begin, end in pairwise(cuts):
        count = draw.randrange(1, 4)
        subtasks = Subtasks(judges, count, kept)
        readers: dict[tuple[str, int], int] = {}
        for record in RECORDS[begin:end]:
            partition = (record.topic, record.partition)
            reader = readers.setdefault(partition, draw.randrange(count))
            outcomes.append(subtasks.judged(reader, record).getString(3).toString())
        kept = subtasks.checkpoint()
    assert outcomes == expected(RECORDS)


def test_a_partition_that_is_silent_through_many_restarts_keeps_its_clock(judges: Java) -> None:
    minute = 60_000
    late_one = GOOD.replace(str(T).encode(), str(T - minute).encode())
    young, old = Record("clicks", 7, 0, T, GOOD), Record("clicks", 7, 1, T, late_one)
    first = Subtasks(judges, 3)
    first.judged(2, young)
    kept = first.checkpoint()
    for _ in range(3):
        kept = Subtasks(judges, 3, kept).checkpoint()
    assert len(kept) == 1
    assert Subtasks(judges, 2, kept).judged(1, old).getString(3).toString() == "late"


def test_the_same_offset_in_another_partition_has_a_clock_of_its_own(judges: Java) -> None:
    minute = 60_000
    late_one = GOOD.replace(str(T).encode(), str(T - minute).encode())
    subtask = Subtasks(judges, 1)
    subtask.judged(0, Record("clicks", 7, 0, T, GOOD))
    for topic, number, outcome in (
        ("clicks", 8, "counted"),
        ("impressions", 7, "counted"),
        ("clicks", 7, "late"),
    ):
        row = subtask.judged(0, Record(topic, number, 1, T, late_one))
        assert row.getString(3).toString() == outcome
