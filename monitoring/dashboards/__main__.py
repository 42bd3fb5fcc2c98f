"""Write the dashboards' JSON beside their code."""

from __future__ import annotations

from pathlib import Path

from monitoring.dashboards import clickhouse, flink, hosts, kafka, pipeline, slo, tables

HERE = Path(__file__).parent
# Those below sql/ need Grafana's plugin for ClickHouse.
FILES = {
    "pipeline.json": pipeline.BOARD,
    "kafka.json": kafka.BOARD,
    "flink.json": flink.BOARD,
    "clickhouse.json": clickhouse.BOARD,
    "hosts.json": hosts.BOARD,
    "slo.json": slo.BOARD,
    "sql/tables.json": tables.BOARD,
}


def texts() -> dict[str, str]:
    """Each file's text by its name below this folder."""
    return {name: board.json() for name, board in FILES.items()}


def write(folder: Path = HERE) -> None:
    """Write all dashboards, and remove those that are none any more."""
    written = texts()
    for path in folder.rglob("*.json"):
        if str(path.relative_to(folder)) not in written:
            path.unlink()
    for name, text in written.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
