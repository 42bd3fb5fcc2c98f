"""The panels of the dashboards: one look, one form of description, one set of colours."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    piechart,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as built
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    FieldColorModeId,
    Panel,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.piechart import PieChartLegendValues, PieChartType
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="clickhouse")

GOOD, WARN, BAD, PLAIN = "green", "yellow", "red", "blue"
# A name has one colour on every dashboard.
OUTCOMES: Mapping[str, str] = {
    "counted": "green",
    "late": "yellow",
    "rejected": "red",
    "malformed": "red",
    "missing_field": "orange",
    "unknown_type": "purple",
    "future_timestamp": "blue",
    "old_timestamp": "light-blue",
}
TOPICS: Mapping[str, str] = {"impressions": "blue", "clicks": "orange"}
QUANTILES: Mapping[str, str] = {"p50": "green", "p95": "yellow", "p99": "red"}
STEPS: Mapping[str, str] = {
    "read": "blue",
    "windows": "green",
    "ledger": "yellow",
}

Drawn = TypeVar(
    "Drawn",
    stat.Panel,
    timeseries.Panel,
    piechart.Panel,
    bargauge.Panel,
    heatmap.Panel,
    table.Panel,
)
Steps = tuple[tuple[float | None, str], ...]


def rising(*, warn: float | None = None, bad: float | None = None) -> Steps:
    """Colours of a value that is worse the higher it is."""
    steps = ((None, GOOD), (warn, WARN), (bad, BAD))
    return steps[:1] + tuple(step for step in steps[1:] if step[0] is not None)


def falling(*, bad_below: float, good_from: float | None = None) -> Steps:
    """Colours of a value that is worse the lower it is; yellow between the two."""
    if good_from is None or good_from == bad_below:
        return ((None, BAD), (bad_below, GOOD))
    return ((None, BAD), (bad_below, WARN), (good_from, GOOD))


@dataclass(frozen=True, slots=True)
class Query:
    """A question to Prometheus.

    Attributes:
        expr: PromQL; may name the dashboard's variables.
        name: What its series are called, with labels as `{{label}}`.
    """

    expr: str
    name: str = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Framed(Builder[Panel]):
    """What every panel has.

    Attributes:
        title: Its title.
        tells: Whole sentences: what is to be seen.
        normal: What it looks like when all is well, begun so that it reads on after "Normal:".
        unit: Grafana's name of the unit.
        queries: What is asked, one for each group of series.
        width: In columns, of 24.
        height: In rows of Grafana's grid.
        decimals: Digits behind the point; as Grafana sees fit when not given.
        least: The low end of the scale.
        most: The high end of the scale.
        steps: Colours by value.
        alert: The alert that watches the same, whose runbook is linked.
    """

    title: str
    tells: str
    normal: str
    unit: str
    queries: tuple[Query, ...] = ()
    width: int = 8
    height: int = 8
    decimals: int | None = None
    least: float | None = None
    most: float | None = None
    steps: Steps = ((None, GOOD),)
    alert: str = ""
    instant: ClassVar[bool] = False

    def build(self) -> Panel:
        """The panel, without its id."""
        panel = self.draw()
        if self.decimals is not None:
            panel.decimals(self.decimals)
        if self.least is not None:
            panel.min(self.least)
        if self.most is not None:
            panel.max(self.most)
        panel.links([runbook(self.alert)] if self.alert else [])
        return panel.build()

    @abstractmethod
    def draw(
        self,
    ) -> (
        stat.Panel
        | timeseries.Panel
        | piechart.Panel
        | bargauge.Panel
        | heatmap.Panel
        | table.Panel
    ):
        """The panel as far as it is of its own kind."""

    def framed(self, panel: Drawn) -> Drawn:
        """The panel with what every panel has."""
        panel.title(self.title)
        panel.description(f"{self.tells}\n\nNormal: {self.normal}")
        panel.unit(self.unit)
        panel.datasource(PROMETHEUS)
        panel.span(self.width)
        panel.height(self.height)
        panel.thresholds(
            built.ThresholdsConfig()
            .mode(ThresholdsMode.ABSOLUTE)
            .steps([Threshold(value=value, color=colour) for value, colour in self.steps])
        )
        for number, query in enumerate(self.queries):
            panel.with_target(self.target(query, number))
        return panel

    def target(self, query: Query, number: int) -> prometheus.Dataquery:
        """The question in Grafana's form."""
        asked = (
            prometheus.Dataquery()
            .datasource(PROMETHEUS)
            .expr(query.expr)
            .legend_format(query.name)
            .ref_id(ref_id(number))
        )
        return asked.instant() if self.instant else asked.range()


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Framed):
    """The newest value, large, over its own course.

    Attributes:
        empty: What stands there when there is no value, where that is a state of its own.
        words: Words in the place of values, each with its colour.
        course: Whether the course of the value is drawn behind it.
    """

    width: int = 4
    height: int = 4
    empty: str = ""
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    course: bool = True

    def draw(self) -> stat.Panel:
        """A stat panel."""
        many = len(self.queries) > 1 or "{{" in self.queries[0].name
        panel = (
            self.framed(stat.Panel())
            .color_mode(look.BigValueColorMode.VALUE)
            .graph_mode(look.BigValueGraphMode.AREA if self.course else look.BigValueGraphMode.NONE)
            .text_mode(
                look.BigValueTextMode.VALUE_AND_NAME if many else look.BigValueTextMode.VALUE
            )
            .justify_mode(look.BigValueJustifyMode.AUTO)
            .color_scheme(by_thresholds())
            .reduce_options(newest())
        )
        if self.empty:
            panel.no_value(self.empty)
        if self.words:
            panel.mappings(worded(self.words))
        return panel


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines(Framed):
    """Values over time.

    Attributes:
        stacked: Whether series stand on each other, as parts of a whole.
        limit: A value that is drawn as a dashed line, such as an alert's.
        colours: Colours of series by name.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    stacked: bool = False
    limit: float | None = None
    least: float | None = 0

    def draw(self) -> timeseries.Panel:
        """A time series panel."""
        panel = (
            self.framed(timeseries.Panel())
            .draw_style(look.GraphDrawStyle.LINE)
            .line_width(1)
            .line_interpolation(look.LineInterpolation.LINEAR)
            .fill_opacity(25 if self.stacked else 8)
            .show_points(look.VisibilityMode.NEVER)
            .span_nulls(False)  # noqa: FBT003 - the builder takes it so
            .color_scheme(built.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
            .legend(
                common.VizLegendOptions()
                .show_legend(True)  # noqa: FBT003 - the same
                .display_mode(look.LegendDisplayMode.TABLE)
                .placement(look.LegendPlacement.BOTTOM)
                .calcs(["lastNotNull", "max"])
            )
            .tooltip(
                common.VizTooltipOptions()
                .mode(look.TooltipDisplayMode.MULTI)
                .sort(look.SortOrder.DESCENDING)
            )
        )
        if self.stacked:
            panel.stacking(common.StackingConfig().mode(look.StackingMode.NORMAL).group("A"))
        if self.limit is not None:
            panel.thresholds(
                built.ThresholdsConfig()
                .mode(ThresholdsMode.ABSOLUTE)
                .steps([Threshold(None, "transparent"), Threshold(self.limit, BAD)])
            ).thresholds_style(
                common.GraphThresholdsStyleConfig().mode(look.GraphThresholdsStyleMode.DASHED)
            )
        return coloured(panel, self.colours)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares(Framed):
    """Parts of a whole, at this moment or of the range of time.

    Attributes:
        colours: Colours of parts by name.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    instant: ClassVar[bool] = True

    def draw(self) -> piechart.Panel:
        """A pie with a hole."""
        return coloured(
            self.framed(piechart.Panel())
            .pie_type(PieChartType.DONUT)
            .color_scheme(built.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
            .reduce_options(newest())
            .legend(
                piechart.PieChartLegendOptions()
                .show_legend(True)  # noqa: FBT003 - the builder takes it so
                .display_mode(look.LegendDisplayMode.TABLE)
                .placement(look.LegendPlacement.RIGHT)
                .values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
            )
            .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI)),
            self.colours,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Framed):
    """The newest value of each series, as a bar.

    Attributes:
        colours: Colours of bars by name.
    """

    colours: Mapping[str, str] = field(default_factory=dict)
    least: float | None = 0
    instant: ClassVar[bool] = True

    def draw(self) -> bargauge.Panel:
        """A bar gauge."""
        return coloured(
            self.framed(bargauge.Panel())
            .display_mode(look.BarGaugeDisplayMode.BASIC)
            .orientation(look.VizOrientation.HORIZONTAL)
            .value_mode(look.BarGaugeValueMode.COLOR)
            .show_unfilled(True)  # noqa: FBT003 - the builder takes it so
            .color_scheme(by_thresholds())
            .reduce_options(newest()),
            self.colours,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat(Framed):
    """A row for each series, its cells coloured by value from `least` to `most`."""

    least: float | None = 0

    def draw(self) -> heatmap.Panel:
        """A heat map of rows that come as they are."""
        colours = (
            heatmap.HeatmapColorOptions()
            .mode(heat.HeatmapColorMode.SCHEME)
            # Grafana turns this one round by itself: little is green.
            .scheme("RdYlGn")
            .reverse(False)  # noqa: FBT003 - the builder takes it so
            .scale(heat.HeatmapColorScale.LINEAR)
            .exponent(0.5)
            .steps(64)
            .fill("dark-orange")
        )
        if self.least is not None:
            colours.min(self.least)
        if self.most is not None:
            colours.max(self.most)
        return (
            self.framed(heatmap.Panel())
            .calculate(False)  # noqa: FBT003 - the same
            .color(colours)
            .cell_gap(1)
            .cell_values(heatmap.CellValues().unit(self.unit))
            .y_axis(heatmap.YAxisConfig().axis_placement(look.AxisPlacement.LEFT))
            .show_legend()
            .mode(look.TooltipDisplayMode.SINGLE)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing(Framed):
    """A table of the newest values, a line for each series.

    Attributes:
        labels: Labels that become columns, with the heading of each.
        value: Heading of the value's column.
        words: Words in the place of values, each with its colour.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    value: str = "value"
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    instant: ClassVar[bool] = True

    def draw(self) -> table.Panel:
        """A table; the expression should keep no other labels."""
        panel = self.framed(table.Panel()).show_header(True)  # noqa: FBT003 - the builder's way
        panel.override_by_name("Time", [DynamicConfigValue("custom.hidden", value=True)])
        panel.override_by_name("Value", self._of_value())
        for label, heading in self.labels.items():
            panel.override_by_name(label, [DynamicConfigValue("displayName", heading)])
        return panel

    def target(self, query: Query, number: int) -> prometheus.Dataquery:
        """The question, whose answer is to be a table."""
        asked = Framed.target(self, query, number)
        return asked.format(PromQueryFormat.TABLE)

    def _of_value(self) -> list[DynamicConfigValue]:
        properties = [DynamicConfigValue("displayName", self.value)]
        if self.words:
            properties += [
                DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
                DynamicConfigValue("mappings", worded(self.words)),
            ]
        return properties


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected(Framed):
    """A table that ClickHouse answers.

    Attributes:
        sql: One statement; its columns are the table's.
        units: Units of columns that have another than the panel's.
    """

    sql: str
    units: Mapping[str, str] = field(default_factory=dict)

    def draw(self) -> table.Panel:
        """A table of what the statement selects."""
        panel = self.framed(table.Panel()).show_header(True)  # noqa: FBT003 - the builder's way
        panel.datasource(CLICKHOUSE).with_target(Statement(self.sql))
        for column, unit in self.units.items():
            panel.override_by_name(column, [DynamicConfigValue("unit", unit)])
        return panel


@dataclass(frozen=True, slots=True)
class Statement(Builder[Dataquery]):
    """A question to ClickHouse, in the form of Grafana's plugin for it."""

    sql: str

    def build(self) -> Dataquery:
        """The question; its answer is a table."""
        return UnknownDataquery(
            {
                "datasource": CLICKHOUSE,
                "editorType": "sql",
                "format": 1,
                "queryType": "table",
                "rawSql": self.sql,
                "refId": ref_id(0),
            }
        )


def ref_id(number: int) -> str:
    """The letter that Grafana knows a question of a panel by."""
    return chr(ord("A") + number)


def runbook(alert: str) -> built.DashboardLink:
    """The link to what an alert's runbook says."""
    return (
        built.DashboardLink(f"Runbook: {alert}")
        .type(DashboardLinkType.LINK)
        .url(f"${{runbooks}}/{alert}/README.md")
        .target_blank(True)  # noqa: FBT003 - the builder takes it so
    )


def by_thresholds() -> built.FieldColor:
    """Colours by value."""
    return built.FieldColor().mode(FieldColorModeId.THRESHOLDS)


def newest() -> common.ReduceDataOptions:
    """The newest value of each series."""
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)  # noqa: FBT003


def worded(
    words: Mapping[str, tuple[str, str]],
) -> list[ValueMap | RangeMap | RegexMap | SpecialValueMap]:
    """Words in the place of values, as Grafana has them."""
    return [
        ValueMap(
            {
                value: ValueMappingResult(text=text, color=colour, index=index)
                for index, (value, (text, colour)) in enumerate(words.items())
            }
        )
    ]


Charted = TypeVar("Charted", timeseries.Panel, piechart.Panel, bargauge.Panel)


def coloured(panel: Charted, colours: Mapping[str, str]) -> Charted:
    """The panel, in which each name that has a colour of its own gets it."""
    for name, colour in colours.items():
        fixed = {"mode": FieldColorModeId.FIXED.value, "fixedColor": colour}
        panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel
