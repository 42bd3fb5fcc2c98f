"""Tidiness as a test: documents and code that say the same."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from flink_job.job import SQL, Ends

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path.relative_to(ROOT), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def markdown() -> list[tuple[Path, str]]:
    return [(path, text) for path, text in texts() if path.suffix == ".md"]


def test_every_make_command_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wrong = [
        f"{path}: `make {name}` is no target of the Makefile"
        for path, text in markdown()
        for name in re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE)
        if name not in targets
    ]
    assert wrong == []


def test_every_link_in_a_document_leads_somewhere() -> None:
    wrong = [
        f"{path}: {link} is not there"
        for path, text in markdown()
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
        if not (ROOT / path.parent / link).exists()
    ]
    assert wrong == []


def test_every_decision_names_tests_that_exist() -> None:
    known = {
        name
        for path, text in texts()
        if path.parts[0] == "tests"
        for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)
    }
    decisions = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert decisions
    for decision in decisions:
        confirmation = decision.read_text().split("## Confirmation")[1]
        named = set(re.findall(r"`(test_\w+)`", confirmation))
        assert named, f"{decision.name}: its Confirmation names no test"
        assert named <= known, f"{decision.name}: {named - known} are no tests"


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(
        r"\b(?:pypi|pythonhosted|maven|npmjs|crates|debian|golang)\.(?:org|io|apache\.org)\b"
    )
    # The name space of Maven's files is a name, not a host.
    named = [(path, text.replace("http://maven.apache.org/POM/", "")) for path, text in texts()]
    wrong = [f"{path}: {match[0]}" for path, text in named for match in hosts.finditer(text)]
    assert wrong == []


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("domain", {"flink_job.domain"}),
        ("loader", {"flink_job.loader", "flink_job.endpoints"}),
        ("verdict", {"flink_job.verdict", "flink_job.java"}),
    ],
)
def test_imports_point_one_way(folder: str, allowed: set[str]) -> None:
    for path in (ROOT / "flink_job" / folder).rglob("*.py"):
        ours = {name for name in imported(path) if name.split(".")[0] == "flink_job"}
        packages = {".".join(name.split(".")[:2]) for name in ours}
        assert packages <= allowed, f"{path.relative_to(ROOT)} imports {packages - allowed}"


def test_the_specification_imports_nothing_but_the_standard_library() -> None:
    for path in (ROOT / "flink_job" / "domain").rglob("*.py"):
        foreign = {name.split(".")[0] for name in imported(path)} - sys.stdlib_module_names
        assert foreign <= {"flink_job"}, f"{path.relative_to(ROOT)} imports {foreign}"


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def columns_of(create: str) -> list[str]:
    body = create.split("(", 1)[1].split(") WITH", 1)[0]
    names = [line.strip().split(" ", 1)[0] for line in body.splitlines() if line.strip()]
    return [name.strip("`") for name in names if name != "PRIMARY"]


@pytest.mark.parametrize("ends", Ends)
@pytest.mark.parametrize("result", ["windows", "ledger", "dead_letters"])
def test_every_insert_names_the_columns_of_its_table_in_their_order(
    ends: Ends, result: str
) -> None:
    create = (SQL / ends / f"{result}.sql").read_text()
    shared, own = SQL / f"insert_{result}.sql", SQL / ends / f"insert_{result}.sql"
    insert = (own if own.exists() else shared).read_text()
    into = re.search(r"INSERT INTO \w+ \(([^)]*)\)", insert)
    assert into is not None
    assert [name.strip().strip("`") for name in into[1].split(",")] == columns_of(create)


def test_every_sql_file_begins_with_its_question_and_holds_one_statement() -> None:
    files = [(path, text) for path, text in texts() if path.suffix == ".sql"]
    assert files
    for path, text in files:
        assert text.startswith("-- "), f"{path}: begin with a comment that says what it answers"
        code = re.sub(r"--.*|'[^']*'", "", text)
        assert len([part for part in code.split(";") if part.strip()]) == 1, path
