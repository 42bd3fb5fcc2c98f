"""The page of the peers says what was measured, and what was not."""

from __future__ import annotations

import json
from pathlib import Path

from loadtest.peers.contest import Drain
from loadtest.peers.entrant import Can, Entrant, Load, lines_of
from loadtest.peers.latency import Latency
from loadtest.peers.results import Difference
from loadtest.peers.table import Measured, Occasion, figures, page

CAN = Can("late", "early", "letters", "once", "recovery")
OCCASION = Occasion("Linux, 2 processors", "2026-01-01", 12.4, 0.1)
EQUAL = Difference()


def entrant(name: str, source: Path) -> Entrant:
    return Entrant(name, name.title(), ("true",), (source,), Load.LARGE, CAN, note=f"Of {name}.")


def measured(name: str, source: Path, cpu: float, p99: int | None = 500) -> Measured:
    small = Drain(100_000, 2.0, 5.0, 2**29, EQUAL)
    whole = Drain(1_100_000, 2.0 + cpu, 15.0, 2**30, EQUAL)
    return Measured(entrant(name, source), small, whole, Latency(200, p99, 100, 0))


def code(tmp_path: Path) -> Path:
    source = tmp_path / "code.py"
    source.write_text("# why\n\none = 1\n  // why\ntwo = 2\n", encoding="utf-8")
    return source


def test_neither_blank_lines_nor_comments_are_lines_of_code(tmp_path: Path) -> None:
    assert lines_of((code(tmp_path), code(tmp_path))) == 4


def test_the_start_of_a_program_is_not_in_its_cost_an_event(tmp_path: Path) -> None:
    one = measured("ours", code(tmp_path), cpu=4.0)
    assert one.cost == 4.0
    row = next(line for line in page([one], OCCASION).splitlines() if line.startswith("| Ours |"))
    expected = (
        "| Ours | 4.0 | 250,000 | 1.6 | 1,100,000 | 15 | 0.20 / 0.50 s | 1.00 GB | 2 | equal |"
    )
    assert row == expected


def test_who_is_cheaper_or_sooner_than_the_job_is_named(tmp_path: Path) -> None:
    source = code(tmp_path)
    text = page(
        [
            measured("ours", source, 4.0),
            measured("cheap", source, 3.0, None),
            measured("quick", source, 9.0, 400),
        ],
        OCCASION,
    )
    assert "- CPU: Cheap needs 3.0 us an event, the job 4.0." in text
    assert "- Latency: Quick has the lower p99." in text
    assert "Cheap has the lower" not in text
    assert "Quick needs" not in text


def test_a_run_where_the_job_loses_nothing_says_so(tmp_path: Path) -> None:
    source = code(tmp_path)
    text = page([measured("ours", source, 4.0), measured("dear", source, 9.0)], OCCASION)
    assert "Neither in CPU an event nor in latency" in text


def test_who_did_not_finish_has_the_reason_and_no_figure(tmp_path: Path) -> None:
    failed = Drain(100_000, 9.0, 60.0, 2**29, failed="did not finish within 60 s")
    one = Measured(entrant("slow", code(tmp_path)), failed, None, None)
    assert one.cost is None
    text = page([one], OCCASION)
    assert "| - | 0.50 GB | 2 | did not finish within 60 s |" in text
    assert "The job itself was not measured" in text


def test_results_that_differ_are_told_with_how_many(tmp_path: Path) -> None:
    small = Drain(100_000, 2.0, 5.0, 2**29, EQUAL)
    whole = Drain(1_100_000, 6.0, 15.0, 2**30, Difference(lacking=1_234))
    one = Measured(entrant("ours", code(tmp_path)), small, whole, Latency(200, None, 100, 3))
    text = page([one], OCCASION)
    assert "Ours, 1,100,000 messages: 1,234 events lacking in windows." in text
    assert "0.20 / - s, 3 of 100 not seen" in text
    assert "| differ |" in text


def test_the_figures_can_be_read_again(tmp_path: Path) -> None:
    told = figures([measured("ours", code(tmp_path), 4.0)], OCCASION)
    again = json.loads(json.dumps(told))
    assert again["entrants"][0]["us_an_event"] == 4.0
    assert again["entrants"][0]["whole"]["difference"]["lacking"] == 0
    assert again["occasion"]["minutes"] == 12.4
