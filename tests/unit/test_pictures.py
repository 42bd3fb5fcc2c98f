from __future__ import annotations

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from monitoring import pages
from monitoring.pages import PAGES, InventoryError, View, addresses, is_there, listed
from monitoring.pictures import __main__ as command
from monitoring.pictures import browser
from monitoring.pictures.browser import Picture, PictureError, elsewhere, no_browser_because
from monitoring.pictures.content import nothing_on_it_because

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


@pytest.mark.parametrize(
    ("said", "status", "wanted"),
    [('{"_meta": {}}', 0, {"_meta": {}}), ("no such host", 1, InventoryError)],
)
def test_an_inventory_is_read_by_ansible_or_its_words_are_told(
    said: str, status: int, wanted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ansible-inventory"
    program.write_text(f"#!/bin/sh\necho '{said}' >&{1 + status}\nexit {status}\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    if isinstance(wanted, dict):
        assert listed(tmp_path) == wanted
    else:
        with pytest.raises(wanted, match=said):
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
    assert "no view nothing" in capsys.readouterr().err.lower()


def test_a_view_is_told_apart_by_what_it_shows() -> None:
    view = PAGES[0].views[0]
    assert replace(view, text=()) != view
