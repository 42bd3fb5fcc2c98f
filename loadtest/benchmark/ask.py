"""Questions by HTTP that are answered in JSON."""

from __future__ import annotations

import json
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

WITHIN_S = 15.0


class NoAnswerError(Exception):
    """A part of the lab does not answer; the text is a sentence for the user."""


def ask(url: str, **query: object) -> Any:  # noqa: ANN401 - JSON
    """The answer.

    Args:
        url: Of the lab, which is reached over this machine's own bridge and no proxy.
        query: What follows behind the question mark.

    Raises:
        NoAnswerError: There is none, or it is not JSON.
    """
    asked = f"{url}?{urlencode(query)}" if query else url
    try:
        with build_opener(ProxyHandler({})).open(asked, timeout=WITHIN_S) as answer:
            return json.load(answer)
    except (OSError, HTTPException, ValueError) as problem:
        raise NoAnswerError(f"{url} does not answer: {problem}.") from problem
