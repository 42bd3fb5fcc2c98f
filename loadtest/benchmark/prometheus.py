"""What Prometheus has scraped, as it was scraped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtest.benchmark.ask import NoAnswerError, ask
from loadtest.benchmark.series import Samples, rate


@dataclass(frozen=True, slots=True)
class Line:
    """One series.

    Attributes:
        labels: With its name as `__name__`.
        samples: In the order of time.
    """

    labels: Mapping[str, str]
    samples: Samples


def lines_of(answer: Mapping[str, Any]) -> list[Line]:
    """Read an answer to a question for samples, such as `up[60s]`.

    Raises:
        NoAnswerError: It is a refusal, or an answer to another kind of question.
    """
    if answer.get("status") != "success":
        raise NoAnswerError(f"Prometheus refuses a question: {answer.get('error', 'no reason')}.")
    data = answer["data"]
    if data["resultType"] != "matrix":
        raise NoAnswerError(f"Prometheus answers with a {data['resultType']}, not with samples.")
    return [
        Line(one["metric"], [(float(when), float(value)) for when, value in one["values"]])
        for one in data["result"]
    ]


def highest(lines: Sequence[Line]) -> float | None:
    """The highest sample of all series; None where there is none."""
    values = [value for line in lines for _, value in line.samples if not math.isnan(value)]
    return max(values, default=None)


def rates(lines: Sequence[Line]) -> float | None:
    """By how much counters rose in a second, all of them together; None where that is not known."""
    found = [one for line in lines if (one := rate(line.samples)) is not None]
    return sum(found) if found else None


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A server.

    Attributes:
        url: Where it listens.
        asking: Asks it.
    """

    url: str
    asking: Callable[..., Any] = ask

    def over(self, selector: str, begin: float, end: float) -> list[Line]:
        """All samples of some series between two moments, in seconds since the epoch.

        Raises:
            NoAnswerError: It does not answer.
        """
        query = f"{selector}[{max(1, math.ceil(end - begin))}s]"
        return lines_of(self.asking(f"{self.url}/api/v1/query", query=query, time=f"{end:.3f}"))
