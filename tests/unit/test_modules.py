"""The modules that roles bring along, as far as they are functions of what they are given."""

from __future__ import annotations

import importlib.util
import re
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

ROLES = Path(__file__).parents[2] / "roles"


def module(role: str, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of a role, without Ansible, which is not installed where these tests run."""
    basic = ModuleType("ansible.module_utils.basic")
    basic.AnsibleModule = object  # type: ignore[attr-defined]
    for name_of, stand_in in (
        ("ansible", ModuleType("ansible")),
        ("ansible.module_utils", ModuleType("ansible.module_utils")),
        ("ansible.module_utils.basic", basic),
    ):
        monkeypatch.setitem(sys.modules, name_of, stand_in)
    path = ROLES / role / "library" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def package(folder: Path) -> Path:
    (folder / "ours" / "__pycache__").mkdir(parents=True)
    (folder / "ours" / "code.py").write_text("X = 1\n")
    (folder / "ours" / "__pycache__" / "code.pyc").write_text("")
    return folder / "ours"


def test_the_last_file_of_an_archive_says_that_all_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = module("artifacts", "artifact", monkeypatch)
    archive = tmp_path / "cache" / "ours.tar"
    options = {"sources": [str(package(tmp_path))], "pom": None, "requirements": None}
    artifact.make({**options, "places": None}, archive)
    with tarfile.open(archive) as packed:
        assert packed.getnames() == ["ours", "ours/code.py", ".complete"]


def test_a_package_inside_another_goes_along_without_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = module("artifacts", "artifact", monkeypatch)
    inner = tmp_path / "outer" / "middle" / "inner"
    inner.mkdir(parents=True)
    for folder in (inner, inner.parent, inner.parent.parent):
        (folder / "__init__.py").write_text("")
    (inner / "code.py").write_text("X = 1\n")
    (inner.parent / "other.py").write_text("Y = 1\n")
    options = {"sources": [str(inner)], "pom": None, "requirements": None, "places": None}
    artifact.make(options, tmp_path / "ours.tar")
    around = ["outer/__init__.py", "outer/middle/__init__.py"]
    with tarfile.open(tmp_path / "ours.tar") as packed:
        files = [one.name for one in packed if one.isfile()]
    own = [f"outer/middle/inner/{name}" for name in ("__init__.py", "code.py")]
    assert files == [*around, *own, ".complete"]
    assert [name for name, _ in artifact.files_below(inner)] == [*around, *own]


def test_a_service_that_is_brought_along_imports_nothing_that_is_not() -> None:
    brought = {"ctr_exporter": "monitoring/exporter", "ctr_page": "monitoring/page"}
    own = re.compile(r"^(?:from|import) ((?:monitoring|loadtest)[\w.]*)", re.MULTILINE)
    for role, folder in brought.items():
        install = (ROLES / role / "tasks" / "install.yml").read_text()
        assert f'/../../{folder}"' in install
        package = folder.replace("/", ".")
        for path in (ROLES.parent / folder).rglob("*.py"):
            for name in own.findall(path.read_text()):
                assert f"{name}.".startswith(f"{package}."), path


def test_a_digest_hangs_on_contents_names_and_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = module("artifacts", "artifact", monkeypatch)
    files = artifact.files_below(package(tmp_path))
    assert [name for name, _ in files] == ["ours/code.py"]
    first = artifact.digest(files, "{}")
    assert artifact.digest(files, '{"a.jar": "lib"}') != first
    files[0][1].write_text("X = 2\n")
    assert artifact.digest(files, "{}") != first


def test_a_unit_without_a_memory_has_read_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit_state = module("unit", "unit_state", monkeypatch)
    assert unit_state.kept(tmp_path / "kafka") == ""
    (tmp_path / "kafka").write_text("abc\n")
    assert unit_state.kept(tmp_path / "kafka") == "abc"
    assert unit_state.told("LoadState=loaded\nActiveState=active\n") == {
        "LoadState": "loaded",
        "ActiveState": "active",
    }


def test_a_unit_is_a_service_unless_its_name_says_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    unit_state = module("unit", "unit_state", monkeypatch)
    assert unit_state.full_name("kafka") == "kafka.service"
    assert unit_state.full_name("ctr-retention.timer") == "ctr-retention.timer"


def test_a_job_is_safe_when_all_its_tasks_run_and_its_checkpoint_is_young(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = module("flink", "flink_jobs", monkeypatch)
    assert jobs.serves({"state": "RUNNING", "tasks": {"running": 8, "total": 8}})
    assert not jobs.serves({"state": "RUNNING", "tasks": {"running": 7, "total": 8}})
    assert not jobs.serves({"state": "RESTARTING", "tasks": {"running": 0, "total": 0}})
    told = {"latest": {"completed": {"latest_ack_timestamp": 100_000}}}
    assert jobs.is_young(told, 160_000, 60)
    assert not jobs.is_young(told, 160_001, 60)
    assert not jobs.is_young({"latest": {"completed": None}}, 0, 60)


def test_jobs_that_have_ended_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = module("flink", "flink_jobs", monkeypatch)
    answers = {
        "http://jm/jobs/overview": {
            "jobs": [
                {"jid": "a", "state": "FAILED", "tasks": {"running": 0, "total": 2}},
                {"jid": "b", "state": "RUNNING", "tasks": {"running": 2, "total": 2}},
                {"jid": "c", "state": "RESTARTING", "tasks": {"running": 0, "total": 2}},
            ]
        },
        "http://jm/jobs/b/checkpoints": {"latest": {"completed": None}},
    }
    monkeypatch.setattr(jobs, "ask", answers.__getitem__)
    assert jobs.look("http://jm", 60) == {"live": ["b", "c"], "serving": ["b"], "safe": []}
