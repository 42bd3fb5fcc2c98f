"""The laws of the specification, for any input."""

from __future__ import annotations

import copy
import json
import random
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from flink_job.domain import (
    Counts,
    Entry,
    LedgerKey,
    Outcome,
    Record,
    Tables,
    WindowKey,
    fold,
    merged,
    missing_offsets,
)
from tests.nasty import NASTY, T

NEAR = st.integers(T - 45_000, T + 75_000)
FAR = st.sampled_from([0, T - 8 * 86_400_000, T + 3_600_000, 2**63 - 1, "abc", None, str(T)])
EVENTS = st.fixed_dictionaries(
    {
        "userId": st.sampled_from(["u-1", "", None, 5]),
        "productId": st.sampled_from(["p-1", "p-2", "p-3", " "]),
        "eventType": st.sampled_from(["impression", "impression", "click", "view", "buy"]),
        "timestamp": st.one_of(NEAR, NEAR, NEAR, FAR),
    }
).map(lambda fields: json.dumps(fields).encode())
SHORT = [value for value, _ in NASTY.values() if value is None or len(value) < 1_000]
VALUES = st.one_of(EVENTS, EVENTS, EVENTS, st.sampled_from(SHORT), st.binary(max_size=40))
PARTITIONS = [("impressions", 0), ("impressions", 1), ("clicks", 0)]


@st.composite
def topics(draw: st.DrawFn) -> dict[tuple[str, int], list[Record]]:
    """What the partitions hold; append times drift and may step back a little."""
    held = {}
    for topic, partition in PARTITIONS:
        appended = T
        records = []
        first = draw(st.integers(0, 1_000))
        for offset, value in enumerate(draw(st.lists(VALUES, max_size=25)), start=first):
            appended += draw(st.integers(-500, 9_000))
            records.append(Record(topic, partition, offset, appended, value))
        held[topic, partition] = records
    return held


def interleaved(held: dict[tuple[str, int], list[Record]], seed: int) -> list[Record]:
    """All records in some order that keeps each partition's."""
    order = [partition for partition, records in held.items() for _ in records]
    random.Random(seed).shuffle(order)  # noqa: S311 - a seed is wanted
    rest = {partition: iter(records) for partition, records in held.items()}
    return [next(rest[partition]) for partition in order]


@given(topics(), st.integers())
def test_every_offset_has_exactly_one_outcome(
    held: dict[tuple[str, int], list[Record]], seed: int
) -> None:
    tables = fold(interleaved(held, seed))
    assert all(missing == 0 for missing in missing_offsets(tables.ledger).values())
    assert sum(entry.events for entry in tables.ledger.values()) == sum(map(len, held.values()))


@given(topics(), st.integers())
def test_what_is_counted_is_in_the_windows_of_its_hour_and_the_rest_is_dead_letters(
    held: dict[tuple[str, int], list[Record]], seed: int
) -> None:
    tables = fold(interleaved(held, seed))
    hours: dict[int, int] = {}
    for window, counts in tables.windows.items():
        hour = window.window_start - window.window_start % 3_600_000
        hours[hour] = hours.get(hour, 0) + counts.impressions + counts.clicks
    for key, entry in tables.ledger.items():
        if key.outcome is Outcome.COUNTED:
            hours[key.hour] -= entry.events
    assert set(hours.values()) <= {0}
    for outcome in set(Outcome) - {Outcome.COUNTED}:
        booked = sum(e.events for key, e in tables.ledger.items() if key.outcome is outcome)
        letters = [each for each in tables.dead_letters.values() if each.reason is outcome]
        assert booked == len(letters)


@given(topics(), st.integers(), st.integers())
def test_any_interleaving_of_partitions_gives_the_same_tables(
    held: dict[tuple[str, int], list[Record]], one: int, other: int
) -> None:
    assert fold(interleaved(held, one)) == fold(interleaved(held, other))


@given(topics(), st.integers(), st.integers(1, 5))
def test_partitions_may_be_folded_in_shares(
    held: dict[tuple[str, int], list[Record]], seed: int, shares: int
) -> None:
    parts = list(held.values())
    divided = [[record for part in parts[one::shares] for record in part] for one in range(shares)]
    assert merged(fold(share) for share in divided) == fold(interleaved(held, seed))


class Published:
    """The tables that readers see: written at least once, the highest count of a key stands."""

    def __init__(self) -> None:
        self.windows: dict[WindowKey, Counts] = {}
        self.ledger: dict[LedgerKey, Entry] = {}
        self.dead_letters: dict[tuple[str, int, int], tuple[Outcome, bytes | None]] = {}

    def write(self, state: Tables) -> None:
        for window, counts in state.windows.items():
            known = self.windows.get(window, Counts())
            if counts.impressions + counts.clicks >= known.impressions + known.clicks:
                self.windows[window] = counts
        for key, entry in state.ledger.items():
            if key not in self.ledger or entry.events >= self.ledger[key].events:
                self.ledger[key] = entry
        for place, letter in state.dead_letters.items():
            known_letter = self.dead_letters.setdefault(place, (letter.reason, letter.payload))
            assert known_letter == (letter.reason, letter.payload), "an outcome changed on replay"


@given(topics(), st.data())
def test_any_split_into_attempts_gives_the_same_tables(
    held: dict[tuple[str, int], list[Record]], data: st.DataObject
) -> None:
    """Crash anywhere, go on from any earlier checkpoint, write at any moment: nothing changes."""
    checkpoints: list[tuple[Tables, dict[tuple[str, int], int]]] = [
        (Tables(), dict.fromkeys(held, 0))
    ]
    seen = Published()
    attempts = data.draw(st.integers(0, 4), label="attempts that crash")
    for attempt in range(attempts + 1):
        state, read = copy.deepcopy(data.draw(st.sampled_from(checkpoints), label="from"))
        left = {partition: records[read[partition] :] for partition, records in held.items()}
        order = interleaved(left, data.draw(st.integers(), label="interleaving"))
        if attempt < attempts:
            order = order[: data.draw(st.integers(0, len(order)), label="records until the crash")]
        moments = data.draw(
            st.lists(st.sampled_from(["write", "checkpoint", ""]), min_size=1, max_size=4)
        )
        for number, record in enumerate(order):
            state.take(record)
            read[record.topic, record.partition] += 1
            if moments[number % len(moments)] == "write":
                seen.write(state)
            elif moments[number % len(moments)] == "checkpoint":
                checkpoints.append(copy.deepcopy((state, read)))
    seen.write(state)

    whole = fold(record for records in held.values() for record in records)
    assert seen.windows == whole.windows
    assert seen.ledger == whole.ledger
    assert seen.dead_letters == {
        place: (letter.reason, letter.payload) for place, letter in whole.dead_letters.items()
    }


@given(topics())
def test_counts_only_grow(held: dict[tuple[str, int], list[Record]]) -> None:
    tables = Tables()
    for _, records in groupby(interleaved(held, 0), key=lambda record: record.partition):
        before = copy.deepcopy(tables)
        for record in records:
            tables.take(record)
        assert all(
            counts.impressions <= tables.windows[window].impressions
            and counts.clicks <= tables.windows[window].clicks
            for window, counts in before.windows.items()
        )
        assert all(
            entry.events <= tables.ledger[key].events for key, entry in before.ledger.items()
        )
