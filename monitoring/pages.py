"""The pages that people look at: where each is, and what must be on it.

The one list of them. `make demo` prints it, `make screenshots` takes their pictures, the lab's
tests ask each.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ANSWERS_WITHIN_S = 3


@dataclass(frozen=True, slots=True)
class View:
    """A part of a page, and how one knows that it is there.

    Attributes:
        name: Of its picture, without a suffix.
        path: Below the page's address, with what follows `#`.
        text: Regular expressions, upper and lower case alike, that the text on the page must match.
        without: Regular expressions that the text must not match any more.
        clicks: CSS selectors of what is clicked, one after the other, to get there.
        canvas: CSS selector of drawings of which each in sight must have something on it.
        boxes: CSS selector of boxes of which each must hold more than its title, its `aria-label`.
        sent: Texts that the server must have sent by WebSockets, for pages that draw all they show.
        height: Of the picture, in pixels.
    """

    name: str
    path: str = "/"
    text: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    clicks: tuple[str, ...] = ()
    canvas: str | None = None
    boxes: str | None = None
    sent: tuple[str, ...] = ()
    height: int = 900


@dataclass(frozen=True, slots=True)
class Page:
    """A page on the first host of a group.

    Attributes:
        name: As people call it. Of pages with one name the first that answers is meant.
        group: Of the inventory.
        variable: In the inventory, sets the port.
        port: Where the inventory does not set it.
        views: What there is to see.
        opens: Below the page's address, what people begin with.
    """

    name: str
    group: str
    variable: str
    port: int
    views: tuple[View, ...]
    opens: str = "/"


# What stands in panels of a dashboard that have nothing to show.
_NOTHING = (r"No data", r"cannot be drawn", r"needs Grafana", r"Panel plugin not found")
_DASHBOARD = (r"Events processed", r"Event to row", r"Backpressure")

PAGES = (
    Page(
        "CTR",
        "monitoring",
        "ctr_page_port",
        8000,
        (View("ctr", text=(r"\d\s?%", r"clicks of", r"\bproduct-\d+", r"consumed \d")),),
    ),
    Page(
        "Dashboards",
        "monitoring",
        "grafana_port",
        3000,
        (
            View(
                "dashboard",
                path="/d/ctr-pipeline?kiosk",
                text=_DASHBOARD,
                without=_NOTHING,
                canvas=".uplot canvas",
                boxes="section[aria-label]",
                height=2_400,
            ),
        ),
        opens="/d/ctr-pipeline",
    ),
    Page(
        "Dashboards",
        "monitoring",
        "prometheus_port",
        9090,
        (
            View(
                "dashboard",
                path="/user/?d=ctr-pipeline",
                text=_DASHBOARD,
                without=_NOTHING,
                canvas=".uplot canvas",
                boxes="section[aria-label]",
                height=2_400,
            ),
        ),
        opens="/user/",
    ),
    Page(
        "Flink",
        "flink_jobmanager",
        "flink_rest_port",
        8081,
        (
            View(
                "flink",
                path="/#/job/running",
                clicks=("flink-job-list tbody tr.clickable",),
                text=(r"RUNNING", r"parallelism"),
            ),
        ),
    ),
    Page(
        "Kafka",
        "monitoring",
        "kafka_ui_port",
        8080,
        # It says when once it knows the groups, too.
        (View("kafka", sent=("impressions", "Updated")),),
    ),
    Page(
        "Locust",
        "loadtest",
        "locust_web_port",
        8089,
        (View("locust", text=(r"RPS", r"impressions", r"Aggregated")),),
    ),
    Page(
        "Prometheus",
        "monitoring",
        "prometheus_port",
        9090,
        (
            View("prometheus", path="/classic/targets", text=(r"\(\d+/\d+ up\)",)),
            View("alerts", path="/classic/alerts", text=(r"Inactive \(\d+\)", r"CtrJobDown")),
        ),
    ),
    Page(
        "Alertmanager",
        "monitoring",
        "alertmanager_port",
        9093,
        # Debian's has no page but this interface.
        (View("alertmanager", path="/api/v2/status", text=(r"uptime", r"receivers")),),
        opens="/api/v2/status",
    ),
)


class InventoryError(Exception):
    """An inventory cannot be read; the text is a sentence for the user."""


def listed(inventory: Path) -> Mapping[str, Any]:
    """What `ansible-inventory --list` prints of an inventory.

    Raises:
        InventoryError: It is not there, or cannot be read.
    """
    if not inventory.exists():
        raise InventoryError(f"{inventory} is not there: name the folder of an inventory.")
    command = Path(sys.executable).with_name("ansible-inventory")
    ended = subprocess.run(  # noqa: S603 - a list of words
        [command, "-i", inventory, "--list"], check=False, capture_output=True, text=True
    )
    if ended.returncode:
        raise InventoryError(f"{inventory} cannot be read: {ended.stderr.strip()}")
    told: Mapping[str, Any] = json.loads(ended.stdout)
    return told


def is_there(address: str) -> bool:
    """Whether something takes connections at an address."""
    split = urlsplit(address)
    try:
        socket.create_connection((split.hostname, split.port), ANSWERS_WITHIN_S).close()
    except OSError:
        return False
    return True


def addresses(
    inventory: Mapping[str, Any], answers: Callable[[str], bool] = is_there
) -> list[tuple[Page, str]]:
    """The pages of a fleet and the address of each, without a path.

    Args:
        inventory: What `ansible-inventory --list` prints.
        answers: Whether there is something at an address, asked only where pages share a name.
    """
    found: dict[str, tuple[Page, str]] = {}
    for page, address in _candidates(inventory):
        if page.name not in found or not answers(found[page.name][1]):
            found[page.name] = page, address
    return list(found.values())


def _candidates(inventory: Mapping[str, Any]) -> Iterator[tuple[Page, str]]:
    hosts = inventory["_meta"]["hostvars"]
    for page in PAGES:
        members = sorted(inventory.get(page.group, {}).get("hosts", []))
        if members:
            about = hosts.get(members[0], {})
            host, port = about.get("ansible_host", members[0]), about.get(page.variable, page.port)
            yield page, f"http://{host}:{port}"
