"""The role prometheus refuses intervals by which rules could not be judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


def refused(folder: Path, **variables: object) -> str:
    """What the role's preflight says to these variables; empty where it passes."""
    role = {"name": "prometheus", "tasks_from": "preflight", "rolespec_validate": False}
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": variables | {"ansible_python_interpreter": sys.executable},
        "tasks": [{"ansible.builtin.include_role": role}],
    }
    playbook = folder / "play.yml"
    playbook.write_text(json.dumps([play]))
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", "localhost,", playbook],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stdout + ended.stderr if ended.returncode else ""


def job(name: str, interval: str) -> dict[str, object]:
    return {"name": name, "groups": ["all"], "port": 9999, "interval": interval}


def test_the_intervals_that_the_role_has_by_itself_pass(tmp_path: Path) -> None:
    assert refused(tmp_path) == ""


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"prometheus_scrape_interval": "30s"}, "prometheus_scrape_interval is 30s: some rules"),
        (
            {"prometheus_jobs": [job("exporter", "1m")]},
            "The interval of the job exporter in prometheus_jobs is 1m: some rules",
        ),
        ({"prometheus_scrape_interval": "15"}, "prometheus_scrape_interval is '15': write a"),
    ],
)
def test_an_interval_by_which_rules_cannot_be_judged_is_refused(
    tmp_path: Path, variables: dict[str, object], sentence: str
) -> None:
    assert sentence in refused(tmp_path, **variables)


def test_a_job_of_which_no_rule_asks_a_rate_may_be_asked_less_often(tmp_path: Path) -> None:
    jobs = [job("node", "1m"), job("canary", "15s")]
    assert refused(tmp_path, prometheus_jobs=jobs, prometheus_scrape_interval="15s") == ""
