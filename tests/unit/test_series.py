"""What Prometheus drops of what it scrapes is nothing that a rule or a dashboard asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.asked import BOARDS
from tests.unit.test_dashboards import expressions
from tests.unit.test_rules import rules

ROOT = Path(__file__).parents[2]
DEFAULTS: dict[str, Any] = YAML(typ="safe").load(ROOT / "roles/prometheus/defaults/main.yml")
UNITS = DEFAULTS["prometheus_units"]
RELABELLED = {
    job["name"]: json.loads(
        json.dumps(job["metric_relabel_configs"]).replace(
            "{{ prometheus_units }}", json.dumps(UNITS)[1:-1]
        )
    )
    for job in DEFAULTS["prometheus_jobs"]
    if "metric_relabel_configs" in job
}
SELECTED = re.compile(r"(?<![:\w])([a-z]\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)="([^"]*)"')

Labels = dict[str, str]


def asked() -> list[Labels]:
    """The series that rules and dashboards name, by the labels that they ask for."""
    notes = [note for rule in rules() for note in rule.get("annotations", {}).values()]
    text = "\n".join([*expressions(), *(rule["expr"] for rule in rules()), *notes])
    return [
        {"__name__": match[1], **dict(LABEL.findall(match[2] or ""))}
        for match in SELECTED.finditer(text)
    ]


def relabelled(labels: Labels, configs: list[dict[str, Any]]) -> Labels | None:
    """What Prometheus makes of a series by these configurations; None where it is dropped."""
    kept = dict(labels)
    for config in configs:
        value = ";".join(kept.get(label, "") for label in config.get("source_labels", ()))
        matches = re.fullmatch(config["regex"], value) is not None
        match config.get("action", "replace"):
            case "drop":
                if matches:
                    return None
            case "replace":
                if matches:
                    kept[config["target_label"]] = config["replacement"]
            case "labeldrop":
                kept = {
                    label: text
                    for label, text in kept.items()
                    if not re.fullmatch(config["regex"], label)
                }
            case other:
                pytest.fail(f"this test does not know the action {other}")
    return kept


def unit(name: str, state: str) -> Labels:
    return {"__name__": "node_systemd_unit_state", "name": name, "state": state}


@pytest.mark.parametrize("job", RELABELLED)
def test_what_rules_and_dashboards_ask_for_is_kept_with_the_labels_that_they_ask_for(
    job: str,
) -> None:
    series = asked()
    assert len({one["__name__"] for one in series}) > 80
    assert {"node_load1", "flink_jobmanager_job_uptime"} <= {one["__name__"] for one in series}
    changed = [one for one in series if relabelled(one, RELABELLED[job]) != one]
    assert changed == []


def test_a_label_that_is_dropped_is_named_nowhere() -> None:
    dropped = [
        config["regex"]
        for configs in RELABELLED.values()
        for config in configs
        if config.get("action") == "labeldrop"
    ]
    assert len(dropped) == 2
    told = json.dumps(BOARDS) + json.dumps(rules())
    assert re.findall(rf"\b(?:{'|'.join(dropped)})\b", told) == []


def test_what_makes_series_anew_at_each_start_of_a_task_is_dropped() -> None:
    names = ("host", "job_name", "task_name", "subtask_index", "operator_name", "quantile")
    lasting = {"__name__": "flink_taskmanager_job_task_numRecordsIn", **dict.fromkeys(names, "1")}
    of_attempt = ("task_attempt_id", "task_attempt_num", "job_id", "tm_id", "task_id")
    attempt = dict.fromkeys((*of_attempt, "operator_id", "exported_host"), "2")
    assert relabelled({**lasting, **attempt}, RELABELLED["flink"]) == lasting


def test_of_units_that_are_not_ours_only_a_failure_is_kept() -> None:
    configs = RELABELLED["node"]
    states = ("active", "activating", "deactivating", "failed", "inactive")
    for name, kept in (
        ("kafka.service", ["active", "failed"]),
        ("systemd-journald.service", ["failed"]),
        ("tmp.mount", ["failed"]),
    ):
        told = {state: relabelled(unit(name, state), configs) for state in states}
        assert [state for state in states if told[state] is not None] == kept
        assert all(told[state] == unit(name, state) for state in kept)


def test_every_unit_that_a_role_runs_is_one_of_ours() -> None:
    tasks = "\n".join(path.read_text() for path in (ROOT / "roles").glob("*/tasks/*.yml"))
    run = {
        name.replace("{{ locust_number }}", "1")
        for name in re.findall(r'\bunit_name: "?([^"\n]+)"?', tasks)
    }
    assert {"kafka", "prometheus", "ctr-retention.timer", "locust-worker-1"} <= run
    full = {name if "." in name else f"{name}.service" for name in run}
    assert [name for name in sorted(full) if not re.fullmatch(UNITS, name)] == []
