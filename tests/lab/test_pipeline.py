"""The whole pipeline on the lab, each result held against what was sent."""

from __future__ import annotations

import json
import re
import time
from uuid import uuid4

import pytest

from flink_job.audit.flow import LATELY_S
from flink_job.domain import Outcome, fold
from tests.lab.fleet import LAG_S, Lab, Message, eventually
from tests.nasty import NASTY, T

WINDOW_MS = 10_000
# Ahead of the append time, so that no delay makes an event late; up to 60 s ahead are no error.
AHEAD_MS = 30_000


def event(product: str, kind: str, time_ms: int) -> Message:
    fields = {"userId": "u-1", "productId": product, "eventType": kind, "timestamp": time_ms}
    topic = "clicks" if kind == "click" else "impressions"
    return topic, product, json.dumps(fields).encode()


def a_window() -> int:
    """The start of a window that no delay of this machine can make late."""
    return (int(time.time() * 1_000) + AHEAD_MS) // WINDOW_MS * WINDOW_MS


def name() -> str:
    """A product that nobody else sends."""
    return f"test-{uuid4().hex[:12]}"


def rows(lab: Lab, product: str) -> list[tuple[int, int, int]]:
    """Window in ms, impressions and clicks of a product, by window."""
    found = lab.query(
        "SELECT toUnixTimestamp(window_start) AS start, impressions, clicks "
        f"FROM ctr.ctr_windows FINAL WHERE product_id = '{product}' ORDER BY start"
    )
    return [
        (int(row["start"]) * 1_000, int(row["impressions"]), int(row["clicks"])) for row in found
    ]


def wait_for_rows(lab: Lab, product: str, wanted: list[tuple[int, int, int]]) -> None:
    eventually(
        lambda: True if rows(lab, product) == wanted else None, f"{product} has the rows {wanted}"
    )


def test_a_hundred_impressions_and_25_clicks_are_a_ctr_of_a_quarter(lab: Lab) -> None:
    product, window = name(), a_window()
    sent = [event(product, "impression", window + number) for number in range(100)]
    sent += [event(product, "click", window + number) for number in range(25)]
    lab.send(sent)
    wait_for_rows(lab, product, [(window, 100, 25)])
    (row,) = lab.query(
        "SELECT clicks / impressions AS ctr FROM ctr.ctr_windows FINAL "
        f"WHERE product_id = '{product}'"
    )
    assert row["ctr"] == 0.25


def test_ten_products_share_a_window(lab: Lab) -> None:
    products, window = [name() for _ in range(10)], a_window()
    lab.send(
        [
            event(product, "view", window + number)
            for number, product in enumerate(products, start=1)
            for _ in range(number)
        ]
    )
    for number, product in enumerate(products, start=1):
        wait_for_rows(lab, product, [(window, number, 0)])


def test_late_within_lateness_is_counted_and_beyond_it_is_a_dead_letter(lab: Lab) -> None:
    def sent() -> tuple[str, list[tuple[int, int, int]], int] | None:
        """One event for each second of the last minute, once there are some of each kind.

        A window's end is in the 5 s of lateness at every other moment only.
        """
        product, now = name(), int(time.time() * 1_000)
        records = lab.send([event(product, "impression", now - 1_000 * age) for age in range(60)])
        wanted = fold(records)
        counted = [
            (key.window_start, row.impressions, row.clicks) for key, row in wanted.windows.items()
        ]
        within = [start for start, *_ in counted if start + WINDOW_MS + 5_000 <= now]
        reasons = [letter.reason for letter in wanted.dead_letters.values()]
        late = reasons.count(Outcome.LATE)
        return (product, sorted(counted), late) if within and late else None

    product, counted, late = eventually(sent, "events late within the lateness and beyond it")
    wait_for_rows(lab, product, counted)

    def letters() -> list[str] | None:
        said = lab.on(
            "kafka1",
            "kafka-console-consumer --bootstrap-server kafka1:9092 --topic dead-letters"
            " --from-beginning --timeout-ms 15000 --formatter-property print.headers=true"
            f" 2>/dev/null | grep {product}",
        ).splitlines()
        return said if len(said) >= late else None

    found = eventually(letters, f"{late} dead letters of {product}")
    assert all("reason:late" in letter for letter in found)


@pytest.mark.parametrize("value", [None, b"[]", b"\xff", b'{"userId":"u"}'])
def test_what_is_no_event_is_in_the_ledger_and_stops_nothing(lab: Lab, value: bytes | None) -> None:
    job = lab.running_job()
    (record,) = lab.send([("impressions", name(), value)])
    (outcome,) = {letter.reason for letter in fold([record]).dead_letters.values()}

    def listed() -> bool | None:
        found = lab.query(
            "SELECT 1 FROM ctr.ledger FINAL WHERE topic = 'impressions' "
            f"AND partition = {record.partition} AND outcome = '{outcome}' "
            f"AND first_offset <= {record.offset} AND last_offset >= {record.offset}"
        )
        return True if found else None

    eventually(listed, f"{value!r} is in the ledger as {outcome}")
    product, window = name(), a_window()
    lab.send([event(product, "click", window)])
    wait_for_rows(lab, product, [(window, 0, 1)])
    assert lab.running_job() == job


def test_messages_of_every_codec_are_counted_and_can_be_audited(lab: Lab) -> None:
    job, window = lab.running_job(), a_window()
    products = {codec: name() for codec in ("gzip", "snappy", "lz4", "zstd")}
    for codec, product in products.items():
        lab.send([event(product, "view", window + number) for number in range(20)], codec)
    for product in products.values():
        wait_for_rows(lab, product, [(window, 20, 0)])
    assert lab.running_job() == job
    assert lab.all_is_as_specified()


def test_no_message_of_the_corpus_restarts_the_job_and_each_has_its_outcome(lab: Lab) -> None:
    job, failure = lab.running_job(), lab.last_failure()
    now = str(int(time.time() * 1_000)).encode()
    sent: list[Message] = []
    for number, (value, _) in enumerate(NASTY.values()):
        # As they are, which is long ago, and as if they had been made now.
        sent.append(("impressions", f"nasty-{number}", value))
        if value is not None and str(T).encode() in value:
            sent.append(("clicks", f"nasty-{number}", value.replace(str(T).encode(), now)))
    sent += [("clicks", "", None), ("clicks", "k" * 900_000, None), ("clicks", "k" * 900_000, b"{")]
    # The second is late by the first one's clock.
    sent += [event(job, "view", int(now)), event(job, "view", int(now) - 60_000)]
    records = sorted(lab.send(sent), key=lambda record: record.offset)
    outcomes = {key.outcome for key in fold(records).ledger}
    assert outcomes == set(Outcome)
    assert lab.all_is_as_specified()
    assert lab.law_is_kept()
    assert (lab.running_job(), lab.last_failure()) == (job, failure)


def test_transactions_count_once_committed_and_their_other_offsets_are_told(lab: Lab) -> None:
    product, window = name(), a_window()
    views = [event(product, "view", window + number) for number in range(10)]
    clicks = [event(product, "click", window + number) for number in range(10)]
    # Its clicks partition holds aborted records and markers alone, behind what was there.
    lab.transact([(True, views[:5]), (False, clicks), (True, views[5:]), (False, clicks)])
    wait_for_rows(lab, product, [(window, 10, 0)])

    said = lab.playbook("reconcile", "-e", f"reconcile_within={LAG_S}").said
    found = re.search(r"unexplained 0; (\d+) offsets hold no record", said)
    assert found is not None, said
    assert int(found[1]) >= 2 * len(clicks) + 4
    assert lab.all_is_as_specified()

    def quiet() -> bool | None:
        # The canary's rows go on.
        (row,) = lab.query(
            "SELECT now() - max(inserted_at) AS age FROM ctr.ctr_windows "
            "WHERE product_id NOT LIKE 'ctr-canary-%'"
        )
        return True if int(row["age"]) > LATELY_S else None

    eventually(quiet, "no row is written any more", within_s=2 * LATELY_S)
    said = lab.playbook("status").said
    assert "rows: " in said
    assert "FAULT" not in said
