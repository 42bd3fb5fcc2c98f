"""What the canary has told Prometheus never becomes lower, however often it is started again."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from monitoring.exporter.canary.metrics import Metrics
from monitoring.exporter.canary.tally import BOUNDS, KAFKA, LATE, SECONDS, Tally, keep, kept

SOME = Tally(7, {KAFKA: 1, LATE: 2}, tuple(range(len(BOUNDS))), 12.5)


def told(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """What a scrape reads."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in metrics.collect()
        for sample in family.samples
    }


STEPS = st.lists(
    st.one_of(
        st.sampled_from(["sent", KAFKA, LATE, "scraped", "killed"]),
        st.floats(0, 60, allow_nan=False),
    ),
    max_size=60,
)


@given(STEPS)
def test_no_scrape_reads_less_than_one_before_it_whenever_the_process_was_killed(
    steps: list[str | float],
) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder, "told.json")
        metrics = Metrics(CollectorRegistry(), file)
        before = told(metrics)
        for step in (*steps, "killed", "scraped"):
            match step:
                case "sent":
                    metrics.sent()
                case "killed":
                    metrics = Metrics(CollectorRegistry(), file)
                case "scraped":
                    now = told(metrics)
                    assert now.keys() == before.keys()
                    assert all(now[name] >= before[name] for name in before)
                    before = now
                case float():
                    metrics.observed(step)
                case reason:
                    metrics.failed(str(reason))


def test_nothing_is_counted_twice_by_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    first = Metrics(CollectorRegistry(), file)
    first.sent()
    first.observed(0.42)
    first.failed(LATE)
    read = told(first)
    again = Metrics(CollectorRegistry(), file)
    assert told(again) == read
    again.observed(0.42)
    assert told(again)["ctr_canary_seconds_count",] == 2
    assert told(again)["ctr_canary_seconds_sum",] == pytest.approx(0.84)
    assert told(again)["ctr_canary_failed_total", LATE] == 1


def test_what_is_kept_is_what_is_read(tmp_path: Path) -> None:
    keep(tmp_path / "told.json", SOME)
    assert kept(tmp_path / "told.json") == SOME
    assert [path.name for path in tmp_path.iterdir()] == ["told.json"]


def test_the_page_is_the_one_of_the_librarys_own_histogram() -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    metrics = Metrics(ours)
    histogram = Histogram("ctr_canary_seconds", "h", buckets=SECONDS, registry=theirs)
    for seconds in (0.0, 0.1, 0.100001, 3, 29.9, 30, 30.1, 500):
        metrics.observed(seconds)
        histogram.observe(seconds)

    def samples(registry: CollectorRegistry) -> list[str]:
        lines = generate_latest(registry).decode().splitlines()
        return [
            line for line in lines if line.startswith("ctr_canary_seconds") and "_cr" not in line
        ]

    assert samples(ours) == samples(theirs)
    assert samples(ours)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'{"sent": 1}',
        b'{"sent": 1, "failed": {"kafka": 0, "late": 0}, "buckets": {"1.0": 4}, "sum": 2}',
        b'{"sent": "many", "failed": {}, "buckets": {}, "sum": 2}',
        b"\xff",
    ],
)
def test_a_file_that_says_something_else_is_told_of_and_counting_begins_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "told.json"
    file.write_bytes(content)
    assert kept(file) == Tally()
    (line,) = caplog.messages
    assert line.startswith(f"{file} cannot be read, so counting begins anew: ")


def test_the_first_start_has_nothing_to_tell_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert kept(tmp_path / "told.json") == Tally()
    assert caplog.messages == []


def test_what_cannot_be_kept_is_told_all_the_same_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    file = tmp_path / "none" / "told.json"
    metrics = Metrics(CollectorRegistry(), file)
    for number in range(1, 4):
        metrics.sent()
        assert told(metrics)["ctr_canary_sent_total",] == number
    assert caplog.messages == [f"{file} cannot be written: No such file or directory"]
    file.parent.mkdir()
    told(metrics)
    assert kept(file).sent == 3


def test_a_scrape_without_news_writes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    metrics = Metrics(CollectorRegistry(), file)
    told(metrics)
    file.unlink()
    told(metrics)
    assert not file.exists()
    metrics.sent()
    told(metrics)
    assert kept(file) == metrics.tally
