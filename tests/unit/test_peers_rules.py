"""What the peers in Python judge by is the contract, message by message."""

from __future__ import annotations

import json

import pytest

from flink_job.domain import Outcome, Record, judge
from loadtest.messages import Traffic, messages
from loadtest.peers.rules import Fact, is_late, said, start_of
from tests.nasty import NASTY, T


def by_contract(value: bytes | None, appended: int) -> Fact | Outcome:
    verdict = judge(Record("impressions", 0, 0, appended, value), None)
    if verdict.event is None or verdict.outcome not in {Outcome.COUNTED, Outcome.LATE}:
        return verdict.outcome
    event = verdict.event
    return Fact(event.product_id, event.is_click, event.timestamp)


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_message_says_what_the_contract_reads_in_it(name: str) -> None:
    value, _ = NASTY[name]
    assert said(value, T) == by_contract(value, T)


def test_realistic_messages_say_what_the_contract_reads_in_them() -> None:
    outcomes = set()
    for record in messages(5_000, Traffic(bad=0.02), seed=7):
        found = said(record.value, record.appended)
        assert found == by_contract(record.value, record.appended)
        outcomes.add(found if isinstance(found, Outcome) else None)
    assert len(outcomes) == len(Outcome) - 1  # late is not asked here, and counted is None


@pytest.mark.parametrize("distance", [60_000, 60_001, -604_800_000, -604_800_001, -(T + 1)])
def test_the_edges_of_past_and_future_are_the_contracts(distance: int) -> None:
    fields = {"userId": "u", "productId": "p", "eventType": "click", "timestamp": T + distance}
    value = json.dumps(fields).encode()
    assert said(value, T) == by_contract(value, T)


@pytest.mark.parametrize("behind", [19_999, 20_000, 20_001])
@pytest.mark.parametrize("waited", [19_999, 20_000, 20_001])
def test_late_is_what_the_contract_calls_late(behind: int, waited: int) -> None:
    start = start_of(T)
    fields = {"userId": "u", "productId": "p", "eventType": "click", "timestamp": start}
    record = Record("clicks", 0, 1, start + waited, json.dumps(fields).encode())
    verdict = judge(record, start + behind)
    assert verdict.clock is not None
    late = is_late(start, verdict.clock, record.appended)
    assert late == (verdict.outcome is Outcome.LATE)
