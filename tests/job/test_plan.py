"""One pass: the plan reads the topics once, judges once and keeps one clock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flink_job.age import WINDOWS_TTL
from flink_job.backfill.recount import SETTINGS as SETTINGS_OF_A_RECOUNT
from flink_job.domain import Record
from flink_job.embedded import execute, write_incoming
from flink_job.java import java_gateway
from flink_job.job import SETTINGS, SQL, Ends, assemble, options, statement
from flink_job.verdict.build import SOURCE, verdict_jar
from tests.nasty import GOOD, T


@pytest.fixture(scope="module")
def plan(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = str(tmp_path_factory.mktemp("plan"))
    explained = str(assemble(Ends.FILES, {"folder": folder}, [jar], {}).explain())
    return explained.split("== Optimized Execution Plan ==")[1]


@pytest.mark.parametrize(
    ("operator", "times"),
    [("TableSourceScan(", 1), ("OverAggregate(", 1), ("Sink(", 3), ("Reused(reference_id=[1])", 3)],
)
def test_the_plan_has_each_operator_as_often_as_it_should(
    plan: str, operator: str, times: int
) -> None:
    assert plan.count(operator) == times, plan


def test_the_verdict_is_asked_in_one_operator(plan: str) -> None:
    judging = [line for line in plan.splitlines() if "verdict(" in line]
    assert len(judging) == 1, plan


def test_a_message_is_parsed_once_however_many_fields_are_read(tmp_path: Path) -> None:
    # A verdict that counts itself; the planner asks for it once for each field that it reads.
    counting = (
        "    synchronized (System.class) {\n"
        '      System.setProperty("verdicts", '
        'String.valueOf(Integer.getInteger("verdicts", 0).intValue() + 1));\n'
        "    }\n"
    )
    head = "  private RowData judge(byte[] value, long appended) {\n"
    page = tmp_path / "Verdict.java"
    page.write_text(SOURCE.read_text().replace(head, head + counting))
    records = [Record("clicks", 0, offset, T, GOOD) for offset in range(50)]
    write_incoming(records, tmp_path)

    system = java_gateway().jvm.System
    system.clearProperty("verdicts")
    execute(tmp_path, verdict_jar(tmp_path, page))
    assert system.getProperty("verdicts") == str(len(records))


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
    for operator, times in (("TableSourceScan(", 1), ("OverAggregate(", 1), ("Sink(", 2)):
        assert recount.count(operator) == times, recount
    both = [
        [line for line in text.splitlines() if "GroupAggregate(" in line or "OverAgg" in line]
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
