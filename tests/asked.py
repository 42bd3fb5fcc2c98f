"""The questions that the dashboards ask, ready to be asked without Grafana."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from monitoring.dashboards.__main__ import texts

BOARDS: dict[str, dict[str, Any]] = {name: json.loads(text) for name, text in texts().items()}
WINDOWS = {"__rate_interval": "1m", "__range": "1h"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to Prometheus.

    Attributes:
        where: The dashboard's file, the panel's title and the question's letter.
        expr: The expression, with any value in the place of the reader's choices.
    """

    where: str
    expr: str


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    """The panels of a dashboard, without the headings of rows."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def plain(expr: str) -> str:
    """The expression without variables."""
    for name, window in WINDOWS.items():
        expr = expr.replace(f"${name}", window)
    return re.sub(r"\$(?:topic|host)\b", ".+", expr)


def of_prometheus() -> list[Asked]:
    """What the panels ask of Prometheus."""
    return [
        Asked(f"{name}: {panel['title']}, {target['refId']}", plain(target["expr"]))
        for name, board in BOARDS.items()
        for panel in panels(board)
        for target in panel["targets"]
        if "expr" in target
    ]


def of_clickhouse() -> list[str]:
    """What the panels ask of ClickHouse."""
    return [
        target["rawSql"]
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel["targets"]
        if "rawSql" in target
    ]
