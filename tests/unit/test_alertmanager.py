"""Whom Alertmanager tells: amtool takes what the role writes, and routes alerts as meant."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from ast import literal_eval
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment, StrictUndefined, select_autoescape
from ruamel.yaml import YAML

from tests.unit.debian import program

ROOT = Path(__file__).parents[2]
ROLE = ROOT / "roles" / "alertmanager"
NOBODY: dict[str, Any] = {}
SLACK: dict[str, Any] = {"alertmanager_slack_url": "https://example.com/slack"}
EVERYBODY: dict[str, Any] = {
    "alertmanager_pagerduty_key": "a key",
    "alertmanager_slack_url": "https://example.com/slack",
    "alertmanager_slack_channel": "#ctr",
    "alertmanager_webhooks": [
        {"url": "http://critical.example.com/"},
        {
            "url": "http://both.example.com/",
            "severities": ["critical", "warning"],
            "token": "a token",
        },
    ],
}
HEARTBEAT: dict[str, Any] = {
    "alertmanager_heartbeat_url": "https://heartbeat.example.com/ctr",
    "alertmanager_heartbeat_token": "a beat",
}
WARNINGS = {"url": "http://warning.example.com/", "severities": ["warning"]}
CRITICAL = {"url": "http://critical.example.com/", "severities": ["critical"]}
BY_DEFAULT = {"url": "http://critical.example.com/"}


def content_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(path)
    return content


def configuration(given: dict[str, Any]) -> str:
    """The role's configuration, as Ansible renders it."""
    return rendered((ROLE / "templates/alertmanager.yml.j2").read_text(), given)


def rendered(template: str, given: dict[str, Any]) -> str:
    """A template of the role, with its variables."""
    environment = Environment(
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=select_autoescape(default_for_string=False),
    )
    environment.filters["to_json"] = json.dumps
    environment.filters["hash"] = lambda text, name: hashlib.new(name, text.encode()).hexdigest()
    variables = {
        **content_of(ROLE / "defaults/main.yml"),
        **content_of(ROLE / "vars/main.yml"),
        "ansible_managed": "written here",
        **given,
    }
    return environment.from_string(template).render(variables)


def amtool(*words: str) -> str:
    command = [program("amtool", "prometheus-alertmanager"), *words]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert told.returncode == 0, told.stdout + told.stderr
    return told.stdout


@pytest.mark.parametrize(
    "given", [NOBODY, SLACK, EVERYBODY], ids=["nobody", "slack alone", "everybody"]
)
def test_amtool_takes_the_configuration_whoever_is_told(
    given: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(configuration(given))
    amtool("check-config", str(path))


def test_critical_goes_to_on_call_and_the_rest_to_the_team(tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(configuration(NOBODY))
    for severity, receiver in (("critical", "on-call"), ("warning", "team"), ("info", "team")):
        told = amtool("config", "routes", "test", f"--config.file={path}", f"severity={severity}")
        assert told.strip() == receiver


@pytest.mark.parametrize(
    ("url", "receiver"), [("", "nobody"), ("https://heartbeat.example.com/ctr", "heartbeat")]
)
def test_the_watchdog_reaches_a_heartbeat_or_nobody_and_never_people(
    url: str, receiver: str, tmp_path: Path
) -> None:
    path = tmp_path / "alertmanager.yml"
    path.write_text(configuration({**EVERYBODY, "alertmanager_heartbeat_url": url}))
    amtool("check-config", str(path))
    labels = ("alertname=Watchdog", "severity=none")
    told = amtool("config", "routes", "test", f"--config.file={path}", *labels)
    assert told.strip() == receiver
    content = content_of(path)
    (found,) = [one for one in content["receivers"] if one["name"] == receiver]
    assert [hook["url"] for hook in found.get("webhook_configs", [])] == ([url] if url else [])
    (route,) = [one for one in content["route"]["routes"] if one["receiver"] == receiver]
    # It goes with the interval of its group, unless its own is longer: then with every second one.
    assert (route["group_interval"], route["repeat_interval"]) == ("1m", "50s")


def test_each_receiver_tells_those_that_its_severity_is_for() -> None:
    told = YAML(typ="safe").load(configuration(EVERYBODY))["receivers"]
    on_call, team, nobody = told
    assert nobody == {"name": "nobody"}
    assert set(on_call) == {"name", "pagerduty_configs", "webhook_configs"}
    assert [hook["url"] for hook in on_call["webhook_configs"]] == [
        "http://critical.example.com/",
        "http://both.example.com/",
    ]
    assert set(team) == {"name", "slack_configs", "webhook_configs"}
    assert [hook["url"] for hook in team["webhook_configs"]] == ["http://both.example.com/"]


def seconds(duration: str) -> int:
    number, unit = int(duration[:-1]), duration[-1]
    return number * {"s": 1, "m": 60}[unit]


def test_the_heartbeat_gets_its_token_from_a_file_and_only_where_there_is_one(
    tmp_path: Path,
) -> None:
    told = configuration(HEARTBEAT)
    path = tmp_path / "alertmanager.yml"
    path.write_text(told)
    amtool("check-config", str(path))
    (hook,) = content_of(path)["receivers"][-1]["webhook_configs"]
    file = "/etc/prometheus/alertmanager-secrets/heartbeat"
    assert hook["http_config"] == {"authorization": {"credentials_file": file}}
    assert "a beat" not in told
    without = configuration({**HEARTBEAT, "alertmanager_heartbeat_token": ""})
    assert "credentials_file" not in without


def test_every_secret_file_that_is_named_is_written() -> None:
    given = {**EVERYBODY, **HEARTBEAT}
    named = set(re.findall(r"alertmanager-secrets/(\S+)", configuration(given)))
    secrets = content_of(ROLE / "vars/main.yml")["alertmanager_secrets"]
    written = literal_eval(rendered(secrets, given).strip())
    assert set(written) == named
    assert sorted(written.values()) == ["a beat", "a key", "a token", "https://example.com/slack"]


def test_what_lived_on_a_host_waits_for_the_alert_that_silences_it() -> None:
    prometheus = content_of(ROOT / "roles/prometheus/defaults/main.yml")
    usual = prometheus["prometheus_scrape_interval"]
    intervals = [seconds(job.get("interval", usual)) for job in prometheus["prometheus_jobs"]]
    held = {
        rule["alert"]: seconds(rule["for"])
        for name in ("hosts", "services")
        for group in content_of(ROOT / f"monitoring/rules/{name}.yml")["groups"]
        for rule in group["rules"]
        if "alert" in rule and not rule["for"].endswith("h")
    }
    host_down = held.pop("HostDown")
    # A host without power gives no answer: a scrape begins within an interval and waits for
    # another. HostDown is of all targets, and its rules may be the last to be evaluated; others
    # are of one target.
    last = 2 * max(intervals) + seconds(prometheus["prometheus_evaluation_interval"]) + host_down
    first = min(intervals) + min(held.values())
    waits = seconds(content_of(ROLE / "defaults/main.yml")["alertmanager_group_wait"])
    assert first + waits >= last


@pytest.mark.parametrize(
    ("beside", "told"),
    [
        ({}, {"on-call", "team"}),
        ({"alertmanager_webhooks": [WARNINGS]}, {"on-call", "team"}),
        ({"alertmanager_webhooks": [WARNINGS, CRITICAL]}, {"team"}),
        ({"alertmanager_webhooks": [BY_DEFAULT]}, {"team"}),
        ({"alertmanager_pagerduty_key": "a key"}, {"team"}),
    ],
    ids=["alone", "a webhook of warnings", "of both", "by default", "pagerduty"],
)
def test_slack_is_told_what_is_critical_where_nobody_else_is(
    beside: dict[str, Any], told: set[str]
) -> None:
    receivers = YAML(typ="safe").load(configuration({**SLACK, **beside}))["receivers"]
    assert {one["name"] for one in receivers if "slack_configs" in one} == told


def test_no_secret_stands_in_the_configuration() -> None:
    told = configuration(EVERYBODY)
    for secret in ("a key", "https://example.com/slack", "a token"):
        assert secret not in told
