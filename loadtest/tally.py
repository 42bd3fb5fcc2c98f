"""Locust's statistics, many events at once.

Locust's own way is an event of its own for every request, which halves the rate; and its workers
send no statistics behind the word that they have stopped, which loses the last seconds.
"""

from __future__ import annotations

import time
from typing import Any

from locust.env import Environment
from locust.runners import WorkerRunner
from locust.stats import RequestStats, StatsEntry, StatsError, bucket_response_time

METHOD = "KAFKA"


def acknowledged(stats: RequestStats, topic: str, count: int, took_ms: int) -> None:
    """Book events that Kafka has acknowledged.

    Args:
        stats: Of this process.
        topic: Where they are.
        count: How many.
        took_ms: How long the last of them took.
    """
    for entry in (stats.get(topic, METHOD), stats.total):
        _requests(entry, count)
        entry.total_response_time += took_ms * count
        shortest = entry.min_response_time
        entry.min_response_time = took_ms if shortest is None else min(shortest, took_ms)
        entry.max_response_time = max(entry.max_response_time, took_ms)
        entry.response_times[bucket_response_time(took_ms)] += count


def failed(stats: RequestStats, topic: str, count: int, reason: str) -> None:
    """Book events that are not in Kafka, and why.

    Args:
        stats: Of this process.
        topic: Where they should be.
        count: How many.
        reason: What the client says.
    """
    now = int(time.time())
    for entry in (stats.get(topic, METHOD), stats.total):
        _requests(entry, count)
        entry.num_none_requests += count
        entry.num_failures += count
        entry.num_fail_per_sec[now] += count
    key = StatsError.create_key(METHOD, topic, reason)
    error = stats.errors.setdefault(key, StatsError(METHOD, topic, reason))
    error.occurred()
    error.occurrences += count - 1


def report(environment: Environment) -> None:
    """Tell the master what this worker has booked so far; alone, there is nobody to tell."""
    runner = environment.runner
    if isinstance(runner, WorkerRunner):
        data: dict[str, object] = {}
        fire: Any = environment.events.report_to_master.fire
        fire(client_id=runner.client_id, data=data)
        runner.send_message("stats", data)


def _requests(entry: StatsEntry, count: int) -> None:
    now = time.time()
    entry.num_requests += count
    entry.num_reqs_per_sec[int(now)] += count
    entry.last_request_timestamp = now
