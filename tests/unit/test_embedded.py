"""What the embedded job has written, read back."""

from __future__ import annotations

import json
from pathlib import Path

from flink_job.domain import Counts, Entry, LedgerKey, Outcome, WindowKey
from flink_job.embedded import read_results
from tests.nasty import T


def write(part: Path, *rows: dict[str, object]) -> None:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_text("".join(json.dumps(row) + "\n" for row in rows))


def window(impressions: int) -> dict[str, object]:
    after = {"product_id": "p", "window_start": T, "impressions": impressions, "clicks": 0}
    return {"op": "c", "after": after}


def entry(events: int) -> dict[str, object]:
    place = {"topic": "clicks", "partition": 0, "outcome": "late", "hour": T}
    after = {**place, "events": events, "first_offset": 0, "last_offset": events - 1}
    return {"op": "c", "after": after}


def letter(offset: int) -> dict[str, object]:
    place = {"topic": "clicks", "partition": 0, "offset": offset}
    return {**place, "reason": "late", "payload": None}


def test_the_highest_count_of_a_key_stands_wherever_it_was_written(tmp_path: Path) -> None:
    write(tmp_path / "windows" / "part-0a-1b-0-0", window(1), window(9))
    write(tmp_path / "windows" / "part-0a-1b-0-1", window(2), {**window(9), "op": "d"})
    write(tmp_path / "ledger" / "part-0a-1b-0-0", entry(7), entry(3))
    results = read_results(tmp_path, {})
    assert results.windows == {WindowKey("p", T): Counts(9, 0)}
    assert results.ledger == {LedgerKey("clicks", 0, Outcome.LATE, T): Entry(7, 0, 6)}


def test_the_tenth_file_is_read_behind_the_second(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write(tmp_path / "dead_letters" / f"part-0a-1b-0-{number}", letter(number))
    results = read_results(tmp_path, {})
    assert [offset for (_, _, offset), _ in results.dead_letters()] == [1, 2, 10]
