"""`python -m flink_job.loader.retention`: drop the days of windows that are older than is kept.

It stands alone, without a library: ClickHouse's hosts run a copy of this folder by a timer.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

SQL = Path(__file__).parent
ANSWER_TIMEOUT_S = 600.0
DONE, FAILED = 0, 1
KEYS = ("url", "user", "password")

# An event may be seven days old, so that the windows of a day are final only on the ninth: one that
# was dropped before would come back with a part of what it held.
FEWEST_DAYS = 8

Ask = Callable[[str], str]


class RetentionError(Exception):
    """ClickHouse cannot be asked; the text is a sentence for the operator."""


def retire(ask: Ask, days: int) -> Iterator[str]:
    """Drop what is older than so many days, the oldest day first; each day once it is gone.

    Cut off in between, the next run does the rest: a day's sums are there before it goes, and
    writing them twice does no harm.

    Args:
        ask: Runs a statement; what ClickHouse answers.
        days: How many whole days are kept beside today.
    """
    for day in ask(_statement("old_days.sql", days=days)).split():
        for step in ("sum_day.sql", "drop_day.sql"):
            ask(_statement(step, day=int(day)))
        yield day


def asking(login: Path) -> Ask:
    """Asks the ClickHouse of a file with url, user and password.

    Raises:
        RetentionError: The file cannot be read; the sentence holds no value of it.
    """
    try:
        url, user, password = (json.loads(login.read_bytes())[key] for key in KEYS)
    except OSError as problem:
        raise RetentionError(f"{login} cannot be read: {problem.strerror}.") from None
    except (ValueError, LookupError, TypeError):
        raise RetentionError(f"{login} is not JSON with {', '.join(KEYS)}.") from None
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    opener = build_opener(ProxyHandler({}))

    def ask(statement: str) -> str:
        header = {"Authorization": f"Basic {token}"}
        request = Request(url, data=statement.encode(), headers=header)  # noqa: S310 - ours
        try:
            with opener.open(request, timeout=ANSWER_TIMEOUT_S) as answer:
                return str(answer.read().decode())
        except HTTPError as problem:
            said = problem.read().decode(errors="replace").strip()
            raise RetentionError(f"ClickHouse refuses: {said or problem}") from None
        except (URLError, OSError) as problem:
            raise RetentionError(f"ClickHouse cannot be asked: {problem}") from None

    return ask


def main(arguments: list[str] | None = None) -> int:
    """Run from the command line; the exit status: 0 done, 1 ClickHouse cannot be asked."""
    parser = argparse.ArgumentParser(prog="retention", description=__doc__)
    parser.add_argument("--login", type=Path, required=True, help="JSON: url, user and password")
    parser.add_argument("--days", type=int, required=True, help="whole days that are kept")
    chosen = parser.parse_args(arguments)
    if chosen.days < FEWEST_DAYS:
        parser.error(
            f"--days is {chosen.days}: days before the ninth are not final, keep 8 or more"
        )
    try:
        for day in retire(asking(chosen.login), chosen.days):
            sys.stdout.write(f"dropped the windows of {day}; the sums of its hours are kept\n")
    except RetentionError as problem:
        sys.stderr.write(f"{problem}\n")
        return FAILED
    return DONE


def _statement(file: str, **values: int) -> str:
    # Whole numbers only, so that nothing needs quoting. ClickHouse 18.16 takes no parameters.
    return (SQL / file).read_text(encoding="utf-8").format(**values)


if __name__ == "__main__":
    sys.exit(main())
