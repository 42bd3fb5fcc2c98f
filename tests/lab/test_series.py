"""What it costs to watch: series, memory, and the answers that are asked for every few seconds."""

from __future__ import annotations

from tests.lab.fleet import Lab, eventually
from tests.lab.prometheus import number, series

SERIES, OF_EXPORTER = 20_000, 500
MEMORY_BYTES = 400 * 10**6
SCRAPE_S = 0.2
OF_A_START = ("task_attempt_id", "job_id", "tm_id", "exported_host")
OLD_S = 330


def test_prometheus_has_few_series_however_often_was_deployed(lab: Lab) -> None:
    assert number(lab, "prometheus_tsdb_head_series") < SERIES
    assert number(lab, 'process_resident_memory_bytes{job="prometheus"}') < MEMORY_BYTES


def test_a_start_of_a_task_makes_no_series_anew(lab: Lab) -> None:
    assert series(lab, 'flink_taskmanager_job_task_numRecordsIn{job_name="ctr"}')
    labelled = " or ".join(f'{{job="flink", {label}!=""}}' for label in OF_A_START)
    # What was read before Prometheus was told so is in its answers for five minutes.
    eventually(lambda: None if series(lab, labelled) else True, "no such label", OLD_S)


def test_the_exporter_answers_at_once_and_briefly(lab: Lab) -> None:
    assert number(lab, 'scrape_samples_scraped{job="exporter"}') < OF_EXPORTER
    usual = 'quantile_over_time(0.5, scrape_duration_seconds{job="exporter"}[5m])'
    assert number(lab, usual) < SCRAPE_S
