"""A person at locust's page: starts a load, changes it, stops it, and looks at its report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

WITHIN_MS = 120_000
POLLED_EVERY_MS = 500
FIRST, SECOND = 200, 600


@dataclass(frozen=True, slots=True)
class Seen:
    """What was on the page.

    Attributes:
        fields: What there is to fill in or to choose.
        shapes: That can be chosen.
        clients: That can be chosen.
        report: That the page of all reports leads to, as its JSON has it.
    """

    fields: set[str]
    shapes: list[str]
    clients: list[str]
    report: dict[str, Any]


def driven(browser: Browser, address: str) -> Seen:
    """Start a load at one rate, go on at another one, stop it, and open its report.

    Args:
        browser: The browser.
        address: Of locust's page, without a path; nothing runs there.
    """
    page = browser.new_context(viewport={"width": 1_440, "height": 1_200}).new_page()
    page.set_default_timeout(WITHIN_MS)
    page.goto(f"{address}/")
    # Behind an earlier run the form opens by a button.
    new = page.get_by_role("button", name="New", exact=True)
    page.get_by_text("Start new load test").or_(new).first.wait_for()
    if new.is_visible():
        new.click()
    _custom(page)
    names = page.eval_on_selector_all("[name]", "found => found.map(one => one.name)")
    shapes, clients = (
        page.eval_on_selector_all(f"select[name={name}] option", "found => found.map(o => o.value)")
        for name in ("shape", "client")
    )
    page.fill("input[name=rate]", str(FIRST))
    page.click("button[type=submit]")
    page.get_by_role("button", name="Edit", exact=True).wait_for()
    _acknowledged(page, 3 * FIRST)

    page.get_by_role("button", name="Edit", exact=True).click()
    _custom(page)
    page.fill("input[name=rate]", str(SECOND))
    page.click("button[type=submit]")
    _acknowledged(page, 3 * FIRST + 3 * SECOND)

    page.get_by_role("button", name="Stop", exact=True).click()
    new.wait_for()
    _until(page, "async () => (await (await fetch('/run')).json()).run.report !== null")
    page.goto(f"{address}/reports/")
    page.locator("tr a").first.click()
    page.get_by_text("Acknowledged by Kafka").wait_for()
    with page.expect_navigation():
        page.get_by_text("The same as JSON").click()
    report: dict[str, Any] = page.evaluate("JSON.parse(document.body.innerText)")
    page.context.close()
    return Seen(set(names), shapes, clients, report)


def _custom(page: Page) -> None:
    page.get_by_role("button", name="Custom parameters").click()
    page.locator("input[name=rate]").wait_for()


def _acknowledged(page: Page, events: int) -> None:
    """Wait until so many events were acknowledged, and the table of the page says so too.

    The table alone may still be that of the run before.
    """
    _until(
        page,
        """async events => {
            const told = await (await fetch('/stats/requests')).json()
            return told.stats.at(-1).num_requests >= events
        }""",
        events,
    )
    page.wait_for_function(
        """events => [...document.querySelectorAll('tr')].some(row =>
            row.innerText.includes('Aggregated')
            && Number(row.cells[2].innerText) >= events)""",
        arg=events,
    )


def _until(page: Page, holds: str, argument: int | None = None) -> None:
    """Wait for what is asked of the server: `wait_for_function` takes a promise for an answer."""
    deadline = time.monotonic() + WITHIN_MS / 1_000
    while not page.evaluate(holds, argument):
        assert time.monotonic() < deadline, holds
        page.wait_for_timeout(POLLED_EVERY_MS)
