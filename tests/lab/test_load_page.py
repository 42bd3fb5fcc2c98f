"""The load as a person runs it, in a browser, and what it made against the ledger."""

from __future__ import annotations

import pytest

from monitoring.pages import addresses, listed
from monitoring.pictures.browser import chromium
from tests.chromium import needs_chromium
from tests.lab.fleet import INVENTORY, LAG_S, Lab
from tests.load_page import FIRST, SECOND, driven


@pytest.mark.thorough
@needs_chromium
def test_a_person_starts_changes_and_stops_a_distributed_run_in_a_browser(lab: Lab) -> None:
    (address,) = [url for page, url in addresses(listed(INVENTORY)) if page.name == "Locust"]
    with chromium() as browser:
        report = driven(browser, address).report
    assert report["fields"]["rate"] == FIRST
    assert [change["fields"] for change in report["changes"]] == [{"rate": SECOND}]
    assert report["workers"]["began"] == report["workers"]["ended"] >= len(lab.members("loadtest"))
    assert report["failed"] == {"impressions": 0, "clicks": 0}
    assert report["unknown"] == 0


@pytest.mark.parametrize("client", ["confluent", "kafka-python"])
def test_the_ledger_gains_just_what_a_load_has_made(lab: Lab, client: str) -> None:
    settings = {
        "load_state": "finished",
        "load_checked": "true",
        "load_checked_within": LAG_S,
        "load_client": client,
        "load_rate": 2_000,
        "load_duration": 20,
        "load_shape": "day",
        "load_peak": 4_000,
        "load_period": 10,
        "load_bad": 0.1,
    }
    arguments = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
    assert "has gained exactly the 60,000 events" in lab.playbook("load", *arguments).said
