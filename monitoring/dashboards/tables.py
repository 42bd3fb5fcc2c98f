"""What only ClickHouse itself can say; for Grafana with its plugin for ClickHouse."""

from __future__ import annotations

from pathlib import Path

from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import Selected

SQL = Path(__file__).parent / "sql"


def statement(name: str) -> str:
    """A statement of the folder `sql`."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")


BOARD = Board(
    uid="ctr-tables",
    title="CTR tables",
    tells="What do the tables hold, and which products are looked at?",
    rows=(
        Row(
            "Asked of ClickHouse",
            (
                Selected(
                    title="Products of the last ten minutes",
                    tells="The products with the most impressions, and their click-through rate.",
                    normal="the products that are promoted now.",
                    unit="short",
                    width=12,
                    height=12,
                    sql=statement("top_products"),
                    units={"ctr": "percentunit"},
                    alert="CtrNoFreshRows",
                ),
                Selected(
                    title="Parts of the tables",
                    tells="How many parts each partition of a table has, its rows and its bytes. "
                    "Inserts slow down from 150 active parts in a partition on, and fail from 300 "
                    "on.",
                    normal="under 20 parts each.",
                    unit="short",
                    width=12,
                    height=12,
                    sql=statement("parts"),
                    units={"size": "bytes"},
                    alert="ClickHousePartsHigh",
                ),
            ),
        ),
    ),
    refresh="30s",
)
