"""Every page answers, asks nobody else, and shows something, as a browser sees it."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from monitoring.pages import PAGES, Page, View, addresses, listed
from monitoring.pictures.browser import chromium, picture_of
from tests.chromium import needs_chromium
from tests.lab.fleet import INVENTORY, Lab

RATE, SECONDS = 1_000, 120

Found = dict[str, tuple[Page, str]]


@pytest.fixture(scope="module")
def found(lab: Lab) -> Iterator[Found]:
    """The pages of the lab by name, while there is something to see on them."""
    lab.loaded(RATE, SECONDS)
    yield {page.name: (page, address) for page, address in addresses(listed(INVENTORY))}
    lab.acknowledged()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def view_of(found: Found, name: str) -> tuple[str, View]:
    return next(
        (address, view)
        for page, address in found.values()
        for view in page.views
        if view.name == name
    )


@pytest.mark.parametrize("name", sorted({page.name for page in PAGES}))
def test_a_page_answers(found: Found, name: str) -> None:
    page, address = found[name]
    for path in (page.opens, *(view.path for view in page.views)):
        url = f"{address}{path.split('#')[0]}"
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - of the inventory
            assert answer.read().strip(), url


@needs_chromium
@pytest.mark.parametrize("name", sorted({view.name for page in PAGES for view in page.views}))
def test_a_picture_of_a_page_has_content_and_nobody_else_was_asked(
    found: Found, browser: Browser, name: str
) -> None:
    address, view = view_of(found, name)
    assert picture_of(browser, address, view).elsewhere == ()
