"""Every alert fires, is silent and clears, and says what it has to say."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.debian import program

ROOT = Path(__file__).parents[2]
RULES = ROOT / "monitoring" / "rules"
CRITICAL = {
    "ClickHouseDown",
    "CtrCheckpointsFailing",
    "CtrJobDown",
    "CtrLatencyBudgetBurning",
    "CtrLedgerGap",
    "CtrNoFreshRows",
    "FlinkJobManagerDown",
    "HostDown",
    "KafkaUnderMinIsr",
    "ObjectStoreDown",
}
WARNING = {
    "AlertsNotTold",
    "CertificateExpiring",
    "ClickHousePartsHigh",
    "CtrBackpressureHigh",
    "CtrConsumerLagHigh",
    "CtrInvalidRateHigh",
    "CtrJobUnstable",
    "CtrLateRateHigh",
    "CtrLatencyBudgetBurning",
    "CtrLatencyHigh",
    "CtrLoaderLagHigh",
    "ExporterDown",
    "FlinkTaskManagerLost",
    "HostClockSkew",
    "HostDiskFilling",
    "KafkaBrokerDown",
    "TargetDown",
}
# It fires always, and it is its absence that is told, by others.
ALWAYS = {"Watchdog"}


def content_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(path)
    return content


@cache
def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in content_of(path)["groups"]
        for rule in group["rules"]
    ]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def moments() -> list[tuple[str, str, float, list[dict[str, Any]]]]:
    """Of every case: its name, the alert, the minute, and the alerts that fire then."""
    return [
        (case["name"], asked["alertname"], minutes(asked["eval_time"]), asked["exp_alerts"])
        for path in sorted((RULES / "tests").glob("*.yml"))
        for case in content_of(path)["tests"]
        for asked in case["alert_rule_test"]
    ]


def minutes(duration: str) -> float:
    each = {"d": 1440.0, "h": 60.0, "m": 1.0, "s": 1 / 60}
    return sum(int(number) * each[unit] for number, unit in re.findall(r"(\d+)([dhms])", duration))


def test_alerts_are_those_of_the_list_with_their_severity() -> None:
    found = {(rule["labels"]["severity"], rule["alert"]) for rule in alerts()}
    assert {name for severity, name in found if severity == "critical"} == CRITICAL
    assert {name for severity, name in found if severity == "warning"} == WARNING
    assert {name for severity, name in found if severity == "none"} == ALWAYS
    assert {severity for severity, _ in found} == {"critical", "warning", "none"}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_it_is_with_its_value_and_where_to_read_on(
    rule: dict[str, Any],
) -> None:
    notes = rule["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url"}
    assert notes["runbook_url"] == f"runbooks/{rule['alert']}/README.md"
    assert "$value" in notes["description"] or "query" in notes["description"]
    assert rule["for"]


@pytest.mark.parametrize("name", sorted(CRITICAL | WARNING))
def test_every_alert_has_a_case_that_fires_one_that_clears_and_one_that_is_silent(
    name: str,
) -> None:
    told: dict[str, list[tuple[float, bool]]] = {}
    for case, alert, minute, firing in moments():
        if alert == name:
            told.setdefault(case, []).append((minute, bool(firing)))
    assert any(fires for case in told.values() for _, fires in case), "no case in which it fires"
    assert any(not any(fires for _, fires in case) for case in told.values()), "none is silent"
    assert any(
        fires and any(later > minute and not still for later, still in case)
        for case in told.values()
        for minute, fires in case
    ), "no case in which it clears"


def test_every_severity_of_an_alert_is_seen_firing() -> None:
    seen = {
        (alert, one["exp_labels"]["severity"])
        for _, alert, _, firing in moments()
        for one in firing
    }
    assert seen == {(rule["alert"], rule["labels"]["severity"]) for rule in alerts()}


def test_what_is_rendered_has_no_gap() -> None:
    texts = [
        text
        for _, _, _, firing in moments()
        for one in firing
        for text in one["exp_annotations"].values()
    ]
    assert len(texts) > 3 * len(CRITICAL)
    wrong = [text for text in texts if re.search(r"\{\{|no value|  | (on|of|for) [,.;:]", text)]
    assert wrong == []


def test_every_limit_is_used_and_every_limit_that_is_used_is_there() -> None:
    there = {rule["record"] for rule in rules() if rule.get("record", "").startswith("limit:")}
    used = {
        name for rule in alerts() for name in re.findall(r"scalar\((limit:\w+)\)", rule["expr"])
    }
    assert used == there


@pytest.mark.parametrize(
    "path",
    ["roles/prometheus/defaults/main.yml", "inventories/example/group_vars/all/retention.yml"],
)
def test_samples_are_kept_for_longer_than_any_rule_asks_back(path: str) -> None:
    asked = {int(days) for rule in rules() for days in re.findall(r"\[(\d+)d\]", rule["expr"])}
    assert max(asked) == 30
    kept = str(content_of(ROOT / path)["prometheus_retention"])
    assert minutes(kept) > max(asked) * 1440


def test_an_alert_explains_only_alerts_that_exist() -> None:
    explained = content_of(ROOT / "roles/alertmanager/vars/main.yml")["alertmanager_explains"]
    named = {entry["source"] for entry in explained}
    named |= {name for entry in explained for name in entry["targets"]}
    assert named <= CRITICAL | WARNING
    # What is shown to fail with ClickHouse reaches people beside it.
    assert not any("CtrNoFreshRows" in entry["targets"] for entry in explained)


def judged(*words: str) -> None:
    command = [program("promtool", "prometheus"), *words]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert told.returncode == 0, told.stdout + told.stderr


def test_promtool_takes_the_rules_as_they_are() -> None:
    judged("check", "rules", *map(str, sorted(RULES.glob("*.yml"))))


@pytest.mark.parametrize(
    "path", sorted((RULES / "tests").glob("*.yml")), ids=lambda path: path.stem
)
def test_promtool_sees_every_case_come_true(path: Path) -> None:
    judged("test", "rules", str(path))


@pytest.fixture
def filtered(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Callable[..., Any]]:
    """Gives a filter of the role, without Ansible, which is not installed where these tests run."""
    errors = ModuleType("ansible.errors")
    errors.AnsibleFilterError = ValueError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ansible", ModuleType("ansible"))
    monkeypatch.setitem(sys.modules, "ansible.errors", errors)

    def load(name: str) -> Callable[..., Any]:
        path = ROOT / f"roles/prometheus/filter_plugins/{name}.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        found: Callable[..., Any] = loaded.FilterModule().filters()[name]
        return found

    return load


@pytest.fixture
def changed(filtered: Callable[[str], Callable[..., Any]]) -> Callable[..., dict[str, Any]]:
    return filtered("prometheus_rules")


@pytest.fixture
def seconds_of(filtered: Callable[[str], Callable[..., Any]]) -> Callable[..., float]:
    return filtered("prometheus_seconds")


def test_two_scrapes_lie_in_what_the_shortest_rule_looks_back_over() -> None:
    most = content_of(ROOT / "roles/prometheus/vars/main.yml")["prometheus_interval_most"]
    windows = [window for rule in rules() for window in re.findall(r"\[(\w+)\]", rule["expr"])]
    assert min(minutes(window) for window in windows) * 60 >= 2 * most


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15s", 15), ("500ms", 0.5), ("5m", 300), ("1m30s", 90), ("1h", 3_600), ("1d12h", 129_600)],
)
def test_a_duration_is_read_as_prometheus_reads_it(
    seconds_of: Callable[..., float], text: str, seconds: float
) -> None:
    assert seconds_of(text, "prometheus_scrape_interval") == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["15", 15, "", "0s", "1.5s", "30s1m", "15 s", "soon"])
def test_what_is_no_duration_is_refused_by_the_name_of_its_variable(
    seconds_of: Callable[..., float], text: object
) -> None:
    sentence = f"prometheus_scrape_interval is {text!r}: write a duration"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        seconds_of(text, "prometheus_scrape_interval")


def files() -> dict[str, Any]:
    return {path.name: content_of(path) for path in RULES.glob("*.yml")}


def by_alert(content: dict[str, Any], name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        rule
        for file in content.values()
        for group in file["groups"]
        for rule in group["rules"]
        if rule.get("alert") == name
    ]
    return found[0]


def test_without_a_wish_of_the_inventory_rules_stay_as_they_are(
    changed: Callable[..., dict[str, Any]],
) -> None:
    assert changed(files()) == files()


def test_a_time_by_alert_goes_before_the_time_of_all(
    changed: Callable[..., dict[str, Any]],
) -> None:
    given = files()
    told = changed(given, time="5s", times={"CtrNoFreshRows": "0s"})
    assert by_alert(told, "CtrNoFreshRows")["for"] == "0s"
    assert by_alert(told, "HostDown")["for"] == "5s"
    assert given == files()


def test_a_limit_and_the_address_of_runbooks_are_those_of_the_inventory(
    changed: Callable[..., dict[str, Any]],
) -> None:
    told = changed(files(), limits={"ctr_row_age_seconds": 10}, runbooks="https://example.com/ctr/")
    limits = told["limits.yml"]["groups"][0]["rules"]
    (row_age,) = [rule for rule in limits if rule["record"] == "limit:ctr_row_age_seconds"]
    assert row_age["expr"] == "vector(10)"
    assert (
        by_alert(told, "HostDown")["annotations"]["runbook_url"]
        == "https://example.com/ctr/runbooks/HostDown/README.md"
    )


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"times": {"HostGone": "5s"}}, "prometheus_rule_times names HostGone, which no rule has"),
        ({"limits": {"row_age": 5}}, "prometheus_rule_limits names row_age, which no rule has"),
        (
            {"limits": {"ctr_row_age_seconds": "soon"}},
            "prometheus_rule_limits.ctr_row_age_seconds is 'soon': write a number",
        ),
    ],
)
def test_what_no_rule_has_is_refused_by_name(
    changed: Callable[..., dict[str, Any]], wish: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        changed(files(), **wish)
