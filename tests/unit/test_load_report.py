from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.fields import FIELDS, STEPS, wanted
from loadtest.figures import Figures
from loadtest.lead import PAGE, Lead
from loadtest.page import list_page, report_page
from loadtest.report import doubt, name_of, truth_line
from loadtest.run import End, Run
from loadtest.shelf import CONTENT, KEPT, Shelf

T = 1_764_000_000.25
ASKED: dict[str, Any] = {
    "rate": 100,
    "duration": 20,
    "shape": "constant",
    "steps": STEPS,
    "peak": 1_000,
    "period": 10,
    "bad": 0.1,
    "disorder": 0.1,
    "late": 0.1,
    "products": 10,
    "skew": 1.0,
    "client": "confluent",
}


def figures() -> Figures:
    """Of a second: nine impressions that were made, eight of them acknowledged, one failed."""
    counted = Figures()
    counted.made.update({("impressions", "good"): 5, ("impressions", "disordered"): 2})
    counted.made.update({("impressions", "late"): 1, ("clicks", "malformed"): 1})
    counted.arrived("impressions", 7, 0.120, T + 1)
    counted.arrived("clicks", 1, 1.234, T + 2)
    counted.failed["impressions"] += 1
    return counted


def lead() -> Lead:
    return Lead(
        name=name_of(T),
        wanted=wanted(ASKED),
        fields=ASKED,
        run=Run(2_000, 20),
        began=T,
        expected=2,
    )


def heard(counted: Figures, *, last: bool) -> dict[str, Any]:
    """As a message of a worker is behind its way to the master."""
    told: dict[str, Any] = json.loads(json.dumps({"figures": counted.told(), "last": last}))
    return told


def report(tmp_path: Path, led: Lead | None = None) -> dict[str, Any]:
    led = led or lead()
    for worker in ("a", "b"):
        led.heard(worker, heard(figures(), last=True))
    led.finish(End.DUE)
    folder = led.write(Shelf(tmp_path), {}, T + 21)
    written: dict[str, Any] = json.loads((folder / CONTENT).read_text())
    return written


def test_what_workers_tell_adds_up_however_often_they_tell_it(tmp_path: Path) -> None:
    written = report(tmp_path)
    assert written["made"] == {
        "impressions": {"disordered": 4, "good": 10, "late": 2},
        "clicks": {"malformed": 2},
    }
    assert written["outcomes"] == {
        "impressions": {"late": 2, "counted": 14},
        "clicks": {"malformed": 2},
    }
    assert written["acknowledged"] == {"impressions": 14, "clicks": 2}
    assert written["failed"] == {"impressions": 2, "clicks": 0}
    assert written["unknown"] == 0
    assert written["fields"] == ASKED
    assert written["fields"].keys() == FIELDS.keys()


def test_latency_is_told_by_percentiles_of_events(tmp_path: Path) -> None:
    took = report(tmp_path)["produce_to_ack_ms"]
    assert took == {"p50": 120, "p95": 1_230, "p99": 1_230, "max": 1_230}


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50), st.floats(0.01, 1))
def test_a_percentile_is_a_time_within_which_that_share_arrived(
    took: list[float], share: float
) -> None:
    counted = Figures()
    for seconds in took:
        counted.arrived("clicks", 1, seconds, T)
    within = counted.took_within_ms(share)
    assert within is not None
    kept = [ms if (ms := round(s * 1_000)) < 1_000 else ms // 10 * 10 for s in took]
    assert sum(ms <= within for ms in kept) >= share * len(took)
    assert within in kept


def test_the_series_has_what_was_due_beside_what_came(tmp_path: Path) -> None:
    series = report(tmp_path)["series"]
    assert series == {
        "every_s": 1,
        "due": [100, 100, 100],
        "acknowledged": [0, 14, 2],
    }


def test_a_long_run_has_a_bounded_series_of_means(tmp_path: Path) -> None:
    led = lead()
    led.wanted = wanted({**ASKED, "duration": 6_000})
    counted = Figures()
    for second in range(6_000):
        counted.arrived("clicks", 100, 0.1, T + second)
    led.heard("a", heard(counted, last=True))
    series = report(tmp_path, led)["series"]
    assert series["every_s"] == 10
    assert len(series["due"]) == len(series["acknowledged"]) == 600
    assert set(series["due"]) == {100}
    assert set(series["acknowledged"][1:]) == {100}


def test_the_rate_that_was_held_is_that_of_ten_whole_seconds() -> None:
    counted = Figures()
    for second in range(30):
        counted.arrived("clicks", 100 * min(second, 15), 0.1, T + second)
    assert counted.held() == 1_500
    short = Figures()
    short.arrived("clicks", 1_000_000, 0.1, T)
    assert short.held() is None
    assert Figures().held() is None


def test_a_run_is_whole_when_all_workers_have_told_their_last() -> None:
    led = lead()
    led.heard("a", heard(figures(), last=True))
    assert not led.whole
    led.heard("b", heard(figures(), last=False))
    assert not led.whole
    led.heard("b", heard(Figures(), last=True))
    assert led.whole


def test_a_report_that_is_not_whole_says_so(tmp_path: Path) -> None:
    whole = report(tmp_path) | {"failed": {"clicks": 0}}
    assert doubt(whole) is None
    assert "1 of 2 workers" in (doubt({**whole, "workers": {"began": 2, "ended": 1}}) or "")
    assert "3 events failed" in (doubt({**whole, "failed": {"clicks": 3}}) or "")
    assert "of 7 nobody knows" in (doubt({**whole, "unknown": 7}) or "")


def test_the_truth_is_one_line(tmp_path: Path) -> None:
    assert truth_line(report(tmp_path)) == (
        "made: impressions 16 (2 late, 14 counted), clicks 2 (2 malformed)"
    )


def test_a_change_is_part_of_the_report_with_only_what_it_changed(tmp_path: Path) -> None:
    led = lead()
    led.change(wanted({**ASKED, "rate": 300}), {**ASKED, "rate": 300}, 1.0)
    written = report(tmp_path, led)
    assert written["changes"] == [{"after_s": 1.0, "fields": {"rate": 300}}]
    assert written["series"]["due"] == [100, 300, 300]
    assert "after 1.0 s" in report_page(written)


def test_nobody_is_told_of_a_report_before_it_is_written(tmp_path: Path) -> None:
    led = lead()
    led.finish(End.DUE)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OSError, match="file"):
        led.write(Shelf(tmp_path / "file"), {}, T)
    assert led.run.report is None


def test_a_page_of_a_report_needs_nothing_but_itself(tmp_path: Path) -> None:
    report(tmp_path, lead())
    page = (tmp_path / name_of(T) / PAGE).read_text()
    assert "16 of 2,000" in page
    assert "http" not in page
    assert "prefers-color-scheme: dark" in page
    assert "<script" not in page


def test_what_people_gave_does_not_become_part_of_the_page(tmp_path: Path) -> None:
    written = report(tmp_path)
    written["fields"]["steps"] = "<script>"
    assert "<script>" not in report_page(written)


@pytest.mark.parametrize("end", End)
def test_every_end_has_its_words(tmp_path: Path, end: End) -> None:
    assert report_page({**report(tmp_path), "end": end})


def test_the_newest_reports_are_kept_and_the_others_removed(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "reports")
    assert shelf.names() == []
    assert "No run has ended yet" in list_page(shelf.contents())
    content = json.dumps(report(tmp_path / "one"))
    names = [name_of(T + second) for second in range(KEPT + 3)]
    for name in names:
        shelf.keep(name, {CONTENT: content})
    assert shelf.names() == names[:2:-1]
    assert len(list(shelf.folder.iterdir())) == KEPT
    assert len(shelf.contents()) == KEPT
    assert name_of(T) in list_page(shelf.contents())


def test_half_a_report_is_none(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    with pytest.raises(TypeError):
        shelf.keep("2026", {CONTENT: "{}", "page": 5})  # type: ignore[dict-item]
    assert shelf.names() == []


def test_names_of_reports_are_in_the_order_of_time() -> None:
    moments = [T + step / 3 for step in range(50)]
    assert [name_of(moment) for moment in moments] == sorted(name_of(moment) for moment in moments)


def test_what_was_told_is_not_told_again() -> None:
    counted = figures()
    counted.clear()
    assert counted == Figures()
    assert replace(figures(), made=counted.made).underway == -9
