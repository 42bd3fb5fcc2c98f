"""Why the canary has a topic of its own, and that whatever tells of the business leaves it out."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flink_job.audit.going_on import UNREAD_MS, final_ledger, final_letters, final_windows
from flink_job.domain import (
    BUSINESS,
    CANARY,
    CANARY_PRODUCT,
    INPUT,
    Counts,
    DeadLetter,
    Entry,
    LedgerKey,
    Outcome,
    Record,
    WindowKey,
    fold,
)
from flink_job.domain.ledger import HOUR_MS
from tests.nasty import T, event

ROOT = Path(__file__).parents[2]
DELAYS = st.integers(0, 120_000)
SENT = st.lists(st.tuples(st.sampled_from(INPUT), st.integers(0, 1), DELAYS), max_size=30)


def records(sent: list[tuple[str, int, int]]) -> list[Record]:
    """Events of topics and partitions, one a second, each so many ms old when it is appended."""
    offsets: Counter[tuple[str, int]] = Counter()
    found = []
    for number, (topic, partition, delay) in enumerate(sent):
        product = f'"{CANARY_PRODUCT}00"' if topic == CANARY else '"p"'
        appended = T + number * 1_000
        value = event(product=product, time=str(appended - delay))
        found.append(Record(topic, partition, offsets[topic, partition], appended, value))
        offsets[topic, partition] += 1
    return found


@given(SENT)
def test_the_canary_changes_no_outcome_of_the_business(sent: list[tuple[str, int, int]]) -> None:
    beside = fold(records(sent))
    alone = fold(record for record in records(sent) if record.topic != CANARY)
    ours = {key: row for key, row in beside.ledger.items() if key.topic != CANARY}
    assert ours == alone.ledger
    windows = beside.windows.items()
    assert {
        key: row for key, row in windows if not key.product_id.startswith(CANARY_PRODUCT)
    } == alone.windows


def test_in_a_partition_of_the_business_it_would_make_events_late() -> None:
    delayed = [Record("clicks", 0, offset, T, event(time=str(T - 60_000))) for offset in (0, 2)]
    canary = Record("clicks", 0, 1, T, event(time=str(T)))
    assert {key.outcome for key in fold(delayed).ledger} == {Outcome.COUNTED}
    assert list(fold([delayed[0], canary, delayed[1]]).dead_letters) == [("clicks", 0, 2)]


def test_what_tells_of_the_business_leaves_the_canary_out() -> None:
    condition = f"product_id NOT LIKE '{CANARY_PRODUCT}%'"
    for place in (
        "ansible/rows.yml",
        "flink_job/audit/lately.sql",
        "flink_job/audit/newest.sql",
        "monitoring/exporter/recent.sql",
    ):
        assert condition in (ROOT / place).read_text(), f"{place} tells of the canary too"


def test_every_input_is_made_with_the_same_settings() -> None:
    made = (ROOT / "roles/kafka_topics/defaults/main.yml").read_text()
    same = re.findall(r'^  (\S+): "\{\{ kafka_topics_input \}\}"$', made, re.MULTILINE)
    assert tuple(same) == INPUT == (*BUSINESS, CANARY)


@given(SENT, st.integers(0, 30))
def test_an_audit_holds_while_the_canary_goes_on(
    sent: list[tuple[str, int, int]], read: int
) -> None:
    """Records of the canary that were not read are in the tables all the same."""
    everything = records([(t, p, 0 if t == CANARY else delay) for t, p, delay in sent])
    began = T + read * 1_000
    wanted = fold(r for r in everything if r.topic != CANARY or r.appended < began)
    found = fold(everything)
    assert final_windows(wanted.windows, began) == final_windows(found.windows, began)
    assert final_ledger(wanted.ledger, began) == final_ledger(found.ledger, began)
    assert wanted.dead_letters == final_letters(found.dead_letters, wanted.ledger)


def test_an_audit_leaves_out_of_the_canary_what_goes_on_and_nothing_else() -> None:
    hour = T - T % HOUR_MS
    old, new = (WindowKey(f"{CANARY_PRODUCT}00", start) for start in (T - 70_000, T - 60_000))
    ours = WindowKey("p", T)
    windows = dict.fromkeys((old, new, ours), Counts(1))
    assert final_windows(windows, T).keys() == {old, ours}
    past, now, business = (
        LedgerKey(topic, 0, Outcome.COUNTED, start)
        for topic, start in ((CANARY, hour - HOUR_MS), (CANARY, hour), ("clicks", hour))
    )
    ledger = dict.fromkeys((past, now, business), Entry(5, 0, 4))
    assert final_ledger(ledger, hour + UNREAD_MS).keys() == {past, business}
    letter = DeadLetter(Outcome.MALFORMED, b"{")
    places = ((CANARY, 0, 4), (CANARY, 0, 5), (CANARY, 1, 0), ("clicks", 0, 9))
    letters = dict.fromkeys(places, letter)
    assert final_letters(letters, ledger).keys() == {(CANARY, 0, 4), ("clicks", 0, 9)}
