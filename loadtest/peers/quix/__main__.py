"""Both topics as one dataframe: judged, windowed by event time with 10 s of grace."""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, message_context
from quixstreams.dataframe.windows import Sum

from flink_job.domain import Outcome
from flink_job.domain.window import ALLOWED_LATENESS_MS, OUT_OF_ORDER_MS, WINDOW_MS
from loadtest.peers.rules import said
from loadtest.peers.told import Told
from loadtest.peers.written import letter


def judged(value: bytes | None, _key: Any, appended: int, _headers: Any) -> dict[str, Any]:  # noqa: ANN401 - the framework's
    """Rules 1 to 5: a count of a product, or a reason, with the message for a dead letter."""
    fact = said(value, appended)
    if isinstance(fact, Outcome):
        return {"reason": fact, "value": value}
    return {
        "reason": None,
        "value": value,
        "product": fact.product,
        "timestamp": fact.timestamp,
        "impressions": not fact.click,
        "clicks": fact.click,
    }


def row(window: dict[str, Any], product: str, _time: int, _headers: Any) -> dict[str, Any]:  # noqa: ANN401 - the framework's
    """A window that has ended."""
    return {
        "product_id": product,
        "window_start": window["start"],
        "impressions": window["impressions"],
        "clicks": window["clicks"],
    }


def main() -> int:
    """Run until it is ended."""
    told = Told.by()
    app = Application(
        broker_address=told.kafka,
        consumer_group=told.windows,
        auto_offset_reset="earliest",
        loglevel="WARNING",
        state_dir=told.state,
        consumer_extra_config={"isolation.level": "read_committed"},
        producer_extra_config={"linger.ms": 5, "compression.type": "lz4"},
    )
    impressions, clicks = (
        app.dataframe(app.topic(name, key_deserializer="str", value_deserializer="bytes"))
        for name in ("impressions", "clicks")
    )
    windows = app.topic(told.windows, key_serializer="str", value_serializer="json")
    producer = app.get_producer()

    def dead(value: dict[str, Any], reason: Outcome, topic: str, partition: int, at: int) -> None:
        words = letter(topic, partition, at, reason, value["value"])
        producer.produce(told.letters, words["value"], words["key"], words["headers"])

    def rejected(value: dict[str, Any]) -> None:
        at = message_context()
        dead(value, value["reason"], at.topic, at.partition, at.offset)

    def late(  # noqa: PLR0913, PLR0917 - the framework's
        value: dict[str, Any],
        key: Any,  # noqa: ANN401, ARG001
        timestamp_ms: int,  # noqa: ARG001
        late_by_ms: int,  # noqa: ARG001
        start: int,  # noqa: ARG001
        end: int,  # noqa: ARG001
        store_name: str,  # noqa: ARG001
        topic: str,
        partition: int,
        offset: int,
    ) -> bool:
        dead(value, Outcome.LATE, topic, partition, offset)
        return False

    events = impressions.concat(clicks).apply(judged, metadata=True)
    events.filter(lambda one: one["reason"] is not None).update(rejected)
    (
        events.filter(lambda one: one["reason"] is None)
        .set_timestamp(lambda one, _key, _time, _headers: one["timestamp"])
        .tumbling_window(WINDOW_MS, grace_ms=OUT_OF_ORDER_MS + ALLOWED_LATENESS_MS, on_late=late)
        .agg(impressions=Sum("impressions"), clicks=Sum("clicks"))
        .final(closing_strategy="partition")
        .apply(row, metadata=True)
        .to_topic(windows)
    )
    with producer:
        app.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
