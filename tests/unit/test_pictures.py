from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser

from monitoring import pages
from monitoring.pages import PAGES, InventoryError, View, addresses, is_there, listed
from monitoring.pictures import __main__ as command
from monitoring.pictures import browser
from monitoring.pictures.browser import (
    Picture,
    PictureError,
    chromium,
    elsewhere,
    no_browser_because,
    picture_of,
)
from monitoring.pictures.content import nothing_on_it_because
from tests.chromium import needs_chromium

FLEET = {
    "_meta": {
        "hostvars": {
            "a": {"ansible_host": "10.0.0.1"},
            "b": {"locust_web_port": 9000},
            "m": {"ansible_host": "10.0.0.4"},
        }
    },
    "flink_jobmanager": {"hosts": ["b", "a"]},
    "loadtest": {"hosts": ["b"]},
}
WATCHED = {**FLEET, "monitoring": {"hosts": ["m"]}}


def png(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "png")
    return written.getvalue()


def of_the_fleet(inventory: Mapping[str, Any], *, answers: bool = True) -> dict[str, str]:
    found = addresses(inventory, lambda _: answers)
    return {page.name: address for page, address in found}


def test_pages_are_at_the_first_host_of_their_group_whatever_the_order() -> None:
    assert of_the_fleet(FLEET)["Flink"] == "http://10.0.0.1:8081"


def test_a_port_is_what_the_inventory_says_or_else_the_role() -> None:
    assert of_the_fleet(FLEET)["Locust"] == "http://b:9000"
    assert of_the_fleet(WATCHED)["Alertmanager"] == "http://10.0.0.4:9093"


def test_pages_of_groups_without_hosts_are_left_out() -> None:
    assert set(of_the_fleet(FLEET)) == {"Flink", "Locust"}


def test_of_pages_with_one_name_the_first_that_answers_is_meant() -> None:
    assert of_the_fleet(WATCHED, answers=True)["Dashboards"].endswith(":3000")
    assert of_the_fleet(WATCHED, answers=False)["Dashboards"].endswith(":9090")


def test_an_address_answers_while_somebody_listens_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert is_there(address)
    assert not is_there(address)


def test_ports_and_their_variables_are_those_of_the_roles() -> None:
    said: dict[str, str] = {}
    for path in (Path(pages.__file__).parents[1] / "roles").glob("*/defaults/main.yml"):
        said.update(re.findall(r"^(\w+_port): (\d+)$", path.read_text(), re.MULTILINE))
    compared = {page.variable: str(page.port) for page in PAGES if page.variable in said}
    assert compared
    assert compared.items() <= said.items()


def test_a_name_of_a_picture_belongs_to_one_page() -> None:
    names = {(page.name, view.name) for page in PAGES for view in page.views}
    assert len(names) == len({name for _, name in names})


def test_every_view_says_what_must_be_seen() -> None:
    for page in PAGES:
        for view in page.views:
            assert view.text or view.sent, view
            for pattern in (*view.text, *view.without):
                re.compile(pattern)


def test_an_inventory_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="nowhere is not there"):
        listed(tmp_path / "nowhere")


def ansible_says(said: str, status: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Play ansible-inventory: what it says, to standard error if it fails."""
    program = folder / "ansible-inventory"
    program.write_text(f"#!/bin/sh\necho '{said}' >&{2 if status else 1}\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(folder / "python"))


def test_an_inventory_is_read_by_ansible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ansible_says('{"_meta": {}}', 0, tmp_path, monkeypatch)
    assert listed(tmp_path) == {"_meta": {}}


def test_why_ansible_cannot_read_an_inventory_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ansible_says("no such group", 1, tmp_path, monkeypatch)
    with pytest.raises(InventoryError, match="cannot be read: no such group"):
        listed(tmp_path)


def test_a_picture_of_one_colour_shows_nothing() -> None:
    assert "1 colours" in (nothing_on_it_because(png(Image.new("RGB", (100, 100)))) or "")


def test_a_picture_with_a_spot_on_it_shows_nothing() -> None:
    image = Image.new("RGB", (1000, 1000), "white")
    for x in range(30):
        image.putpixel((x, 0), (x * 8, 0, 0))
    assert "100.0%" in (nothing_on_it_because(png(image)) or "")


def test_a_picture_of_many_colours_shows_something() -> None:
    assert nothing_on_it_because(png(Image.linear_gradient("L"))) is None


def test_what_a_page_asks_of_other_hosts_is_told_once() -> None:
    asked = [
        "http://10.0.0.4:8000/",
        "http://10.0.0.4:9090/api",
        "data:image/png;base64,AAAA",
        "https://fonts.example/css",
        "https://fonts.example/css",
    ]
    assert elsewhere("http://10.0.0.4:8000", asked) == ("https://fonts.example/css",)


def test_without_a_browser_a_sentence_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    assert "apt install chromium" in (no_browser_because() or "")
    with pytest.raises(PictureError, match="no Chromium"), browser.chromium():
        pass


def run(
    monkeypatch: pytest.MonkeyPatch, into: Path, *arguments: str, broken: str | None = None
) -> int:
    """The command with a browser that is played; the view `broken` does not come."""

    @contextmanager
    def played() -> Iterator[None]:
        yield

    def taken(_: None, address: str, view: View) -> Picture:
        if view.name == broken:
            raise PictureError(f"{address} does not come.")
        return Picture(b"png", ())

    monkeypatch.setattr(command, "chromium", played)
    monkeypatch.setattr(command, "picture_of", taken)
    monkeypatch.setattr(command, "listed", lambda _: FLEET)
    monkeypatch.setattr("sys.argv", ["pictures", "--inventory=x", f"--into={into}", *arguments])
    return command.main()


def test_each_view_gets_a_file_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, tmp_path / "images") == 0
    assert {file.name for file in (tmp_path / "images").iterdir()} == {"flink.png", "locust.png"}


def test_a_page_that_does_not_come_is_told_and_the_others_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, broken="flink") == 1
    assert capsys.readouterr().err == "http://10.0.0.1:8081 does not come.\n"
    assert [file.name for file in tmp_path.iterdir()] == ["locust.png"]


def test_one_view_can_be_taken_alone_and_an_unknown_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, "--only=flink") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["flink.png"]
    assert run(monkeypatch, tmp_path, "--only=nothing") == 1
    assert "has a view nothing" in capsys.readouterr().err.lower()


SITE = {
    "/late": "<body><script>requestAnimationFrame(() => { document.body.innerText ="
    " 'Rows: 12 '.repeat(200) })</script>",
    "/bare": "<body style='background: navy'>",
    "/waits": "<body><p>No data</p><canvas></canvas><section aria-label='Lag'>Lag</section>",
    "/painted": "<body style='background: linear-gradient(red, blue)'><canvas></canvas>"
    "<section aria-label='Lag'>Lag 12</section><script>document.querySelector('canvas')"
    ".getContext('2d').fillRect(0, 0, 9, 9)</script>",
    "/asks": "<body style='background: linear-gradient(red, blue)'>"
    "<img src='http://elsewhere.invalid/font.png'>seen",
    "/list": "<body><a href='/painted'>one</a>",
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of a server of the pages above."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path in SITE else 404)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(SITE.get(self.path, "There is no such page.").encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def started() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@needs_chromium
@pytest.mark.parametrize(
    "view",
    [
        View("late", path="/late", text=(r"rows: \d+",), without=("No data",)),
        View("painted", path="/painted", canvas="canvas", boxes="section"),
        View("clicked", path="/list", clicks=("a",), text=("Lag 12",)),
    ],
    ids=lambda view: view.name,
)
def test_a_picture_is_taken_once_all_is_there(started: Browser, site: str, view: View) -> None:
    assert nothing_on_it_because(picture_of(started, site, view).png) is None


@needs_chromium
def test_a_page_that_asks_other_hosts_is_told_apart(started: Browser, site: str) -> None:
    picture = picture_of(started, site, View("asks", path="/asks", text=("seen",)))
    assert picture.elsewhere == ("http://elsewhere.invalid/font.png",)


@needs_chromium
@pytest.mark.parametrize(
    ("view", "says"),
    [
        (View("a", path="/nowhere"), "/nowhere answers 404"),
        (View("b", path="/bare"), "is empty: it has no more than 1 colours"),
        (View("c", path="/waits", text=("12",)), "no text is like 12"),
        (View("d", path="/waits", without=("No data",)), "a text is still like No data"),
        (View("e", path="/waits", canvas="canvas"), "1 of 1 drawings are empty"),
        (View("f", path="/waits", boxes="section"), 'nothing is in "Lag"'),
        (View("g", path="/bare", canvas="canvas", boxes="p"), "there is no drawing"),
        (View("h", path="/waits", sent=("impressions",)), "impressions was not sent"),
        (View("i", path="/waits", clicks=("#job",)), "after 1 s no #job"),
    ],
    ids=lambda value: value.name if isinstance(value, View) else "",
)
def test_what_a_page_lacks_is_told(
    started: Browser, site: str, view: View, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser, "SHOWS_WITHIN_S", 1)
    with pytest.raises(PictureError, match=re.escape(says)):
        picture_of(started, site, view)


@needs_chromium
def test_a_page_where_nobody_listens_is_told(started: Browser) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(PictureError, match="does not come"):
        picture_of(started, address, View("gone"))
