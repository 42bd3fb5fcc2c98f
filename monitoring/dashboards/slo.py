"""The promise: 99.9 % of the canaries of 30 days are a row within 3 s."""

from __future__ import annotations

from monitoring.dashboards.board import Board, Row
from monitoring.dashboards.panels import (
    QUANTILES,
    Bars,
    Lines,
    Number,
    Query,
    falling,
    rising,
)
from monitoring.dashboards.promql import UNEXPLAINED, quantile, rate

CANARIES = "ctr_canary_seconds_count"
BUCKETS = "ctr_canary_seconds_bucket"
IN_TIME = 'ctr_canary_seconds_bucket{le=~"3([.]0)?"}'
MAY_BE_LATE = "scalar(limit:ctr_late_canaries_ratio)"
BURNING = "CtrLatencyBudgetBurning"


def late(window: str) -> str:
    """The recorded share of canaries that took longer; of long windows it is some minutes old."""
    return f"last_over_time(slo:ctr_latency:late_ratio_{window}[15m])"


BUDGET = Row(
    "The promise: 99.9 % of canaries are a row within 3 s, over 30 days",
    (
        Number(
            title="Within 3 s, 30 days",
            tells="The share of the canaries of 30 days that were a row within 3 s; where "
            "Prometheus keeps less, of all that it has.",
            normal="99.9 % or more.",
            unit="percentunit",
            decimals=3,
            queries=(Query(f"1 - {late('30d')}"),),
            steps=falling(bad_below=0.999),
            alert=BURNING,
        ),
        Number(
            title="Error budget left",
            tells="How much of the 0.1 % that may be late is left. Below zero the promise is "
            "broken.",
            normal="over 50 %; with less, risky changes wait.",
            unit="percentunit",
            decimals=1,
            queries=(Query(f"1 - {late('30d')} / {MAY_BE_LATE}"),),
            steps=falling(bad_below=0, good_from=0.5),
            alert=BURNING,
        ),
        Number(
            title="Burn rate, 1 hour",
            tells="How many times faster than the promise allows the budget was used in the last "
            "hour.",
            normal="under 1; 14.4 over an hour uses 2 % of the budget and wakes somebody.",
            unit="suffix: x",
            decimals=1,
            queries=(Query(f"{late('1h')} / {MAY_BE_LATE}"),),
            steps=rising(warn=1, bad=14.4),
            alert=BURNING,
        ),
        Number(
            title="Burn rate, 6 hours",
            tells="The same over six hours.",
            normal="under 1; 6 over six hours uses 5 % of the budget and wakes somebody.",
            unit="suffix: x",
            decimals=1,
            queries=(Query(f"{late('6h')} / {MAY_BE_LATE}"),),
            steps=rising(warn=1, bad=6),
            alert=BURNING,
        ),
        Number(
            title="Burn rate, 3 days",
            tells="The same over three days.",
            normal="under 1, or the budget does not last for the 30 days.",
            unit="suffix: x",
            decimals=1,
            queries=(Query(f"{late('3d')} / {MAY_BE_LATE}"),),
            steps=rising(bad=1),
            alert=BURNING,
        ),
        Number(
            title="Unexplained events",
            tells="The other promise, which has no budget: offsets without an outcome for a "
            "minute, or with two.",
            normal="0, always.",
            unit="short",
            decimals=0,
            queries=(Query(UNEXPLAINED),),
            steps=rising(bad=1),
            alert="CtrLedgerGap",
        ),
        Lines(
            title="Burn rates",
            tells="How fast the budget is used, over a short and two longer windows. The dashed "
            "line is the pace that just lasts for 30 days.",
            normal="all below the line; a short peak that the six hours do not show is no reason "
            "to act.",
            unit="suffix: x",
            width=12,
            queries=tuple(
                Query(f"{late(window)} / {MAY_BE_LATE}", name)
                for window, name in (("5m", "5 minutes"), ("1h", "1 hour"), ("6h", "6 hours"))
            ),
            limit=1,
            alert=BURNING,
        ),
        Lines(
            title="Within 3 s, five minutes",
            tells="The share of canaries that were a row within 3 s, over the five minutes before.",
            normal="100 %; each late canary is a third of a percent.",
            unit="percentunit",
            width=12,
            least=None,
            most=1,
            queries=(Query(f"1 - {late('5m')}", "within 3 s"),),
            alert="CtrLatencyHigh",
        ),
    ),
)

CANARY = Row(
    "The canary, which measures it",
    (
        Lines(
            title="Event to row",
            tells="Seconds from sending a canary until its row is seen in ClickHouse.",
            normal="p99 under 3 s.",
            unit="s",
            queries=tuple(
                Query(quantile(share, BUCKETS, window="5m"), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
            limit=3,
            colours=QUANTILES,
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Canaries",
            tells="Canaries a second that were sent, were seen as a row within 3 s, and failed: "
            "Kafka did not take them, or no row came in 30 s.",
            normal="one sent and one in time every second, none failed.",
            unit="cps",
            queries=(
                Query(rate("ctr_canary_sent_total"), "sent"),
                Query(rate(IN_TIME), "in time"),
                Query(rate("ctr_canary_failed_total", "reason"), "failed: {{reason}}"),
            ),
            alert="ExporterDown",
        ),
        Bars(
            title="Canaries of the range, by how long they took",
            tells="How many canaries of the chosen range of time took no longer than so many "
            "seconds.",
            normal="the bars are full from 1 s on.",
            unit="short",
            decimals=0,
            queries=(
                Query(
                    f'sort(sum by (le) (increase({BUCKETS}{{le=~"0.25|0.5|(1|2|3|5|10)([.]0)?"}}'
                    "[$__range])))",
                    "within {{le}} s",
                ),
                Query(f"sum(increase({CANARIES}[$__range]))", "all"),
            ),
            alert="CtrLatencyHigh",
        ),
    ),
)

EXPORTER = Row(
    "Who measures",
    (
        Number(
            title="Sources that answer",
            tells="Whether the exporter reaches what it asks.",
            normal="up.",
            unit="short",
            width=8,
            height=6,
            queries=(Query("min by (source) (ctr_source_up)", "{{source}}"),),
            words={"0": ("down", "red"), "1": ("up", "green")},
            steps=falling(bad_below=1),
            course=False,
            alert="ExporterDown",
        ),
        Lines(
            title="Age of what the exporter tells",
            tells="How long ago the exporter has asked each source.",
            normal="under 15 s.",
            unit="s",
            height=6,
            queries=(
                Query(
                    "time() - max by (source) (ctr_source_refreshed_timestamp_seconds)",
                    "{{source}}",
                ),
            ),
            limit=60,
            alert="ExporterDown",
        ),
        Lines(
            title="Time that the exporter's questions take",
            tells="How long each source took to answer the last time.",
            normal="under 200 ms.",
            unit="s",
            height=6,
            queries=(Query("max by (source) (ctr_source_seconds)", "{{source}}"),),
            alert="ExporterDown",
        ),
    ),
)

BOARD = Board(
    uid="ctr-slo",
    title="CTR service level",
    tells="Is the promise held, and how long does the budget last?",
    rows=(BUDGET, CANARY, EXPORTER),
    since="now-6h",
    refresh="30s",
)
