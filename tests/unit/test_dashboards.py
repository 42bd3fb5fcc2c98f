"""The dashboards' JSON: what is written is what the code says, and Grafana can read all of it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry

from flink_job.loader.metrics import Metrics
from monitoring.dashboards.__main__ import FILES, HERE, texts, write
from monitoring.dashboards.panels import falling, rising
from tests.asked import BOARDS, of_clickhouse, of_prometheus, panels
from tests.unit.debian import program

ROOT = HERE.parents[1]
RUNBOOKS = ROOT / "runbooks"
EXPORTER = ROOT / "monitoring" / "exporter"
RULES = ROOT / "monitoring" / "rules"
# What the viewer can draw.
KINDS = {"stat", "timeseries", "piechart", "bargauge", "heatmap", "table"}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in panels(board)
]


def expressions() -> list[str]:
    """All questions to Prometheus, those for the marks of alerts among them."""
    marks = [mark["expr"] for board in BOARDS.values() for mark in board["annotations"]["list"]]
    return [asked.expr for asked in of_prometheus()] + marks


def lost(before: object, after: object, where: str = "") -> Iterator[str]:
    """Where `after` lacks something that `before` has, or has something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from lost(value, after[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{where}/{number}")
    elif before != after:
        yield where


def test_what_is_committed_is_what_the_code_says() -> None:
    committed = {
        str(path.relative_to(HERE)): path.read_text(encoding="utf-8")
        for path in HERE.rglob("*.json")
    }
    said = texts()
    assert sorted(committed) == sorted(said)
    differ = [name for name in said if committed[name] != said[name]]
    assert differ == [], "write them anew: python -m monitoring.dashboards"


def test_a_dashboard_that_is_none_any_more_is_removed(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text("{}")
    write(tmp_path)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(FILES)
    assert (tmp_path / "slo.json").read_text() == FILES["slo.json"].json()


@pytest.mark.parametrize("name", BOARDS)
def test_grafana_knows_every_key(name: str) -> None:
    plugins.register_default_plugins()
    board = BOARDS[name]
    read = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert list(lost(board, read)) == []


def test_a_key_that_grafana_does_not_know_is_found() -> None:
    plugins.register_default_plugins()
    board = json.loads(json.dumps(BOARDS["pipeline.json"]))
    panels(board)[0]["options"]["colourMode"] = "value"
    read = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert list(lost(board, read)) == ["/panels/1/options/colourMode"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_id_is_one_of_a_kind(name: str) -> None:
    board = BOARDS[name]
    ids = [panel["id"] for panel in board["panels"]]
    assert ids == list(range(1, len(ids) + 1))
    for panel in panels(board):
        refs = [target["refId"] for target in panel["targets"]]
        assert refs == [chr(ord("A") + number) for number in range(len(refs))]
    titles = [panel["title"] for panel in panels(board)]
    assert len(set(titles)) == len(titles)


def test_every_dashboard_has_an_address_and_a_title_of_its_own() -> None:
    boards = BOARDS.values()
    assert {board["schemaVersion"] for board in boards} == {41}
    for field in ("uid", "title", "description"):
        assert len({board[field] for board in boards}) == len(BOARDS)
    assert all(board["uid"] for board in boards)


def test_the_pipeline_is_told_in_five_rows() -> None:
    rows = [panel["title"] for panel in BOARDS["pipeline.json"]["panels"] if panel["type"] == "row"]
    assert rows == ["Overview", "Throughput", "Latency", "Data quality", "System health"]


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_it_tells_and_what_is_normal(panel: dict[str, Any]) -> None:
    tells, normal = panel["description"].split("\n\nNormal: ")
    assert tells.endswith(".")
    assert normal.endswith(".")
    assert panel["title"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["type"] in KINDS


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_asks_a_source_by_its_uid(panel: dict[str, Any]) -> None:
    sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
    assert len(sources) > 1
    assert all(source == sources[0] for source in sources)
    assert sources[0]["uid"] in {"${datasource}", "clickhouse"}


@pytest.mark.parametrize("name", BOARDS)
def test_only_what_lies_below_sql_needs_more_than_prometheus(name: str) -> None:
    sources = {panel["datasource"]["type"] for panel in panels(BOARDS[name])}
    assert sources == {"grafana-clickhouse-datasource" if name.startswith("sql/") else "prometheus"}


@pytest.mark.parametrize("name", BOARDS)
def test_panels_fill_their_rows_and_do_not_lie_on_each_other(name: str) -> None:
    cells: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        own = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert not cells & own, panel["title"]
        cells |= own
    assert len(cells) % 24 == 0, "a line of panels does not fill the 24 columns"


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_is_there_and_is_used(name: str) -> None:
    board = BOARDS[name]
    variables = board["templating"]["list"]
    there = {variable["name"] for variable in variables}
    asked = json.dumps(board["panels"]) + json.dumps([v.get("query") for v in variables])
    used = set(re.findall(r"\$\{?([a-z]\w*)", asked))
    assert used <= there
    assert there - used <= {"datasource", "runbooks"}


@pytest.mark.parametrize("name", BOARDS)
def test_the_canary_is_in_no_number_of_the_business(name: str) -> None:
    events = [e for e in json.dumps(BOARDS[name]).split('\\"') if "ctr_events_total{" in e]
    asked = re.findall(r"ctr_events_total\{([^}]*)\}", json.dumps(BOARDS[name]))
    assert len(asked) >= len(events)
    assert all(r"topic!=\"canary\"" in selector for selector in asked)


def test_every_runbook_that_is_linked_exists() -> None:
    linked = {
        match
        for board in BOARDS.values()
        for match in re.findall(r"\$\{runbooks\}/(\w+)/README\.md", json.dumps(board))
    }
    assert linked
    assert [name for name in sorted(linked) if not (RUNBOOKS / name / "README.md").exists()] == []


@pytest.mark.parametrize("text", list(texts().values()), ids=list(BOARDS))
def test_the_role_finds_the_one_place_that_says_where_runbooks_are(text: str) -> None:
    tasks = (ROOT / "roles/grafana/tasks/configure.yml").read_text()
    (place,) = re.findall(r"replace\('([^']+)', '\"query\": '", tasks)
    assert text.count(place) == 1


def test_grafana_does_not_look_into_the_folder_of_the_viewer() -> None:
    # It takes every dashboard below its folder, and of two with one uid neither is shown anew.
    (grafana,) = re.findall(
        r"^grafana_boards: (\S+)$", (ROOT / "roles/grafana/vars/main.yml").read_text(), re.MULTILINE
    )
    (viewer,) = re.findall(
        r"^dashboard_viewer_into: (\S+)$",
        (ROOT / "roles/dashboard_viewer/defaults/main.yml").read_text(),
        re.MULTILINE,
    )
    assert not Path(grafana).is_relative_to(viewer)
    assert not Path(viewer).is_relative_to(grafana)
    removed = (ROOT / "ansible/uninstall.yml").read_text()
    assert f"- {grafana}\n" in removed
    assert viewer in removed


def test_what_fires_always_is_no_mark_on_a_graph() -> None:
    marks = [mark["expr"] for board in BOARDS.values() for mark in board["annotations"]["list"]]
    assert marks
    assert all('alertname!="Watchdog"' in mark for mark in marks)


def names(prefix: str) -> set[str]:
    """Metrics of that prefix that some expression asks for."""
    asked = re.sub(r'"[^"]*"', '""', "\n".join(expressions()))  # what is quoted is no metric
    return set(re.findall(rf"(?<![:\w]){prefix}_\w+", asked))  # nor what a rule has recorded


def test_every_series_of_the_loader_is_one_that_it_has() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    families = list(registry.collect())
    # One whose labels come with the first message has no sample yet.
    there = {family.name for family in families}
    there |= {sample.name for family in families for sample in family.samples}
    asked = names("ctr_loader") - {"ctr_loader_lag_messages"}  # which the exporter counts
    assert asked
    assert asked <= there


def test_every_series_of_the_exporter_is_named_in_it() -> None:
    source = "\n".join(path.read_text() for path in EXPORTER.rglob("*.py"))
    loader = names("ctr_loader") - {"ctr_loader_lag_messages"}
    for name in names("ctr") - loader:
        base = re.sub(r"_(total|bucket|count|sum)$", "", name)
        assert re.search(rf"['\"]{base}(_total)?['\"]", source), name


def test_what_each_exporter_tells_is_not_added_up_over_exporters() -> None:
    events = [expr for expr in expressions() if "ctr_events_total" in expr]
    assert len(events) >= 10
    once = r"max without \(host, instance\) \((?:\w+\()?ctr_events_total\{"
    assert [e for e in events if e.count("ctr_events_total") != len(re.findall(once, e))] == []
    moment = [expr for expr in expressions() if re.search(r"ctr_(active|recent)_", expr)]
    assert len(moment) == 2
    assert [expr for expr in moment if not expr.startswith("max(")] == []


def test_every_recorded_series_is_recorded_by_a_rule() -> None:
    rules = "\n".join(path.read_text() for path in RULES.glob("*.yml"))
    asked = set(re.findall(r"\b(?:slo|limit):[\w:]+", "\n".join(expressions())))
    assert asked
    assert asked <= set(re.findall(r"record: (\S+)", rules))


def test_every_expression_can_be_read_by_prometheus(tmp_path: Path) -> None:
    tool = program("promtool", "prometheus")
    rules = [
        {"record": f"dashboard:expression_{number}", "expr": expr}
        for number, expr in enumerate(expressions())
    ]
    assert len(rules) > 100
    file = tmp_path / "expressions.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboards", "rules": rules}]}))
    ended = subprocess.run(  # noqa: S603 - the words are written here
        [tool, "check", "rules", file], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_an_expression_leaves_no_variable_open() -> None:
    left = [expr for expr in expressions() if re.search(r"\$[a-z_{]", expr)]
    assert left == []


def test_colours_rise_from_good_to_bad_and_fall_back() -> None:
    assert rising() == ((None, "green"),)
    assert rising(bad=1) == ((None, "green"), (1, "red"))
    assert rising(warn=1, bad=2) == ((None, "green"), (1, "yellow"), (2, "red"))
    assert falling(bad_below=1) == ((None, "red"), (1, "green"))
    assert falling(bad_below=0, good_from=0.5) == ((None, "red"), (0, "yellow"), (0.5, "green"))


@pytest.mark.parametrize("statement", sorted((HERE / "sql").glob("*.sql")), ids=lambda p: p.stem)
def test_every_statement_is_asked_by_a_table(statement: Path) -> None:
    assert statement.read_text() in of_clickhouse()
