"""Reports as pages that need nothing but themselves, light or dark as the reader has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from loadtest.report import doubt
from loadtest.run import End

WIDTH, HEIGHT = 900, 220

ENDS = {
    End.DUE: "when it was due",
    End.SATURATED: "by itself: what was acknowledged had fallen behind",
    End.STOPPED: "stopped by somebody",
    End.UNASKED: "by itself, unasked: its workers were lost",
}


def report_page(report: Mapping[str, Any]) -> str:
    """A report as HTML.

    Args:
        report: As its JSON has it.
    """
    ends = ENDS[End(report["end"])]
    return _filled(
        "report.html", report=report, ends=ends, doubt=doubt(report), chart=_chart(report["series"])
    )


def list_page(reports: Sequence[Mapping[str, Any]]) -> str:
    """All reports as a list, in HTML, with links to each."""
    return _filled("reports.html", reports=reports)


def _chart(series: Mapping[str, Any]) -> dict[str, Any]:
    due, came, each = series["due"], series["acknowledged"], series["every_s"]
    most = max(*due, *came, 1)
    across = WIDTH / max(len(due) - 1, 1)

    def points(rates: Sequence[float]) -> str:
        return " ".join(
            f"{place * across:.1f},{HEIGHT - rate / most * (HEIGHT - 20):.1f}"
            for place, rate in enumerate(rates)
        )

    return {
        "width": WIDTH,
        "height": HEIGHT,
        "most": most,
        "seconds": len(due) * each,
        "due": points(due),
        "came": points(came),
    }


def _filled(template: str, **values: object) -> str:
    pages = Environment(
        loader=PackageLoader("loadtest"), autoescape=True, undefined=StrictUndefined
    )
    return pages.get_template(template).render(**values)
