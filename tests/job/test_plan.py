"""One pass: the plan reads the topics once, judges once and keeps one clock."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pyflink.table import ExplainDetail

from flink_job.age import WINDOWS_TTL
from flink_job.backfill.recount import SETTINGS as SETTINGS_OF_A_RECOUNT
from flink_job.job import SETTINGS, SQL, Ends, assemble, options, statement


@pytest.fixture(scope="module")
def plan(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("plan"))
    explained = str(assemble(Ends.FILES, {"folder": folder}, [jar], {}).explain())
    return explained.split("== Optimized Execution Plan ==")[1]


@pytest.mark.parametrize(
    ("operator", "times"),
    # The exchanges stand behind the local counts: no message is sent anywhere to be counted.
    [("TableSourceScan(", 1), ("Reused(reference_id=[1])", 3), ("Sink(", 3), ("Exchange(", 2)],
)
def test_the_plan_has_each_operator_as_often_as_it_should(
    plan: str, operator: str, times: int
) -> None:
    assert plan.count(operator) == times, plan


def test_messages_are_counted_before_any_exchange(plan: str) -> None:
    behind = re.findall(r"Exchange\(.*\n\s*\+- (\w+)\(", plan)
    assert behind == ["LocalGroupAggregate", "LocalGroupAggregate"], plan


def test_messages_are_judged_in_the_step_that_reads_them(jar: Path, tmp_path: Path) -> None:
    values = {"folder": str(tmp_path)}
    statements = assemble(Ends.FILES, values, [jar], {})
    explained = str(statements.explain(ExplainDetail.JSON_EXECUTION_PLAN))
    graph = json.loads(explained.split("== Physical Execution Plan ==")[1])
    steps = {step["id"]: step for step in graph["nodes"]}
    (judge,) = (step for step in steps.values() if step["type"] == "judge")
    before = judge
    while "predecessors" in before:
        (how,) = before["predecessors"]
        assert how["ship_strategy"] == "FORWARD", graph
        assert steps[how["id"]]["parallelism"] == judge["parallelism"]
        before = steps[how["id"]]
    assert before["type"].startswith("Source"), graph


def test_windows_and_ledger_are_counted_in_two_phases(plan: str) -> None:
    assert len(re.findall(r"\bLocalGroupAggregate\(", plan)) == 2
    assert len(re.findall(r"\bGlobalGroupAggregate\(", plan)) == 2


def test_windows_and_ledger_forget_and_clocks_never_do(jar: Path, tmp_path: Path) -> None:
    physical = str(assemble(Ends.FILES, {"folder": str(tmp_path)}, [jar], {}).explain())
    hints = re.findall(
        r"GlobalGroupAggregate\(.*stateTtlHints=\[\[\[STATE_TTL options:\[([\w ]+)\]", physical
    )
    assert hints == [WINDOWS_TTL, "10d"]
    assert SETTINGS["table.exec.state.ttl"] == "0"


def test_a_recount_is_the_same_plan_without_dead_letters(
    plan: str, jar: Path, tmp_path: Path
) -> None:
    values = {"folder": str(tmp_path)}
    job = assemble(Ends.FILES, values, [jar], SETTINGS_OF_A_RECOUNT, ("windows", "ledger"))
    recount = str(job.explain()).split("== Optimized Execution Plan ==")[1]
    for operator, times in (("TableSourceScan(", 1), ("Exchange(", 2), ("Sink(", 2)):
        assert recount.count(operator) == times, recount
    both = [
        [line for line in text.splitlines() if "GroupAggregate(" in line]
        for text in (plan, recount)
    ]
    assert both[0] == both[1]


def test_both_kinds_of_ends_have_the_same_files() -> None:
    kafka, files = ({path.name for path in (SQL / ends).iterdir()} for ends in Ends)
    assert kafka == files


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        statement("kafka/incoming.sql")


def test_a_quote_in_a_property_stays_inside_its_literal() -> None:
    assert options({"sasl.jaas.config": "it's"}) == "'properties.sasl.jaas.config' = 'it''s'"
