"""ClickHouse as those see it that write to it and read from it, and its host."""

from __future__ import annotations

from monitoring.dashboards.board import Board, Choice, Row
from monitoring.dashboards.panels import QUANTILES, Lines, Number, Query, falling, rising
from monitoring.dashboards.promql import WINDOW, quantile, rate

HOSTS = 'host=~"$host"'

OVERVIEW = Row(
    "Overview",
    (
        Number(
            title="Answers",
            tells="Whether ClickHouse answers the exporter, and the loader's last insert.",
            normal="both up.",
            unit="short",
            queries=(
                Query('min(ctr_source_up{source="clickhouse"})', "reads"),
                Query("min(ctr_loader_clickhouse_up)", "writes"),
            ),
            words={"0": ("down", "red"), "1": ("up", "green")},
            steps=falling(bad_below=1),
            course=False,
            alert="ClickHouseDown",
        ),
        Number(
            title="Newest row",
            tells="How long ago a row was last written.",
            normal="under 3 s, since the canary sends an event every second.",
            unit="s",
            decimals=1,
            queries=(Query("time() - max(ctr_newest_row_timestamp_seconds)"),),
            steps=rising(warn=10, bad=60),
            alert="CtrNoFreshRows",
        ),
        Number(
            title="Rows written",
            tells="Rows a second over the last minute, repeats among them.",
            normal="as many as products are active.",
            unit="wps",
            queries=(Query(rate("ctr_loader_rows_inserted_total", window="1m")),),
            alert="CtrNoFreshRows",
        ),
        Number(
            title="Results that wait",
            tells="Results in Kafka that are not in ClickHouse yet.",
            normal="under a second of results.",
            unit="short",
            queries=(Query("sum(ctr_loader_consumer_lag_messages)"),),
            steps=rising(warn=10_000, bad=50_000),
            alert="CtrLoaderLagHigh",
        ),
        Number(
            title="Inserts that failed",
            tells="Inserts of the chosen range of time that failed; each was tried again until it "
            "was in.",
            normal="0.",
            unit="short",
            decimals=0,
            queries=(Query("sum(increase(ctr_loader_insert_failures_total[$__range]))"),),
            steps=rising(warn=1),
            alert="ClickHouseDown",
        ),
        Number(
            title="Results without a row",
            tells="Messages of the results topics that the loader could not read and passed over, "
            "in the chosen range of time.",
            normal="0, always: only the job writes there.",
            unit="short",
            decimals=0,
            queries=(Query("sum(increase(ctr_loader_messages_unreadable_total[$__range]))"),),
            steps=rising(bad=1),
            alert="CtrLoaderLagHigh",
        ),
    ),
)

LOADER = Row(
    "Writing",
    (
        Lines(
            title="Rows in, by table",
            tells="Rows a second that ClickHouse has taken.",
            normal="follows the number of active products.",
            unit="wps",
            queries=(Query(rate("ctr_loader_rows_inserted_total", "table"), "{{table}}"),),
        ),
        Lines(
            title="Time of an insert",
            tells="How long inserts took, those that succeeded.",
            normal="p99 under 250 ms.",
            unit="s",
            queries=tuple(
                Query(quantile(share, "ctr_loader_insert_seconds_bucket", window="5m"), name)
                for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
            ),
            colours=QUANTILES,
            alert="CtrLoaderLagHigh",
        ),
        Lines(
            title="Inserts",
            tells="Inserts a second, and those that failed. Every insert is a part that must be "
            "merged.",
            normal="a few a second, none failed.",
            unit="cps",
            queries=(
                Query(rate("ctr_loader_insert_seconds_count", "table"), "{{table}}"),
                Query(rate("ctr_loader_insert_failures_total"), "failed"),
            ),
            alert="ClickHousePartsHigh",
        ),
        Lines(
            title="Messages read, by topic",
            tells="Messages a second that the loader reads from the results topics.",
            normal="as many as the rows in.",
            unit="cps",
            queries=(Query(rate("ctr_loader_messages_read_total", "topic"), "{{topic}}"),),
        ),
        Lines(
            title="The loader's lag",
            tells="Results in Kafka that are not in ClickHouse yet, as the exporter counts them.",
            normal="under a second of results.",
            unit="short",
            queries=(Query("max by (topic) (ctr_loader_lag_messages)", "{{topic}}"),),
            limit=50_000,
            alert="CtrLoaderLagHigh",
        ),
        Lines(
            title="Time of the exporter's questions",
            tells="How long ClickHouse takes to answer what the exporter asks: reads with FINAL "
            "of the newest windows and the ledger.",
            normal="under 200 ms.",
            unit="s",
            queries=(Query('max(ctr_source_seconds{source="clickhouse"})', "questions"),),
            alert="ExporterDown",
        ),
    ),
)

MACHINE = Row(
    "Its host",
    (
        Lines(
            title="CPU",
            tells="The share of its processors' time that the host spends at work.",
            normal="under 80 %.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    "1 - avg by (host) "
                    f'(rate(node_cpu_seconds_total{{mode="idle", {HOSTS}}}[{WINDOW}]))',
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Memory",
            tells="The share of its memory that the host could not give away at once.",
            normal="under 90 %, and level.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    f"1 - node_memory_MemAvailable_bytes{{{HOSTS}}}"
                    f" / node_memory_MemTotal_bytes{{{HOSTS}}}",
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Disk, written and read",
            tells="Bytes a second to and from the host's disks.",
            normal="level; merges make waves.",
            unit="Bps",
            queries=(
                Query(
                    rate(f"node_disk_written_bytes_total{{{HOSTS}}}", "host"), "{{host}} written"
                ),
                Query(rate(f"node_disk_read_bytes_total{{{HOSTS}}}", "host"), "{{host}} read"),
            ),
            alert="HostDiskFilling",
        ),
    ),
)

BOARD = Board(
    uid="ctr-clickhouse",
    title="CTR ClickHouse",
    tells="Do results become rows, and how fast?",
    rows=(OVERVIEW, LOADER, MACHINE),
    choices=(Choice(name="host", title="Host", query='label_values(up{job="loader"}, host)'),),
)
