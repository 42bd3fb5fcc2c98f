"""A dashboard, from its rows of panels to the JSON that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as built
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    RowPanel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from monitoring.dashboards.panels import PROMETHEUS, Framed

# Where the dashboards' links to runbooks begin: a folder of this repository, unless the role
# grafana is told an address.
RUNBOOKS = "runbooks"
TAG = "ctr"


@dataclass(frozen=True, slots=True)
class Row:
    """Panels below a heading, placed one after the other from the left."""

    title: str
    panels: tuple[Framed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Values of a label that the reader can choose from, all of them at first.

    Attributes:
        name: The variable's name in expressions.
        title: What stands before the list.
        query: `label_values(metric, label)`.
    """

    name: str
    title: str
    query: str


HOST = Choice(name="host", title="Host", query='label_values(up{job="node"}, host)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A dashboard.

    Attributes:
        uid: Its lasting name, part of its address.
        title: Its title.
        tells: One sentence: the question that it answers.
        rows: Its rows, from the top.
        choices: What the reader can choose from.
        since: How far back it looks at first, in Grafana's words.
        refresh: How often it asks again.
    """

    uid: str
    title: str
    tells: str
    rows: tuple[Row, ...]
    choices: tuple[Choice, ...] = ()
    since: str = "now-30m"
    refresh: str = "10s"

    def build(self) -> Dashboard:
        """The dashboard, complete."""
        drawn = (
            built.Dashboard(self.title)
            .uid(self.uid)
            .description(self.tells)
            .tags([TAG])
            .time(self.since, "now")
            .timezone("browser")
            .refresh(self.refresh)
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .readonly()
            .link(others())
            .annotation(alerts())
            .with_variable(datasource())
        )
        for choice in self.choices:
            drawn.with_variable(chosen(choice))
        drawn.with_variable(runbooks())
        for row in self.rows:
            drawn.with_row(built.Row(row.title))
            for panel in row.panels:
                drawn.with_panel(panel)
        dashboard = drawn.build()
        for number, placed in enumerate(all_panels(dashboard), start=1):
            placed.id_val = number
        return dashboard

    def json(self) -> str:
        """The dashboard as text, the same at every call."""
        return json.dumps(self.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def all_panels(dashboard: Dashboard) -> Iterator[Panel | RowPanel]:
    """The rows' headings and the panels, in their order."""
    yield from dashboard.panels or []


def datasource() -> built.DatasourceVariable:
    """Which Prometheus is asked."""
    return (
        built.DatasourceVariable("datasource")
        .label("Prometheus")
        .type("prometheus")
        .current(VariableOption(selected=True, text="Prometheus", value="prometheus"))
    )


def chosen(choice: Choice) -> built.QueryVariable:
    """A list of values, of which any may be chosen."""
    return (
        built.QueryVariable(choice.name)
        .label(choice.title)
        .datasource(PROMETHEUS)
        .query(choice.query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NATURAL_ASC)
        .multi(True)  # noqa: FBT003 - the builder takes it so
        .include_all(True)  # noqa: FBT003 - the same
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def runbooks() -> built.ConstantVariable:
    """Where links to runbooks begin; the role grafana sets it."""
    return built.ConstantVariable("runbooks").label("Runbooks").value(RUNBOOKS)


def others() -> built.DashboardLink:
    """The list of all dashboards of the pipeline, which keeps the range of time."""
    return (
        built.DashboardLink("Dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)  # noqa: FBT003 - the builder takes it so
        .keep_time(True)  # noqa: FBT003 - the same
    )


def alerts() -> built.AnnotationQuery:
    """When which alert fired, as marks on every graph."""
    return (
        built.AnnotationQuery()
        .name("Alerts")
        .datasource(PROMETHEUS)
        .enable(True)  # noqa: FBT003 - the builder takes it so
        .icon_color("red")
        .expr('ALERTS{alertstate="firing", alertname!="Watchdog"}')
    )
