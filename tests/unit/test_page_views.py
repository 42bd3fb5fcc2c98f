"""What is asked for is answered with the right status, headers and escapes, whatever the id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from werkzeug.test import TestResponse

from monitoring.page.app import LONGEST_ID, make_app
from monitoring.page.letters import Letter
from monitoring.page.metrics import Metrics
from monitoring.page.numbers import Numbers
from monitoring.page.tables import Tables
from monitoring.page.topics import Topics
from tests.unit.page_played import AWAY, Clock, Played, T, at_once, full

NASTY = [
    "a/b",
    "/a",
    "a//b/",
    "..",
    ".",
    "?id=x&by=hour#y",
    "100%",
    "50%25",
    "a+b c",
    "'; DROP TABLE ctr.ctr_windows --",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}",
    "%(limit)s",
    "\\",
    "\n\r\t\0",
    "Größe 🎉 \u202e\u200b",
    "x" * 1_000,
    "🎉" * 1_000,
]
LETTERS = {
    "": (
        Letter("late", "clicks", "0", "5", T * 1_000, 13, "<b>{}</b>"),
        Letter("malformed", "clicks", "0", "4", T * 1_000, None, ""),
        Letter("malformed", "clicks", "0", "3", T * 1_000, 0, ""),
    ),
    "late": (Letter("late", "clicks", "0", "5", T * 1_000, 13, "<b>{}</b>"),),
}


class Page(HTMLParser):
    """The links, forms and elements of a page, and what its elements refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.words += " " if tag in {"td", "th"} else ""
        self.elements.append((tag, of))
        self.links += [link for name in ("href", "src", "action") if (link := of.get(name))]

    def handle_data(self, data: str) -> None:
        self.words += data


def client(
    played: Played | None = None, topics: Topics | None = None, clock: Clock | None = None
) -> FlaskClient:
    clock = clock or Clock()
    registry = CollectorRegistry()
    known = topics or Topics(offsets={}, letters=LETTERS, read_at=0.0)
    numbers = Numbers(
        Tables(played or full()), lambda: known, wall=clock.wall, clock=clock, later=at_once
    )
    return make_app(numbers, Metrics(registry), registry).test_client()


def told(answer: TestResponse) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(answer.text)
    return content


def echo(played: Played) -> Played:
    """The search finds what it looks for, as ClickHouse would."""

    def like(parameters: Mapping[str, Any]) -> list[tuple[str]]:
        return [(re.sub(r"\\(.)", r"\1", parameters["pattern"][:-1], flags=re.DOTALL),)]

    played.rows["products"] = like
    return played


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?fragment=1",
        "/products",
        "/products?q=p",
        "/product?id=product-1",
        "/product?id=product-1&by=hour&fragment=1",
        "/rejected",
        "/rejected?reason=late",
        "/rejected?fragment=1",
        "/api/now",
        "/api/products?q=p",
        "/api/products/product-1?by=minute",
    ],
)
def test_every_view_answers_and_may_be_kept_for_a_second(path: str) -> None:
    answer = client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    assert answer.mimetype == ("application/json" if path.startswith("/api/") else "text/html")
    assert client().head(path).status_code == 200


def test_no_view_needs_anything_from_elsewhere_nor_lets_anything_in() -> None:
    asking = client()
    for path in ("/", "/products?q=p", "/product?id=product-1", "/rejected", "/nowhere"):
        answer = asking.get(path)
        policy = dict(
            part.strip().split(" ", 1)
            for part in answer.headers["Content-Security-Policy"].split(";")
        )
        assert policy["default-src"] == "'none'"
        assert set(policy.values()) == {"'none'", "'self'"}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        page = Page(answer.text)
        assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in page.links)
        for tag, attributes in page.elements:
            assert "style" not in attributes, "the policy would forbid it"
            assert not [name for name in attributes if name.startswith("on")]
            assert tag != "script" or attributes.get("src")


def test_every_link_of_a_view_leads_somewhere() -> None:
    asking = client(echo(full()))
    seen: set[str] = set()
    todo = ["/"]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            answer = asking.get(path)
            assert answer.status_code == 200, path
            if answer.mimetype == "text/html":
                todo += [link.split("#")[0] for link in Page(answer.text).links if link[0] == "/"]
    assert len(seen) > 15


def test_every_named_part_is_there_once() -> None:
    for path in ("/", "/product?id=product-1", "/rejected"):
        elements = Page(client().get(path).text).elements
        names = [of["id"] for _, of in elements if "id" in of]
        assert len(names) == len(set(names))
        wanted = {of["aria-labelledby"] for _, of in elements if "aria-labelledby" in of}
        wanted |= {of["for"] for _, of in elements if "for" in of}
        assert wanted <= set(names)


def test_a_part_is_the_same_with_its_page_and_alone() -> None:
    for path in ("/?", "/product?id=product-1&", "/rejected?"):
        part = client().get(f"{path}fragment=1").text
        assert part in client().get(path).text
        assert "<html" not in part


def test_the_numbers_are_on_the_page() -> None:
    words = " ".join(Page(client().get("/").text).words.split())
    assert "Open window 25.00 % 1 clicks of 4 impressions 16:00:00 to 16:00:10" in words
    assert "Last hour 11.96 % 11 clicks of 92 impressions newest row written 1 s ago" in words
    assert "consumed 110 = counted 100 + rejected 6 + late 4, unexplained 0" in words
    assert "Under way: 0." in words


def test_a_product_shows_its_history_the_newest_first() -> None:
    words = " ".join(Page(client().get("/product?id=product-1").text).words.split())
    assert "product-1" in words
    assert "9.52 %" in words
    assert words.index("16:00:00 4 0 0.00 %") < words.index("15:55:00 80 8 10.00 %")


def test_a_long_history_is_cut_in_the_table_and_whole_in_the_api() -> None:
    played = full()
    played.rows["history"] = [(T - 10 * step, 1, 0) for step in range(300)]
    asking = client(played)
    page = asking.get("/product?id=product-1")
    assert "The newest 120 of 300." in page.text
    api = next(link for link in Page(page.text).links if link.startswith("/api/"))
    assert len(told(asking.get(api))["steps"]) == 300


def test_letters_are_shown_by_reason_and_escaped() -> None:
    asking = client()
    text = asking.get("/rejected?reason=late").text
    assert "&lt;b&gt;{}&lt;/b&gt;" in text
    assert "without a value" not in text
    everything = asking.get("/rejected").text
    assert "without a value" in everything
    assert "empty" in everything
    assert "There is none." in asking.get("/rejected?reason=old_timestamp").text


def test_before_kafka_was_read_and_while_it_is_away_the_page_says_so() -> None:
    text = client(topics=Topics()).get("/rejected").text
    assert "Kafka has not been read yet." in text
    assert "How many events wait in Kafka is not known." in client(topics=Topics()).get("/").text
    gone = Topics({}, LETTERS, 0.0, "Kafka cannot be read: no brokers.")
    answer = client(topics=gone, clock=Clock(34)).get("/rejected")
    assert answer.status_code == 200, "the numbers are ClickHouse's"
    assert "Kafka cannot be read: no brokers." in answer.text
    assert "These are of 34 s ago." in answer.text


@pytest.mark.parametrize("product", NASTY)
def test_a_product_of_any_id_is_found_and_its_links_lead_to_it(product: str) -> None:
    played = echo(full())
    asking = client(played)
    found = asking.get("/products", query_string={"q": product})
    assert found.status_code == 200
    link = next(link for link in Page(found.text).links if link.startswith("/product?"))
    played.asked.clear()
    page = asking.get(link)
    assert page.status_code == 200
    assert {parameters["product"] for _, parameters in played.asked if parameters} == {product}
    assert "<script>alert" not in page.text
    assert "49" not in re.sub(r"[0-9a-f]{12}", "", Page(page.text).words.split("\n")[0])
    for again in Page(page.text).links:
        if again.startswith("/product?"):
            assert asking.get(again).status_code == 200
    assert {parameters["product"] for _, parameters in played.asked if parameters} == {product}


@pytest.mark.parametrize("product", NASTY)
def test_the_api_takes_any_id_in_its_path_and_by_a_parameter(product: str) -> None:
    asking = client()
    by_path = asking.get(f"/api/products/{quote(product, safe='')}")
    by_parameter = asking.get("/api/product", query_string={"id": product})
    assert by_path.status_code == by_parameter.status_code == 200
    assert told(by_path) == told(by_parameter)
    assert told(by_path)["product_id"] == product


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_text_breaks_a_view(text: str) -> None:
    played = echo(full())
    played.rows["top"] = [(text, 3, 1)]
    asking = client(played)
    names = [told(asking.get("/api/now"))["top"][0]["product_id"]]
    links = [link for link in Page(asking.get("/").text).links if link.startswith("/product?")]
    names.append(told(asking.get(links[0].replace("/product?", "/api/product?")))["product_id"])
    assert names == [text, text]
    tags = [tag for tag, _ in Page(asking.get(links[0]).text).elements]
    assert tags.count("script") == 1


def test_what_is_not_there_is_not_found() -> None:
    played = full()
    played.rows["seen"] = [(0, 0, 0)]
    asking = client(played)
    for path in (
        "/product?id=nobody",
        "/api/products/nobody",
        "/nowhere",
        "/rejected?reason=x",
        "/api/x",
    ):
        answer = asking.get(path)
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"] == "no-store"
        assert (answer.mimetype == "application/json") is path.startswith("/api/")
    assert "No impression and no click" in asking.get("/product?id=nobody").text


def test_what_cannot_be_asked_is_refused_with_a_sentence() -> None:
    asking = client()
    long = "x" * (LONGEST_ID + 1)
    for path, sentence in (
        ("/product?id=p&by=year", "by window, minute, hour"),
        ("/api/products/p?by=year", "by window, minute, hour"),
        ("/api/products", "by ?q="),
        (f"/products?q={long}", "more than 16384"),
        (f"/api/products/{long}", "more than 16384"),
    ):
        answer = asking.get(path)
        assert answer.status_code == 400
        assert sentence in answer.text
    answer = asking.post("/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_during_an_outage_the_last_numbers_are_shown_with_their_age() -> None:
    played, clock = full(), Clock()
    asking = client(played, clock=clock)
    paths = ["/", "/products?q=p", "/product?id=product-1", "/rejected"]
    paths += ["/api/now", "/api/products?q=p", "/api/products/product-1"]
    before = {path: asking.get(path) for path in paths}
    played.away = True
    clock.now = 70
    for path in paths:
        asking.get(path)
        answer = asking.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Retry-After"] == "2"
        if path.startswith("/api/"):
            problem = {"problem": str(AWAY), "age_seconds": 70.0}
            assert told(answer) == problem | told(before[path])
        else:
            assert "ClickHouse does not answer: Connection refused." in answer.text
            assert "Shown is what was known 1 min ago." in answer.text
            assert len(answer.text) > len(before[path].text)
    played.away = False
    clock.now = 80
    for path in paths:
        asking.get(path)
        assert asking.get(path).status_code == 200


def test_where_nothing_was_ever_known_the_page_says_why() -> None:
    played = full()
    played.away = True
    asking = client(played)
    for path in ("/", "/product?id=p", "/products?q=p", "/rejected"):
        answer = asking.get(path)
        assert answer.status_code == 503
        assert "ClickHouse does not answer" in answer.text
        assert "Shown is" not in answer.text
    assert told(asking.get("/api/now")) == {"problem": str(AWAY), "age_seconds": 0.0}


def test_where_the_ledger_alone_takes_too_long_the_rest_is_shown_as_it_stands() -> None:
    def refused(_parameters: object) -> list[tuple[object, ...]]:
        raise AWAY

    played = full()
    played.rows["ledger"] = refused
    asking = client(played)
    page = asking.get("/")
    assert page.status_code == 200
    assert f"The ledger could not be read: {AWAY}" in page.text
    assert "Last hour" in page.text
    answer = asking.get("/api/now")
    assert answer.status_code == 200
    now = told(answer)
    assert now["last_hour"]["impressions"] == 92
    assert now["conservation"] is None
    assert now["conservation_problem"] == str(AWAY)
    assert now["conservation_age_seconds"] is None
    assert asking.get("/rejected").status_code == 503


def test_unexplained_offsets_are_told_with_what_to_do() -> None:
    played = full()
    played.rows["ledger"] = [("clicks", 0, "counted", 8, 8, 0, 9)]
    text = client(played).get("/").text
    assert "make reconcile" in text
    assert "law bad" in text


def test_without_any_event_every_view_says_so() -> None:
    played = full()
    nothing = ("recent", "hour", "top", "products", "ledger", "history")
    played.rows |= {name: [] for name in nothing}
    asking = client(played)
    assert "No event was counted in the last hour." in asking.get("/").text
    assert "No product was seen in the last hour." in asking.get("/").text
    assert "No product was counted" in asking.get("/products?q=p").text
    assert "Nothing was counted in this time." in asking.get("/product?id=p").text
    assert "The ledger holds no message yet." in asking.get("/rejected").text
    assert told(asking.get("/api/now"))["window"] is None


def test_the_files_of_a_view_are_kept_for_ever_under_the_address_of_their_content() -> None:
    asking = client()
    files = [link for link in Page(asking.get("/").text).links if link.startswith("/static/")]
    assert len(files) >= 3
    for file in files:
        answer = asking.get(file)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Security-Policy"]
        assert asking.get(file.split("?")[0]).headers["Cache-Control"] == "no-cache"
    assert asking.get("/static/nothing?v=1").headers["Cache-Control"] == "no-store"


def test_it_says_that_it_serves_while_clickhouse_is_away_and_counts_what_it_does() -> None:
    played = full()
    played.away = True
    asking = client(played)
    assert asking.get("/healthz").text == "ok\n"
    asking.get("/")
    asking.get("/product?id=x")
    asking.get("/api/products/any/thing")
    asking.get("/nowhere")
    metrics = asking.get("/metrics").text
    assert 'ctr_page_requests_total{route="/",status="503"} 1.0' in metrics
    assert 'ctr_page_requests_total{route="none",status="404"} 1.0' in metrics
    assert 'ctr_page_request_seconds_count{route="/api/products/<any_text:product>"} 1.0' in metrics
