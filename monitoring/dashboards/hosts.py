"""The machines below the services, and which targets answer."""

from __future__ import annotations

from monitoring.dashboards.board import HOST, Board, Row
from monitoring.dashboards.panels import Bars, Lines, Listing, Number, Query, rising
from monitoring.dashboards.promql import WINDOW, rate

HOSTS = 'host=~"$host"'
# What is no disk, or is a part of another.
DISKS = f'fstype!~"ramfs|overlay|squashfs|nsfs", {HOSTS}'

OVERVIEW = Row(
    "Overview",
    (
        Number(
            title="Hosts that answer",
            tells="Hosts whose metrics can be read, and the number that there should be.",
            normal="both are the same.",
            unit="short",
            queries=(
                Query('sum(up{job="node"})', "up"),
                Query('count(up{job="node"})', "of"),
            ),
            course=False,
            alert="HostDown",
        ),
        Number(
            title="Targets that are away",
            tells="Services whose metrics cannot be read; the list below names them.",
            normal="0.",
            unit="short",
            queries=(Query("count(up == 0) or vector(0)"),),
            steps=rising(bad=1),
            alert="TargetDown",
        ),
        Number(
            title="Services that failed",
            tells="Units of systemd that have failed, on all hosts.",
            normal="0.",
            unit="short",
            queries=(Query(f'sum(node_systemd_unit_state{{state="failed", {HOSTS}}})'),),
            steps=rising(warn=1),
            alert="TargetDown",
        ),
        Number(
            title="Least space left",
            tells="The share of space that is free on the fullest disk.",
            normal="over 20 %; the alert looks a day ahead.",
            unit="percentunit",
            decimals=1,
            queries=(
                Query(
                    f"min(node_filesystem_avail_bytes{{{DISKS}}}"
                    f" / node_filesystem_size_bytes{{{DISKS}}})"
                ),
            ),
            steps=((None, "red"), (0.05, "yellow"), (0.2, "green")),
            alert="HostDiskFilling",
        ),
        Number(
            title="Largest clock error",
            tells="How far the clock of a host differs from Prometheus', less the time that the "
            "answer took. Events are judged by the brokers' clocks.",
            normal="under 50 ms.",
            unit="s",
            queries=(
                Query(
                    f"clamp_min(max(abs(node_time_seconds{{{HOSTS}}}"
                    f" - timestamp(node_time_seconds{{{HOSTS}}}))"
                    f' - scrape_duration_seconds{{job="node", {HOSTS}}}), 0)'
                ),
            ),
            steps=rising(warn=0.2, bad=0.5),
            alert="HostClockSkew",
        ),
        Number(
            title="Killed for want of memory",
            tells="Processes that the kernel has killed in the chosen range of time.",
            normal="0.",
            unit="short",
            decimals=0,
            queries=(Query(f"sum(increase(node_vmstat_oom_kill{{{HOSTS}}}[$__range]))"),),
            steps=rising(bad=1),
            alert="HostDown",
        ),
    ),
)

CPU = Row(
    "Processors and memory",
    (
        Lines(
            title="CPU, by host",
            tells="The share of its processors' time that a host spends at work.",
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
            title="CPU, by what it does",
            tells="Processors kept busy, of all chosen hosts, by kind of work.",
            normal="user; iowait that grows is a disk that is too slow, steal a neighbour.",
            unit="short",
            queries=(
                Query(rate(f'node_cpu_seconds_total{{mode!="idle", {HOSTS}}}', "mode"), "{{mode}}"),
            ),
            stacked=True,
        ),
        Lines(
            title="Waiting for a processor",
            tells="The share of time in which some process of the host could run and got no "
            "processor.",
            normal="under 20 %.",
            unit="percentunit",
            queries=(
                Query(
                    rate(f"node_pressure_cpu_waiting_seconds_total{{{HOSTS}}}", "host"),
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
            queries=(
                Query(
                    f"1 - node_memory_MemAvailable_bytes{{{HOSTS}}}"
                    f" / node_memory_MemTotal_bytes{{{HOSTS}}}",
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Waiting for memory",
            tells="The share of time in which some process of the host waits for memory to be "
            "freed or read back.",
            normal="0.",
            unit="percentunit",
            queries=(
                Query(
                    rate(f"node_pressure_memory_waiting_seconds_total{{{HOSTS}}}", "host"),
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Load, by host",
            tells="Processes that run or wait, over a minute, for each processor that the host "
            "has.",
            normal="under 1.",
            unit="short",
            queries=(
                Query(
                    f"max by (host) (node_load1{{{HOSTS}}}) / count by (host) "
                    f'(node_cpu_seconds_total{{mode="idle", {HOSTS}}})',
                    "{{host}}",
                ),
            ),
        ),
    ),
)

DISK = Row(
    "Disks and network",
    (
        Bars(
            title="Space used",
            tells="The share of each file system that is used.",
            normal="under 80 %.",
            unit="percentunit",
            most=1,
            steps=rising(warn=0.8, bad=0.95),
            queries=(
                Query(
                    "sort_desc(max by (host, mountpoint) (1 - "
                    f"node_filesystem_avail_bytes{{{DISKS}}}"
                    f" / node_filesystem_size_bytes{{{DISKS}}}))",
                    "{{host}} {{mountpoint}}",
                ),
            ),
            alert="HostDiskFilling",
        ),
        Lines(
            title="Disk, written",
            tells="Bytes a second that a host writes to its disks.",
            normal="level.",
            unit="Bps",
            queries=(Query(rate(f"node_disk_written_bytes_total{{{HOSTS}}}", "host"), "{{host}}"),),
            alert="HostDiskFilling",
        ),
        Lines(
            title="Waiting for the disk",
            tells="The share of time in which some process of the host waits for a disk.",
            normal="under 10 %.",
            unit="percentunit",
            queries=(
                Query(
                    rate(f"node_pressure_io_waiting_seconds_total{{{HOSTS}}}", "host"), "{{host}}"
                ),
            ),
        ),
        Lines(
            title="Network, received",
            tells="Bytes a second that a host receives, without those from itself.",
            normal="follows the load.",
            unit="Bps",
            queries=(
                Query(
                    rate(f'node_network_receive_bytes_total{{device!="lo", {HOSTS}}}', "host"),
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Network, sent",
            tells="Bytes a second that a host sends, without those to itself.",
            normal="follows the load.",
            unit="Bps",
            queries=(
                Query(
                    rate(f'node_network_transmit_bytes_total{{device!="lo", {HOSTS}}}', "host"),
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Sent again",
            tells="The share of TCP segments that had to be sent again.",
            normal="under 0.1 %.",
            unit="percentunit",
            queries=(
                Query(
                    f"{rate(f'node_netstat_Tcp_RetransSegs{{{HOSTS}}}', 'host')}"
                    f" / ({rate(f'node_netstat_Tcp_OutSegs{{{HOSTS}}}', 'host')} > 0)",
                    "{{host}}",
                ),
            ),
        ),
    ),
)

TARGETS = Row(
    "Who answers",
    (
        Listing(
            title="Targets",
            tells="Every service that Prometheus asks, and whether it answered the last time.",
            normal="all up.",
            unit="short",
            width=12,
            height=12,
            queries=(Query(f"sort(max by (host, job, instance) (up{{{HOSTS}}}))"),),
            labels={"host": "Host", "job": "Service", "instance": "Address"},
            value="Answers",
            words={"0": ("down", "red"), "1": ("up", "green")},
            alert="TargetDown",
        ),
        Lines(
            title="Time that an answer takes, by service",
            tells="How long Prometheus needs to read the metrics of the slowest target of each "
            "service.",
            normal="under a second.",
            unit="s",
            width=6,
            height=12,
            queries=(Query(f"max by (job) (scrape_duration_seconds{{{HOSTS}}})", "{{job}}"),),
            alert="TargetDown",
        ),
        Lines(
            title="Series, by service",
            tells="Values that Prometheus reads at each scrape.",
            normal="level; under 20,000 in all.",
            unit="short",
            width=6,
            height=12,
            queries=(Query(f"sum by (job) (scrape_samples_scraped{{{HOSTS}}})", "{{job}}"),),
            stacked=True,
            alert="TargetDown",
        ),
    ),
)

BOARD = Board(
    uid="ctr-hosts",
    title="CTR hosts",
    tells="Do the machines have what the services need, and who does not answer?",
    rows=(OVERVIEW, CPU, DISK, TARGETS),
    choices=(HOST,),
)
