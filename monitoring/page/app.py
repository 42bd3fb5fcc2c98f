"""The page's routes: what is asked for, with which status and which headers it is answered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Response, g, jsonify, render_template, request, url_for
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import BaseConverter

from flink_job.domain import Outcome
from monitoring.page.chart import chart
from monitoring.page.forms import FILTERS
from monitoring.page.kept import Answer
from monitoring.page.metrics import Metrics
from monitoring.page.numbers import HOUR_S, MINUTE_S, By, History, Numbers
from monitoring.page.told import found_told, history_told, now_told

T = TypeVar("T")

LONGEST_ID = 16_384
ROWS = 120
REASONS = tuple(one for one in Outcome if one is not Outcome.COUNTED)
# Answers are kept for a second anyway, for all users together.
SHORTLY = "public, max-age=1"
NEVER = "no-store"
FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class AnyText(BaseConverter):
    """What is left of a path, whatever is in it: ids of products hold slashes and line ends."""

    regex = r"[\s\S]+"
    part_isolating = False


def make_app(numbers: Numbers, metrics: Metrics, registry: CollectorRegistry) -> Flask:
    """The application.

    Args:
        numbers: What the views show.
        metrics: Counts requests.
        registry: What /metrics tells.
    """
    app = Flask(__name__, static_folder="static")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(asset=_assets(app), By=By, reasons=REASONS)
    app.url_map.converters["any_text"] = AnyText
    app.url_map.merge_slashes = False
    _measure(app, metrics)
    _pages(app, numbers)
    _api(app, numbers)
    _service(app, registry)
    app.register_error_handler(HTTPException, _error)
    return app


def _pages(app: Flask, numbers: Numbers) -> None:
    @app.get("/")
    def now() -> Response:
        answer = numbers.now()
        drawn = None
        if answer.value is not None:
            end = answer.value.at // MINUTE_S * MINUTE_S + MINUTE_S
            drawn = chart(answer.value.minutes, end - HOUR_S, end, MINUTE_S)
        return _page("now", answer, chart=drawn)

    @app.get("/products")
    def products() -> Response:
        prefix = _text("q")
        if not prefix:
            return _page("products", Answer(None, 0, None), q=prefix)
        return _page("products", numbers.products(prefix), q=prefix)

    @app.get("/product")
    def product() -> Response:
        name, by = _text("id"), _by()
        answer = _known(numbers.history(name, by))
        past = answer.value
        drawn = past and chart(past.series, past.first, past.end, past.by.step)
        return _page("product", answer, chart=drawn, product=name, by=by, rows=ROWS)

    @app.get("/rejected")
    def rejected() -> Response:
        reason = request.args.get("reason", "")
        if reason and reason not in REASONS:
            raise NotFound(f"There is no reason of that name; there are {', '.join(REASONS)}.")
        topics = numbers.topics()
        letters = None if topics.letters is None else topics.letters.get(reason, ())
        return _page(
            "rejected",
            numbers.shares(),
            reason=reason,
            letters=letters,
            letters_problem=topics.problem,
            letters_age=numbers.topics_age(),
        )


def _api(app: Flask, numbers: Numbers) -> None:
    @app.get("/api/now")
    def api_now() -> Response:
        answer, shares = numbers.now(), numbers.shares()
        return _json(answer, lambda value: now_told(value, shares.value or ()))

    @app.get("/api/products")
    def api_products() -> Response:
        prefix = _text("q")
        if not prefix:
            raise BadRequest("Say how the id begins, by ?q=")
        return _json(numbers.products(prefix), found_told)

    # By a parameter too, since clients take "." and ".." out of a path before they ask.
    @app.get("/api/product", defaults={"product": None})
    @app.get("/api/products/<any_text:product>")
    def api_product(product: str | None) -> Response:
        name = _text("id") if product is None else _within(product)
        return _json(_known(numbers.history(name, _by())), history_told)


def _service(app: Flask, registry: CollectorRegistry) -> None:
    @app.get("/healthz")
    def healthz() -> Response:
        return _with_cache(Response("ok\n", mimetype="text/plain"), NEVER)

    @app.get("/metrics")
    def metrics() -> Response:
        told = Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
        return _with_cache(told, NEVER)


def _page(name: str, answer: Answer[Any], **more: object) -> Response:
    """A view, or its part that is renewed where that alone is asked for."""
    part = "_" if "fragment" in request.args else ""
    page = render_template(
        f"{part}{name}.html",
        view=name,
        value=answer.value,
        age_s=answer.age_s,
        problem=answer.problem,
        **more,
    )
    return _as_it_stands(Response(page), answer)


def _json(answer: Answer[T], told: Callable[[T], dict[str, Any]]) -> Response:
    value = {} if answer.value is None else told(answer.value)
    if answer.problem is not None:
        value = {"problem": answer.problem, "age_seconds": round(answer.age_s, 1), **value}
    return _as_it_stands(jsonify(value), answer)


def _as_it_stands(response: Response, answer: Answer[Any]) -> Response:
    """With the status of numbers that are there, or of those that cannot be renewed."""
    if answer.problem is None:
        return _with_cache(response, SHORTLY)
    response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    response.headers["Retry-After"] = "2"
    return _with_cache(response, NEVER)


def _with_cache(response: Response, how_long: str) -> Response:
    response.headers["Cache-Control"] = how_long
    return response


def _known(answer: Answer[History | None]) -> Answer[History]:
    """A product's past, if there is such a product.

    Raises:
        NotFound: There is none.
    """
    if answer.value is None and answer.problem is None:
        raise NotFound("No impression and no click of a product with this id was counted.")
    return Answer(answer.value, answer.age_s, answer.problem)


def _text(name: str) -> str:
    return _within(request.args.get(name, ""))


def _within(text: str) -> str:
    if len(text) > LONGEST_ID:
        raise BadRequest(f"An id of more than {LONGEST_ID} characters cannot be asked for.")
    return text


def _by() -> By:
    name = request.args.get("by", By.WINDOW)
    if name not in tuple(By):
        raise BadRequest(f"A history is by {', '.join(By)}.")
    return By(name)


def _error(problem: HTTPException) -> Response:
    status = problem.code or HTTPStatus.INTERNAL_SERVER_ERROR
    title, sentence = problem.name, problem.description or ""
    if request.path.startswith("/api/"):
        response = jsonify({"problem": sentence})
    else:
        response = Response(
            render_template("error.html", view="error", title=title, sentence=sentence)
        )
    # Such as Allow, of a method that is not.
    for name, value in problem.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    response.status_code = status
    return _with_cache(response, NEVER)


def _measure(app: Flask, metrics: Metrics) -> None:
    """Count requests, and give every answer the headers that all have."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers.update(HEADERS)
        if request.endpoint == "static" and response.status_code < HTTPStatus.BAD_REQUEST:
            # The address of a file has its digest; another one is another version.
            _with_cache(response, FOR_EVER if "v" in request.args else "no-cache")
        route = "none" if request.url_rule is None else request.url_rule.rule
        metrics.requests.labels(route, str(response.status_code)).inc()
        metrics.seconds.labels(route).observe(time.perf_counter() - g.began)
        return response


def _assets(app: Flask) -> Callable[[str], str]:
    """Addresses of the files that views need, each with the digest of its content."""
    folder = Path(str(app.static_folder))
    digests = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in folder.iterdir()
    }
    return lambda name: url_for("static", filename=name, v=digests[name])
