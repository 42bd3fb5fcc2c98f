"""What the lab's Prometheus answers, and what its alerts told the test receiver."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.lab.fleet import Lab, eventually

MONITOR = "monitor1"
COUNTING = ("_total", "_bucket", "_count", "_sum")
# What a template leaves where it finds nothing.
GAPS = ("{{", "<no value>", "%!")
CLEARED_WITHIN_S = 300

Series = tuple[str, tuple[tuple[str, str], ...]]


def series(lab: Lab, expr: str) -> list[dict[str, Any]]:
    """The series of an answer: labels (`metric`), and a moment and a text (`value`)."""
    query = urllib.parse.urlencode({"query": expr})
    found: list[dict[str, Any]] = _json(lab, 9090, f"/api/v1/query?{query}")["data"]["result"]
    return found


def number(lab: Lab, expr: str) -> float:
    """The one number of an answer.

    Raises:
        AssertionError: There is none, or more than one.
    """
    found = series(lab, expr)
    assert len(found) == 1, f"{expr}: {found}"
    return float(found[0]["value"][1])


def counters(lab: Lab, port: int) -> dict[Series, float] | None:
    """What of ours only grows on a page of metrics, by name and labels; None without an answer."""
    try:
        page = _read(lab, port, "/metrics")
    except OSError:
        return None
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.startswith("ctr_") and sample.name.endswith(COUNTING)
    }


@dataclass(frozen=True, slots=True)
class Heard:
    """What the receiver is told of one alert from a moment on.

    Attributes:
        lab: The lab.
        alert: The alert's name.
        labels: Labels that it must have.
        since: The moment, in epoch seconds.
    """

    lab: Lab
    alert: str
    labels: Mapping[str, str]
    since: float

    def told(self) -> list[dict[str, Any]]:
        """All of it, the oldest first: see roles/alert_receiver."""
        wanted = {"alertname": self.alert, **self.labels}.items()
        told = _json(self.lab, 9095, f"/?since={self.since}")
        return [one for one in told if wanted <= one["labels"].items()]

    def fired(self) -> dict[str, Any] | None:
        """The first time that it was told as firing."""
        return next((one for one in self.told() if one["status"] == "firing"), None)

    def cleared(self) -> bool | None:
        """Whether the last that was told of each of its series is the end; None until it is."""
        last = {json.dumps(one["labels"], sort_keys=True): one["status"] for one in self.told()}
        return True if last and set(last.values()) == {"resolved"} else None

    def comes(self, within_s: float) -> float:
        """Wait until it fires; how many seconds after the moment it was at the receiver.

        Raises:
            AssertionError: It does not in time, or its words have a gap.
        """
        told = eventually(self.fired, f"{self.alert} {dict(self.labels)} fires", within_s + 10)
        words = json.dumps(told["annotations"], ensure_ascii=False)
        assert not any(gap in words for gap in GAPS), words
        return float(told["at"]) - self.since

    def goes(self) -> None:
        """Wait until it has ended.

        Raises:
            AssertionError: It does not in time.
        """
        eventually(self.cleared, f"{self.alert} {dict(self.labels)} clears", CLEARED_WITHIN_S)


def silent(lab: Lab, *alerts: str) -> None:
    """Wait until none of these is pending or firing: one that fires already is not told anew."""

    def ended() -> bool | None:
        active = _json(lab, 9090, "/api/v1/alerts")["data"]["alerts"]
        return None if any(one["labels"]["alertname"] in alerts for one in active) else True

    eventually(ended, f"{', '.join(alerts)} silent", CLEARED_WITHIN_S)


def suppressed(lab: Lab, alert: str, **labels: str) -> None:
    """Wait until an alert is active and Alertmanager says that another one silences it."""
    filters = [("filter", f'{name}="{value}"') for name, value in labels.items()]
    query = urllib.parse.urlencode([("filter", f'alertname="{alert}"'), *filters])

    def silenced() -> bool | None:
        told = [one["status"] for one in _json(lab, 9093, f"/api/v2/alerts?{query}")]
        return True if told and all(status["inhibitedBy"] for status in told) else None

    eventually(silenced, f"{alert} {labels} silenced by its cause", CLEARED_WITHIN_S)


def hear(lab: Lab, alert: str, **labels: str) -> Heard:
    """Listen from now on."""
    return Heard(lab, alert, labels, time.time())


def _json(lab: Lab, port: int, path: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(_read(lab, port, path))


def _read(lab: Lab, port: int, path: str) -> str:
    url = f"http://{lab.address(MONITOR)}:{port}{path}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read(), "utf-8")
