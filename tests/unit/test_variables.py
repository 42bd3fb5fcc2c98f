"""What a variable is when nobody sets it is the same wherever it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def defaults() -> dict[str, str]:
    """The roles' default of each variable, as it is written."""
    found = {}
    for path in (ROOT / "roles").glob("*/defaults/main.yml"):
        for name, value in re.findall(r"^(\w+): (.+)$", path.read_text(), re.MULTILINE):
            found[name] = value.strip("\"'")
    return found


def said_again() -> Iterator[tuple[str, str, str]]:
    """Where a variable stands outside its role, its name and what it is held for when not set."""
    own = re.compile(r"\b([a-z]\w+) \| default\((?:'([^']*)'|([0-9]+))\)")
    scraped = re.compile(r"variable: (\w+), port: (\d+)")
    for folder in ("ansible", "roles", "runbooks"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".yml", ".j2"} or "molecule" in path.parts:
                continue
            where, text = str(path.relative_to(ROOT)), path.read_text()
            for match in own.finditer(text):
                yield where, match[1], match[2] or match[3] or ""
            for match in scraped.finditer(text):
                yield where, match[1], match[2]


def test_a_default_that_is_said_again_is_that_of_the_role() -> None:
    of_roles = defaults()
    compared = [
        (where, name, value, re.sub(r"^(\d+)-\d+$", r"\1", of_roles[name]))
        for where, name, value in said_again()
        if name in of_roles and value
    ]
    assert len(compared) >= 10, compared
    assert [entry for entry in compared if entry[2] != entry[3]] == []


def test_what_the_exporter_keeps_of_a_name_does_not_hang_on_its_value() -> None:
    # A pattern that reads behind the attribute's name would keep the value of the first scrape.
    text = (ROOT / "roles/kafka/files/metrics.yaml").read_text()
    patterns = re.findall(r"- cache: true\n    pattern: (.+)", text)
    assert len(patterns) == text.count("pattern: ") > 0
    assert [pattern for pattern in patterns if ":" in pattern.split("><>")[1]] == []
    assert "value: " not in text
