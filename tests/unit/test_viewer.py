"""The viewer's packages and what it can draw, held against what dashboards use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
VIEWER = ROOT / "monitoring" / "viewer"
DASHBOARDS = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))


def kinds() -> set[str]:
    """The kinds of panels that the viewer draws."""
    text = (VIEWER / "src" / "panels" / "kinds.ts").read_text()
    return {"row", "text"} | set(re.findall(r"^  (\w+): \w+Panel,$", text, re.MULTILINE))


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def test_every_package_is_pinned_by_version_and_digest() -> None:
    package = json.loads((VIEWER / "package.json").read_text())
    named = package["dependencies"] | package["devDependencies"] | package["overrides"]
    loose = [
        name for name, version in named.items() if not re.search(r"(^|@)\d+\.\d+\.\d+$", version)
    ]
    assert loose == []
    locked = json.loads((VIEWER / "package-lock.json").read_text())["packages"]
    without = [name for name, entry in locked.items() if name and "integrity" not in entry]
    assert without == []


def test_the_lock_says_what_not_where_from() -> None:
    locked = json.loads((VIEWER / "package-lock.json").read_text())["packages"]
    assert [name for name, entry in locked.items() if "resolved" in entry] == []


def test_the_page_names_no_other_host() -> None:
    named = {
        (path.name, url)
        for path in (VIEWER / "src").rglob("*")
        if path.is_file()
        for url in re.findall(r"https?://[^\s'\"`)]+", path.read_text())
    }
    assert {url for _, url in named} <= {"http://www.w3.org/2000/svg"}


@pytest.mark.parametrize(
    "path", [VIEWER / "tests" / "example.json", *DASHBOARDS], ids=lambda path: path.name
)
def test_every_panel_of_a_dashboard_can_be_drawn(path: Path) -> None:
    used = {panel["type"] for panel in panels(json.loads(path.read_text()))}
    assert used <= kinds()


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_every_variable_asks_what_the_viewer_can_ask(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    asked = [
        model["query"] if isinstance(model["query"], str) else model["query"]["query"]
        for model in dashboard.get("templating", {}).get("list", [])
        if model["type"] == "query"
    ]
    assert [query for query in asked if not query.startswith("label_values(")] == []


def test_the_example_has_every_kind_of_panel() -> None:
    example = json.loads((VIEWER / "tests" / "example.json").read_text())
    assert {panel["type"] for panel in panels(example)} == kinds()
