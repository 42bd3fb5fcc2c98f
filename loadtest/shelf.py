"""The folder of the reports: one folder a run, the newest of them kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KEPT = 20
UNFINISHED = ".unfinished"
CONTENT = "report.json"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Reports by name, which is the order of their age."""

    folder: Path

    def keep(self, name: str, files: Mapping[str, str]) -> Path:
        """Write a report, all of it or nothing, and remove what is too old.

        Args:
            name: Of the report.
            files: Their texts by their names.

        Returns:
            The report's folder.

        Raises:
            OSError: It cannot be written.
        """
        whole, unfinished = self.folder / name, self.folder / f"{name}{UNFINISHED}"
        unfinished.mkdir(parents=True)
        for file, text in files.items():
            (unfinished / file).write_text(text, encoding="utf-8")
        unfinished.rename(whole)
        for old in self.names()[KEPT:]:
            shutil.rmtree(self.folder / old)
        return whole

    def names(self) -> list[str]:
        """Of all reports, the newest first."""
        if not self.folder.is_dir():
            return []
        found = (path.parent.name for path in self.folder.glob(f"*/{CONTENT}"))
        return sorted((name for name in found if not name.endswith(UNFINISHED)), reverse=True)

    def contents(self) -> list[dict[str, Any]]:
        """All reports as their JSON has them, the newest first."""
        return [
            json.loads((self.folder / name / CONTENT).read_text(encoding="utf-8"))
            for name in self.names()
        ]
