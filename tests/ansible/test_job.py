"""What the role ctr_job makes of a deployment's end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
# Says what it was called with, ends as it is told to, and lets the file say what serves.
FAKE = """
import json, os, sys
from pathlib import Path
told = json.loads(Path(sys.argv[1]).read_text())
Path(sys.argv[1]).with_name("called.json").write_text(
    json.dumps([os.environ["PYTHONPATH"], *sys.argv[2:]]))
if told["serving"] is not None:
    version = told["serving"] and {"release": told["serving"], "settings": {}}
    Path(sys.argv[1]).with_name("job.json").write_text(json.dumps({"version": version}))
print(told["out"], end="")
print(told["err"], end="", file=sys.stderr)
sys.exit(told["status"])
"""


@dataclass(frozen=True, slots=True)
class End:
    """What the role did on a host."""

    failed: str
    changed: int
    link: str
    called: list[str]


def host(folder: Path, **told: object) -> dict[str, Any]:
    """A host on which the release `old` serves, `new` is there, and a fake does as it is told."""
    folder.mkdir(exist_ok=True)
    for name in ("old", "new"):
        (folder / name).mkdir(exist_ok=True)
    if not (folder / "current").is_symlink() and told.get("link") != "":
        (folder / "current").symlink_to(folder / "old")
    (folder / "fake.py").write_text(FAKE)
    (folder / "called.json").write_text("[]")
    (folder / "told.json").write_text(
        json.dumps({"status": 0, "out": "", "err": "", "serving": None} | told)
    )
    return {
        "artifacts_release": str(folder / "new"),
        "ctr_job_releases": str(folder),
        "ctr_job_file": str(folder / "job.json"),
        "ctr_job_command": [sys.executable, str(folder / "fake.py"), str(folder / "told.json")],
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
    }


def run(folder: Path, hosts: dict[str, dict[str, Any]], *options: str) -> dict[str, End]:
    """Run the role's deployment on all hosts at once, since starting Ansible is what takes time."""
    # The role's own variables win over an inventory's, but not over those that a task includes by.
    own = {
        name: f"{{{{ play_{name} }}}}"
        for name in next(iter(hosts.values()))
        if not name.startswith("ansible_")
    }
    role = {"name": "ctr_job", "rolespec_validate": False}
    tasks = [
        {"ansible.builtin.include_role": role | {"tasks_from": part}, "vars": own}
        for part in ("deploy", "tidy")
    ]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
    (folder / "play.json").write_text(json.dumps([play]))
    inventory = {
        name: {
            (key if key.startswith("ansible_") else f"play_{key}"): value
            for key, value in variables.items()
        }
        for name, variables in hosts.items()
    }
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": inventory}}))
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", folder / "inventory.json", folder / "play.json", *options],
        cwd=ROOT,
        env=os.environ | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(ended.stdout[ended.stdout.index("{") :])

    def end(name: str) -> End:
        results = [task["hosts"].get(name, {}) for task in answer["plays"][0]["tasks"]]
        link = folder / name / "current"
        return End(
            failed="\n".join(str(one["msg"]) for one in results if one.get("failed")),
            changed=answer["stats"][name]["changed"],
            link=link.readlink().name if link.is_symlink() else "",
            called=json.loads((folder / name / "called.json").read_text()),
        )

    return {name: end(name) for name in answer["stats"]}


def test_the_link_follows_what_serves_and_a_failure_is_told(tmp_path: Path) -> None:
    def at(name: str, **told: object) -> dict[str, Any]:
        return host(tmp_path / name, **told)

    new, old = str(tmp_path / "deployed" / "new"), str(tmp_path / "back" / "old")
    hosts = {
        "deployed": at("deployed", out="deployed: job a runs\n", serving=new),
        "back": at("back", status=3, err="WARNING\nnew fails, so old runs\n", serving=old),
        "before": at("before", status=1, err="no savepoint\n"),
        "mistake": at("mistake", status=2, err="no section kafka\n"),
        "down": at("down", status=4, err="none runs\n", serving=str(tmp_path / "down" / "old")),
        "unclear": at("unclear", status=5, err="not known\n"),
        "first": at("first", status=4, err="none runs\n", serving="", link=""),
        "nothing": at("nothing", status=4, err="none runs\n", link=""),
    }
    cut_off = tmp_path / "cut_off"
    hosts["cut_off"] = host(cut_off, out="unchanged: job b runs\n", serving=str(cut_off / "new"))
    hosts["broken"] = at("broken", status=1, err="job.json cannot be read\n")
    (tmp_path / "broken" / "job.json").write_text("{")
    went = tmp_path / "went"
    hosts["went"] = host(went, out="rolled back: job c runs\n", serving=str(went / "older"))
    for variables in hosts.values():
        variables["ctr_job_rollback"] = variables is hosts["went"]
    ends = run(tmp_path, hosts)
    assert {name: (end.failed, end.changed, end.link) for name, end in ends.items()} == {
        "deployed": ("", 2, "new"),
        "back": ("WARNING new fails, so old runs", 1, "old"),
        "before": ("no savepoint", 0, "old"),
        "mistake": ("no section kafka", 0, "old"),
        "down": ("none runs", 1, "old"),
        "unclear": ("not known", 1, "old"),
        "first": ("none runs", 1, ""),
        "nothing": ("none runs", 1, ""),
        "cut_off": ("", 1, "new"),
        "broken": ("job.json cannot be read", 0, "old"),
        "went": ("", 2, "older"),
    }
    assert ends["went"].called == [str(went / "new"), "--rollback"]
    assert ends["deployed"].called[0] == new
    assert "--setting=parallelism.default=2" in ends["deployed"].called


def test_nothing_changed_is_nothing_done_and_a_dry_run_deploys_nothing(tmp_path: Path) -> None:
    right, ahead = tmp_path / "right", tmp_path / "ahead"
    hosts = {
        "right": host(right, out="unchanged: job a runs\n", serving=str(right / "old")),
        "ahead": host(ahead, serving=str(ahead / "new")),
    }
    end = run(tmp_path, hosts, "--limit", "right")["right"]
    assert (end.failed, end.changed, end.link) == ("", 0, "old")
    end = run(tmp_path, hosts, "--check", "--limit", "ahead")["ahead"]
    assert (end.failed, end.changed, end.link, end.called) == ("", 1, "old", [])


def releases(folder: Path, number: int) -> list[Path]:
    """Releases on a host, each younger than those before it."""
    made: list[Path] = []
    for each in range(number):
        release = folder / f"{each:012x}"
        release.mkdir(parents=True)
        while made and release.stat().st_ctime <= made[-1].stat().st_ctime:
            os.utime(release)
        made.append(release)
    return made


def test_the_newest_releases_stay_and_those_that_serve_or_are_gone_back_to(tmp_path: Path) -> None:
    names = ("served", "failed", "unknown")
    made = {name: releases(tmp_path / name, 9) for name in names}
    hosts = {
        "served": host(tmp_path / "served", out="deployed: job a runs\n"),
        "failed": host(tmp_path / "failed", status=1, err="no savepoint\n"),
        "unknown": host(tmp_path / "unknown", out="unchanged: job a runs\n"),
    }
    for name in ("served", "failed"):
        known = {
            key: {"release": str(made[name][number]), "settings": {}}
            for key, number in (("version", 2), ("former", 0))
        }
        (tmp_path / name / "job.json").write_text(json.dumps(known))
        hosts[name]["artifacts_release"] = str(made[name][1])
    for variables in hosts.values():
        variables["ctr_job_releases_kept"] = 5
    run(tmp_path, hosts)
    left = {
        name: [number for number, release in enumerate(made[name]) if release.exists()]
        for name in names
    }
    assert left == {
        "served": [0, 1, 2, 4, 5, 6, 7, 8],
        "failed": list(range(9)),
        "unknown": list(range(9)),
    }
    assert (tmp_path / "served" / "old").exists()
