"""What ansible/backfill.yml refuses before it counts anything."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from flink_job.backfill.claim import Claim, held, take
from tests.unit.played import playing

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
RANGE = ("-e", "from=2026-11-27T09:00:00Z", "-e", "to=2026-11-27T11:00:00Z")
HERE = {
    "ansible_connection": "local",
    "ansible_become": False,
    "ansible_python_interpreter": sys.executable,
}


def said(folder: Path, *options: str) -> str:
    """What the playbook says on a host where nothing is installed."""
    groups: dict[str, object] = {
        name: {"hosts": {"one": {}}} for name in ("clickhouse", "kafka", "flink_jobmanager")
    }
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"vars": HERE, "children": groups}}))
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", inventory, "ansible/backfill.yml", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2, ended.stdout
    return " ".join((ended.stdout + ended.stderr).split())


@pytest.mark.parametrize("options", [(), RANGE[:2], RANGE[2:], ("-e", "apply=true")])
def test_a_range_must_be_given(tmp_path: Path, options: tuple[str, ...]) -> None:
    assert "Say which range to count anew" in said(tmp_path, *options)


@pytest.mark.parametrize("options", [(), ("-e", "apply=true"), ("--check",)])
def test_hosts_without_the_release_are_named_as_such(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    told = said(tmp_path, *RANGE, *options)
    assert "The release that serves cannot count anew: bring this one by site.yml first." in told
    assert "Make the topics" not in told


def release(folder: Path) -> dict[str, object]:
    """Variables for a release whose topics are asked for in `asked` of a folder."""
    code = folder / "flink_job" / "backfill"
    code.mkdir(parents=True)
    (code.parent / "__init__.py").touch()
    (code / "__init__.py").touch()
    plan: dict[str, object] = {
        "asked": 7,
        "first": 0,
        "last": 3_600_000,
        "start": 0,
        "end": None,
        "told": [],
    }
    (code / "extent.py").write_text(f"import json; print(json.dumps({plan}))")
    for name in ("claim.py", "plan.py", "cut.py", "span.py"):
        (code / name).symlink_to(ROOT / "flink_job" / "backfill" / name)
    (code.parent / "domain").symlink_to(ROOT / "flink_job" / "domain")
    tool = folder / "kafka-topics"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {folder}/asked\n')
    tool.chmod(0o755)
    return {
        "backfill_python": {"PYTHONPATH": str(folder)},
        "backfill_topics_tool": [str(tool)],
        "backfill_claim": str(folder / "claim.json"),
    }


def test_a_second_backfill_is_refused_before_it_touches_the_topics_of_the_first(
    tmp_path: Path,
) -> None:
    here = release(tmp_path)
    first = Claim(6, "ten to eleven", "ann on ctl1", 0, 4_000_000_000_000)
    take(tmp_path / "claim.json", first)
    with playing() as flink:
        flink.answers["GET /jobs/overview"] = {"jobs": []}
        here["endpoints_flink"] = flink.address
        told = said(tmp_path, *RANGE, "-e", "apply=true", "-e", json.dumps(here))
    assert "the backfill of ten to eleven by ann on ctl1, begun at 1970-01-01T00:00:00Z" in told
    assert not (tmp_path / "asked").exists()
    with held(tmp_path / "claim.json", first.asked):
        pass


def test_a_backfill_that_fails_lets_others_claim_the_tables(tmp_path: Path) -> None:
    here = release(tmp_path)
    with playing() as flink:
        flink.answers["GET /jobs/overview"] = {"jobs": []}
        here["endpoints_flink"] = flink.address
        said(tmp_path, *RANGE, "-e", json.dumps(here))
    assert "--delete" in (tmp_path / "asked").read_text()
    assert (tmp_path / "claim.lock").exists()
    assert not (tmp_path / "claim.json").exists()


def test_the_topics_of_a_recount_that_goes_on_are_left_alone(tmp_path: Path) -> None:
    """The other one would lose them, which waits for nothing but its end."""
    here = release(tmp_path)
    with playing() as flink:
        live = {"jid": "0a1b", "name": "ctr-backfill", "state": "RUNNING"}
        ended = {"jid": "0c1d", "name": "ctr-backfill", "state": "FINISHED"}
        flink.answers["GET /jobs/overview"] = {"jobs": [ended, live]}
        here["endpoints_flink"] = flink.address
        told = said(tmp_path, *RANGE, "-e", json.dumps(here))
    assert "Job 0a1b counts a range anew already: wait for its end" in told
    assert not (tmp_path / "asked").exists()


def tasks(some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All tasks and blocks, however deep."""
    return [
        one
        for task in some
        for one in (
            task,
            *(each for part in ("block", "rescue", "always") for each in tasks(task.get(part, []))),
        )
    ]


def test_loaders_that_a_backfill_has_stopped_start_again_where_it_is_run_again() -> None:
    """Behind a replacement that was cut off nothing differs any more, but they stand still."""
    plays = YAML(typ="safe").load(ROOT / "ansible" / "backfill.yml")
    (starts,) = [
        block
        for play in plays
        for block in tasks(play.get("tasks", []))
        if any("Start the loaders" in task["name"] for task in block.get("always", []))
    ]
    assert starts["when"] == "backfill_apply"
