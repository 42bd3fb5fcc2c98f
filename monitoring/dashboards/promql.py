"""Expressions that several dashboards ask in the same words."""

from __future__ import annotations

# Grafana's own width of a rate: at least four scrapes, more where a graph covers days.
WINDOW = "$__rate_interval"

# Where one partition lacks outcomes and another has too many both are wrong, and a sum would hide
# it. What is under way is gone within the minute.
UNEXPLAINED = "sum(abs(max by (topic, partition) (min_over_time(ctr_unexplained_events[1m]))))"

# Flink names a task by all operators in it. Of the patterns that fit, the last one names the step.
TASKS = (
    ("Source:?_.*", "read"),
    (".*ctr_windows.*", "windows"),
    (".*ctr_ledger.*", "ledger"),
)


def rate(series: str, by: str = "", window: str = WINDOW) -> str:
    """The sum of the rates of counters, a second; a sum for each value of the labels `by`."""
    grouped = f" by ({by}) " if by else ""
    return f"sum{grouped}(rate({series}[{window}]))"


def once(series: str) -> str:
    """What each exporter tells alike, one time: where several hosts watch, Prometheus asks all."""
    return f"max without (host, instance) ({series})"


def rate_once(series: str, by: str = "", window: str = WINDOW) -> str:
    """The rate of counters that each exporter tells alike."""
    grouped = f" by ({by}) " if by else ""
    return f"sum{grouped}({once(f'rate({series}[{window}])')})"


def quantile(share: float, buckets: str, by: str = "", window: str = WINDOW) -> str:
    """The value that `share` of a histogram's observations do not exceed."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, {rate(buckets, labels, window)})"


def stepped(series: str) -> str:
    """Series of Flink's tasks with the label `step`: read, windows or ledger."""
    expr = f'label_replace({series}, "step", "$1", "task_name", "(.{{1,24}}).*")'
    for pattern, name in TASKS:
        expr = f'label_replace({expr}, "step", "{name}", "task_name", "{pattern}")'
    return expr
