"""What the master of a run keeps of it, from its start to its report."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loadtest.fields import Wanted
from loadtest.figures import Figures
from loadtest.page import report_page
from loadtest.report import Ended, Workers
from loadtest.run import End, Run
from loadtest.shape import Joined
from loadtest.shelf import CONTENT, Shelf

PAGE = "index.html"


@dataclass(slots=True)
class Lead:
    """A run, as it goes on.

    Attributes:
        name: Of its report.
        wanted: What was asked for.
        fields: The same as people gave it.
        run: What is to be told of it.
        began: When, seconds since the epoch.
        expected: How many workers there were then.
        figures: What its workers have counted so far.
        changes: To other fields, each with when.
        workers: Of which anything was heard.
        ended: Workers that have told all.
    """

    name: str
    wanted: Wanted
    fields: Mapping[str, Any]
    run: Run
    began: float
    expected: int
    figures: Figures = field(default_factory=Figures)
    changes: list[dict[str, Any]] = field(default_factory=list)
    workers: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    _fields: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        """Begin with what was asked for at the start."""
        self._fields = self.fields

    def heard(self, worker: str, told: Mapping[str, Any]) -> None:
        """Take over what a worker has counted since it was last heard.

        Args:
            worker: Its name.
            told: The figures, and whether they are its last.
        """
        self.workers.add(worker)
        self.figures.add(Figures.of(told["figures"]))
        if told["last"]:
            self.ended.add(worker)

    @property
    def whole(self) -> bool:
        """Whether every worker has told all."""
        return len(self.ended) >= max(self.expected, len(self.workers))

    def change(self, wanted: Wanted, fields: Mapping[str, Any], moment: float) -> None:
        """Note what is wanted from now on.

        Args:
            wanted: That.
            fields: The same as people gave it.
            moment: Seconds after the run's start.
        """
        shape = Joined(self.wanted.shape, moment, wanted.shape)
        self.wanted = replace(wanted, shape=shape)
        others = {name: value for name, value in fields.items() if value != self._fields[name]}
        self._fields = fields
        self.changes.append({"after_s": round(moment, 1), "fields": others})

    def finish(self, end: End) -> None:
        """Note what ended it; the first word holds."""
        self.run = self.run.ended(end)

    def write(self, shelf: Shelf, beside: Mapping[str, str], now: float) -> Path:
        """Write its report; where it is.

        Args:
            shelf: Where reports are.
            beside: Further files of it.
            now: Seconds since the epoch.

        Raises:
            OSError: It cannot be written.
        """
        run = replace(self.run, report=self.name)
        ended = Ended(
            name=self.name,
            wanted=self.wanted,
            fields=self.fields,
            changes=self.changes,
            run=run,
            began=self.began,
            ended=now,
            figures=self.figures,
            workers=Workers(max(self.expected, len(self.workers)), len(self.ended)),
        )
        content = ended.content()
        texts = {CONTENT: json.dumps(content, indent=1), PAGE: report_page(content)}
        folder = shelf.keep(self.name, {**texts, **beside})
        # Who is told of it may ask for it at once.
        self.run = run
        return folder
