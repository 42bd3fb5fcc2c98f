"""A ClickHouse that is played by rows for each question, and a clock that goes when it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flink_job.audit.tables import TablesError
from monitoring.page.tables import SQL

T = 1_764_000_000
AWAY = TablesError("ClickHouse does not answer: Connection refused.")
QUESTIONS = {path.read_text(): path.stem for path in SQL.glob("*.sql")}


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> float:
        return T + self.now


@dataclass
class Played:
    """Rows by the name of the question; a function gets the parameters.

    Those of the ledger are of its new hours, unless a function says otherwise.
    """

    rows: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, Mapping[str, str | int] | None]] = field(default_factory=list)
    away: bool = False

    def ask(
        self, question: str, parameters: Mapping[str, str | int] | None = None
    ) -> list[tuple[Any, ...]]:
        name = QUESTIONS[question]
        self.asked.append((name, parameters))
        if self.away:
            raise AWAY
        rows = self.rows[name]
        if name == "ledger" and not callable(rows) and parameters and not parameters["since"]:
            return []
        answer: list[tuple[Any, ...]] = rows(parameters) if callable(rows) else rows
        return answer


def at_once(work: Callable[[], None]) -> None:
    work()


def full() -> Played:
    """One product with a little of everything."""
    return Played(
        {
            "recent": [(T - 10, 8, 2, T - 3), (T, 4, 1, T - 1)],
            "hour": [(T - 300, 80, 8), (T - 10, 7, 2)],
            "top": [("product-1", 90, 10), ("<script>/'\"é", 2, 1)],
            "products": [("product-1",), ("product-0",)],
            "seen": [(3, T - 300, T)],
            "history": [(T - 300, 80, 8), (T, 4, 0)],
            "ledger": [
                ("impressions", 0, "counted", 90, 80, 0, 99),
                ("impressions", 0, "malformed", 6, 6, 3, 40),
                ("impressions", 0, "late", 4, 0, 5, 90),
                ("clicks", 1, "counted", 10, 10, 0, 9),
            ],
        }
    )
