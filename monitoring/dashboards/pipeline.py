"""The pipeline in five rows: what a data engineer looks at first."""

from __future__ import annotations

from monitoring.dashboards.board import HOST, Board, Choice, Row
from monitoring.dashboards.panels import (
    OUTCOMES,
    QUANTILES,
    STEPS,
    TOPICS,
    Bars,
    Heat,
    Lines,
    Number,
    Query,
    Shares,
    rising,
)
from monitoring.dashboards.promql import (
    UNEXPLAINED,
    WINDOW,
    once,
    quantile,
    rate,
    rate_once,
    stepped,
)

# The canary has a topic of its own, which no number of the business counts.
BUSINESS = 'topic=~"$topic", topic!="canary"'
EVENTS = f"ctr_events_total{{{BUSINESS}}}"
COUNTED = f'ctr_events_total{{{BUSINESS}, outcome="counted"}}'
LATE = f'ctr_events_total{{{BUSINESS}, outcome="late"}}'
REJECTED = f'ctr_events_total{{{BUSINESS}, outcome!~"counted|late"}}'
NOT_COUNTED = f'ctr_events_total{{{BUSINESS}, outcome!="counted"}}'
OFF_TIME = f'ctr_events_total{{{BUSINESS}, outcome=~"late|future_timestamp|old_timestamp"}}'
CANARY = "ctr_canary_seconds_bucket"
LATENCY_WINDOW = "5m"

OVERVIEW = Row(
    "Overview",
    (
        Number(
            title="Events processed",
            tells="Events that have an outcome in the ledger, whatever it is, since the ledger "
            "began.",
            normal="it only grows; it stands still while nobody sends.",
            unit="short",
            decimals=2,
            queries=(Query(f"sum({once(EVENTS)})"),),
            steps=rising(),
            alert="CtrJobDown",
        ),
        Number(
            title="Current CTR",
            tells="Clicks by impressions, over the windows of the last minute and all products.",
            normal="what your products are used to; a jump of all of them at once is rather an "
            "error of a producer than of its users.",
            unit="percentunit",
            decimals=2,
            queries=(Query("max(ctr_recent_clicks / (ctr_recent_impressions > 0))"),),
            empty="no impressions",
            alert="CtrNoFreshRows",
        ),
        Number(
            title="Invalid rate",
            tells="The share of the events of the last minute that were rejected as malformed, "
            "incomplete, of an unknown type or of an impossible time. Late ones are not among "
            "them.",
            normal="under 2 %; the alert begins at 10 %.",
            unit="percentunit",
            decimals=2,
            queries=(
                Query(
                    f"{rate_once(REJECTED, window='1m')} / ({rate_once(EVENTS, window='1m')} > 0)",
                ),
            ),
            steps=rising(warn=0.05, bad=0.1),
            empty="no events",
            alert="CtrInvalidRateHigh",
        ),
        Number(
            title="Active products",
            tells="Products with a row in the windows of the last minute.",
            normal="about the number of products that are shown now.",
            unit="short",
            queries=(Query("max(ctr_active_products)"),),
            alert="CtrNoFreshRows",
        ),
        Number(
            title="Freshness",
            tells="How long ago a row was last written to ClickHouse.",
            normal="under 3 s while events come, since the canary sends one every second.",
            unit="s",
            decimals=1,
            queries=(Query("time() - max(ctr_newest_row_timestamp_seconds)"),),
            steps=rising(warn=10, bad=60),
            alert="CtrNoFreshRows",
        ),
        Number(
            title="Unexplained",
            tells="Offsets below the ledger's last that have had no outcome for a whole minute, "
            "and those that have two: events or rows of the ledger lost, or counted twice.",
            normal="0, always.",
            unit="short",
            decimals=0,
            queries=(Query(UNEXPLAINED),),
            steps=rising(bad=1),
            alert="CtrLedgerGap",
        ),
    ),
)

THROUGHPUT = Row(
    "Throughput",
    (
        Lines(
            title="Events in, by topic",
            tells="Events a second that the brokers have taken.",
            normal="follows the users of your products through the day.",
            unit="eps",
            queries=(
                Query(
                    rate(
                        f"kafka_server_brokertopicmetrics_messagesinpersec_total{{{BUSINESS}}}",
                        "topic",
                    ),
                    "{{topic}}",
                ),
            ),
            stacked=True,
            colours=TOPICS,
        ),
        Lines(
            title="Events out of the ledger, rows out of the loader",
            tells="Events a second that got an outcome, beside the rows a second that the loader "
            "writes. A row of ctr_windows is written again whenever its counts have grown.",
            normal="events are as many as came in; rows are as many as products are active, not "
            "as many as there are events.",
            unit="cps",
            queries=(
                Query(rate_once(EVENTS), "events with an outcome"),
                Query(rate("ctr_loader_rows_inserted_total", "table"), "rows of {{table}}"),
            ),
        ),
        Lines(
            title="Lag",
            tells="Events in Kafka that are not in the ledger yet, by topic, and results in Kafka "
            "that the loader has not written yet.",
            normal="about one second of the load; after a restart it rises and falls again.",
            unit="short",
            queries=(
                Query(
                    f"sum by (topic) (max by (topic, partition) (ctr_lag_events{{{BUSINESS}}}))",
                    "{{topic}} to the ledger",
                ),
                Query("max by (topic) (ctr_loader_lag_messages)", "{{topic}} to ClickHouse"),
            ),
            limit=100_000,
            alert="CtrConsumerLagHigh",
        ),
    ),
)

LATENCY = Row(
    "Latency",
    (
        Lines(
            title="Event to row",
            tells="Seconds from sending an event until its row is seen in ClickHouse, measured by "
            "the canary over five minutes. The dashed line is the promise.",
            normal="p50 under 1 s, p99 under 3 s.",
            unit="s",
            queries=tuple(
                Query(quantile(share, CANARY, window=LATENCY_WINDOW), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
            limit=3,
            colours=QUANTILES,
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Where the time goes",
            tells="Three parts of the way: from the broker's append until the job's source passes "
            "an event on, the longest wait of a task for its thread, and the loader's insert, p95.",
            normal="each well under half a second; whichever grows first is the bottleneck.",
            unit="s",
            queries=(
                Query(
                    "max(flink_taskmanager_job_task_operator_currentEmitEventTimeLag) / 1000",
                    "Kafka to the source",
                ),
                Query(
                    'max(flink_taskmanager_job_task_mailboxLatencyMs{quantile="0.95"}) / 1000',
                    "wait in a task",
                ),
                Query(
                    quantile(0.95, "ctr_loader_insert_seconds_bucket", window=LATENCY_WINDOW),
                    "insert into ClickHouse",
                ),
            ),
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Window processing",
            tells="How busy the busiest part of each step of the job is: reading, judging, "
            "counting windows and keeping the ledger.",
            normal="under 80 %; a step at 100 % sets the pace of the whole job.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    "max by (step) ("
                    + stepped("flink_taskmanager_job_task_busyTimeMsPerSecond")
                    + ") / 1000",
                    "{{step}}",
                ),
            ),
            colours=STEPS,
            alert="CtrBackpressureHigh",
        ),
    ),
)

QUALITY = Row(
    "Data quality",
    (
        Lines(
            title="Valid against invalid",
            tells="What became of the events of each second: counted, too late for their window, "
            "or rejected, which are in dead-letters with their reason.",
            normal="green, with thin lines of the other two.",
            unit="eps",
            queries=(
                Query(rate_once(COUNTED), "counted"),
                Query(rate_once(LATE), "late"),
                Query(rate_once(REJECTED), "rejected"),
            ),
            stacked=True,
            colours=OUTCOMES,
            alert="CtrInvalidRateHigh",
        ),
        Shares(
            title="Outcomes",
            tells="The outcomes of the events of the chosen range of time.",
            normal="nearly all counted.",
            unit="short",
            queries=(
                Query(f"sum by (outcome) ({once(f'increase({EVENTS}[$__range])')})", "{{outcome}}"),
            ),
            colours=OUTCOMES,
        ),
        Bars(
            title="Not counted, by kind",
            tells="Events of the chosen range of time that were not counted, by the reason that "
            "their dead letters carry.",
            normal="short bars; one that grows alone points at one producer's mistake.",
            unit="short",
            decimals=0,
            queries=(
                Query(
                    f"sum by (outcome) ({once(f'increase({NOT_COUNTED}[$__range])')})",
                    "{{outcome}}",
                ),
            ),
            colours=OUTCOMES,
            alert="CtrInvalidRateHigh",
        ),
        Lines(
            title="Shares of invalid and of late events",
            tells="The share of events that are rejected, and of those that come when their "
            "window has ended. The dashed line is where invalid ones become an alert.",
            normal="invalid under 2 %, late under 1 %.",
            unit="percentunit",
            queries=(
                Query(f"{rate_once(REJECTED)} / ({rate_once(EVENTS)} > 0)", "rejected"),
                Query(f"{rate_once(LATE)} / ({rate_once(EVENTS)} > 0)", "late"),
            ),
            limit=0.1,
            colours=OUTCOMES,
            alert="CtrLateRateHigh",
        ),
        Lines(
            title="Timestamp anomalies",
            tells="Events a second whose time is impossible, more than 60 s ahead of the broker's "
            "clock or more than 7 days behind it, and those that are merely late.",
            normal="late ones always, the other two next to none; a producer's clock that is "
            "wrong shows here.",
            unit="eps",
            queries=(Query(rate_once(OFF_TIME, "outcome"), "{{outcome}}"),),
            colours=OUTCOMES,
            alert="CtrLateRateHigh",
        ),
        Lines(
            title="Spread of the partitions' clocks",
            tells="How far the event time of the slowest partition of a topic is behind that of "
            "the fastest.",
            normal="under 10 s while all partitions get events; one that nobody writes to stands "
            "still.",
            unit="s",
            queries=(
                Query(
                    f"max by (topic) (ctr_partition_clock_timestamp_seconds{{{BUSINESS}}})"
                    f" - min by (topic) (ctr_partition_clock_timestamp_seconds{{{BUSINESS}}})",
                    "{{topic}}",
                ),
            ),
            colours=TOPICS,
            alert="CtrLateRateHigh",
        ),
    ),
)

HEALTH = Row(
    "System health",
    (
        Lines(
            title="CPU, by host",
            tells="The share of its processors' time that a host spends at work.",
            normal="under 80 %.",
            unit="percentunit",
            most=1,
            width=6,
            queries=(
                Query(
                    "1 - avg by (host) "
                    f'(rate(node_cpu_seconds_total{{mode="idle", host=~"$host"}}[{WINDOW}]))',
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Memory, by host",
            tells="The share of its memory that a host could not give away at once.",
            normal="under 90 %, and level.",
            unit="percentunit",
            most=1,
            width=6,
            queries=(
                Query(
                    '1 - node_memory_MemAvailable_bytes{host=~"$host"}'
                    ' / node_memory_MemTotal_bytes{host=~"$host"}',
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Checkpoint duration",
            tells="How long the newest checkpoint of the job took, from its barrier to the "
            "store's answer.",
            normal="under a second, and far below the interval of checkpoints.",
            unit="s",
            width=6,
            queries=(
                Query(
                    "max by (job_name) (flink_jobmanager_job_lastCheckpointDuration >= 0) / 1000",
                    "{{job_name}}",
                ),
            ),
            alert="CtrCheckpointsFailing",
        ),
        Heat(
            title="Backpressure, by task and subtask",
            tells="The share of its time that each subtask waits for those behind it.",
            normal="green. Red in a step means that the step below it is too slow.",
            unit="percentunit",
            most=1,
            width=6,
            queries=(
                Query(
                    "max by (step, subtask_index) ("
                    + stepped("flink_taskmanager_job_task_backPressuredTimeMsPerSecond")
                    + ") / 1000",
                    "{{step}} {{subtask_index}}",
                ),
            ),
            alert="CtrBackpressureHigh",
        ),
    ),
)

BOARD = Board(
    uid="ctr-pipeline",
    title="CTR pipeline",
    tells="Do events become rows, all of them and in time, and if not, where do they stop?",
    rows=(OVERVIEW, THROUGHPUT, LATENCY, QUALITY, HEALTH),
    choices=(
        Choice(
            name="topic",
            title="Topic",
            query='label_values(ctr_events_total{topic!="canary"}, topic)',
        ),
        HOST,
    ),
)
