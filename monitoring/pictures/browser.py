"""Chromium without a screen, which opens pages and takes their pictures."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Error, Page, sync_playwright
from playwright.sync_api import TimeoutError as LateError

from monitoring.pages import View
from monitoring.pictures.content import nothing_on_it_because

WIDTH = 1_440
COMES_WITHIN_S = 60
SHOWS_WITHIN_S = 60
SEEN = Path(__file__).with_name("seen.js")
# Nothing that Chromium does by itself reaches out.
QUIET = (
    "--no-first-run",
    "--disable-quic",
    "--disable-gpu",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
)
MISSING = "window.ctrPictures.missing"


class PictureError(Exception):
    """There is no picture; the text is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page looks like.

    Attributes:
        png: The picture.
        elsewhere: Addresses on other hosts that the page has asked for something.
    """

    png: bytes
    elsewhere: tuple[str, ...]


def no_browser_because() -> str | None:
    """Why there can be no pictures on this machine, a sentence; None where there can."""
    if _chromium() is None:
        return (
            "There is no Chromium on this machine: install it (Debian: apt install chromium), "
            "or name yours: CHROMIUM=/path/to/chromium."
        )
    return None


def _chromium() -> str | None:
    return shutil.which(os.environ.get("CHROMIUM", "chromium"))


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, for as long as it is needed.

    Raises:
        PictureError: There is none, or it does not start.
    """
    if (why := no_browser_because()) is not None:
        raise PictureError(why)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=_chromium(),
                args=list(QUIET),
                # Its sandbox is not for root, and the pages are this project's own.
                chromium_sandbox=os.geteuid() != 0,
            )
        except Error as problem:
            raise PictureError(f"Chromium does not start: {problem.message}") from problem
        try:
            yield browser
        finally:
            browser.close()


def picture_of(browser: Browser, address: str, view: View) -> Picture:
    """Open a view, wait until all that it must show is there, and take its picture.

    Args:
        browser: The browser.
        address: Of the page, without a path.
        view: What to open and what must be seen.

    Raises:
        PictureError: The page does not come, lacks something, or its picture is empty.
    """
    url = f"{address}{view.path}"
    context = browser.new_context(viewport={"width": WIDTH, "height": view.height})
    context.set_default_timeout(COMES_WITHIN_S * 1_000)
    context.add_init_script(path=SEEN)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        _open(page, url, view)
        png = _drawn(page, url)
    finally:
        context.close()
    return Picture(png, elsewhere(address, asked))


def elsewhere(address: str, asked: list[str]) -> tuple[str, ...]:
    """Of the addresses that a page has asked, those on other hosts than its own."""
    own = urlsplit(address).hostname
    hosts = [(urlsplit(url).hostname, url) for url in asked]
    return tuple(dict.fromkeys(url for host, url in hosts if host not in (None, own)))


def _open(page: Page, url: str, view: View) -> None:
    try:
        answer = page.goto(url, wait_until="domcontentloaded")
    except Error as problem:
        raise PictureError(f"{url} does not come: {_first_line(problem)}.") from problem
    if answer is not None and not answer.ok:
        raise PictureError(f"{url} answers {answer.status} {answer.status_text}.")
    patience = SHOWS_WITHIN_S * 1_000
    for selector in view.clicks:
        try:
            page.locator(selector).first.click(timeout=patience)
        except LateError as late:
            raise PictureError(f"{url}: after {SHOWS_WITHIN_S} s no {selector}.") from late
    wanted = asdict(view)
    try:
        there = f"view => {MISSING}(view).length === 0"
        page.wait_for_function(there, arg=wanted, timeout=patience)
    except LateError as late:
        missing = "; ".join(page.evaluate(f"view => {MISSING}(view)", wanted))
        raise PictureError(f"{url}: after {SHOWS_WITHIN_S} s {missing}.") from late


def _drawn(page: Page, url: str) -> bytes:
    """The picture, once what was written is drawn: two frames later, with all fonts."""
    page.evaluate(
        "() => document.fonts.ready.then(() => new Promise((done) =>"
        " requestAnimationFrame(() => requestAnimationFrame(done))))"
    )
    png = page.screenshot()
    if (why := nothing_on_it_because(png)) is not None:
        raise PictureError(f"The picture of {url} is empty: {why}.")
    return png


def _first_line(problem: Error) -> str:
    return problem.message.splitlines()[0]
