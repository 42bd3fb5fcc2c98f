"""The brokers: whether all replicas are there, what goes through them, how fast they answer."""

from __future__ import annotations

from monitoring.dashboards.board import Board, Choice, Row
from monitoring.dashboards.panels import Bars, Lines, Number, Query, rising
from monitoring.dashboards.promql import WINDOW, rate

HOSTS = 'host=~"$host"'
TOPICS = f'topic!="", topic!~"__.*", {HOSTS}'
MANAGER = "kafka_server_replicamanager"
TRAFFIC = "kafka_server_brokertopicmetrics"

OVERVIEW = Row(
    "Overview",
    (
        Number(
            title="Brokers that answer",
            tells="Brokers whose metrics can be read, and the number that there should be.",
            normal="both are the same.",
            unit="short",
            queries=(
                Query('sum(up{job="kafka"})', "up"),
                Query('count(up{job="kafka"})', "of"),
            ),
            course=False,
            alert="KafkaBrokerDown",
        ),
        Number(
            title="Active controllers",
            tells="How many brokers hold themselves for the one that leads the cluster.",
            normal="1. None while a new one is elected, a moment; two is a network that is parted.",
            unit="short",
            queries=(Query("sum(kafka_controller_kafkacontroller_activecontrollercount)"),),
            steps=((None, "red"), (1, "green"), (2, "red")),
            alert="KafkaUnderMinIsr",
        ),
        Number(
            title="Under-replicated partitions",
            tells="Partitions that lack a replica in sync, counted by their leaders.",
            normal="0; above it after a broker's restart until it has caught up.",
            unit="short",
            queries=(Query(f"sum({MANAGER}_underreplicatedpartitions)"),),
            steps=rising(warn=1),
            alert="KafkaBrokerDown",
        ),
        Number(
            title="Below the minimum in sync",
            tells="Partitions with fewer replicas in sync than a write needs: producers wait for "
            "them.",
            normal="0, always.",
            unit="short",
            queries=(Query(f"sum({MANAGER}_underminisrpartitioncount)"),),
            steps=rising(bad=1),
            alert="KafkaUnderMinIsr",
        ),
        Number(
            title="Offline partitions",
            tells="Partitions without a leader, which nobody can read or write.",
            normal="0, always.",
            unit="short",
            queries=(Query("max(kafka_controller_kafkacontroller_offlinepartitionscount)"),),
            steps=rising(bad=1),
            alert="KafkaUnderMinIsr",
        ),
        Number(
            title="Size of all logs",
            tells="Bytes of all replicas of all partitions, on all brokers.",
            normal="level, once retention removes as much as comes in.",
            unit="bytes",
            queries=(Query("sum(kafka_log_log_size)"),),
            alert="HostDiskFilling",
        ),
    ),
)

FLOW = Row(
    "Traffic",
    (
        Lines(
            title="Messages in, by topic",
            tells="Messages a second that the brokers have taken.",
            normal="impressions and clicks as the users come; results as many as products are "
            "active.",
            unit="cps",
            queries=(
                Query(rate(f"{TRAFFIC}_messagesinpersec_total{{{TOPICS}}}", "topic"), "{{topic}}"),
            ),
            stacked=True,
        ),
        Lines(
            title="Bytes in, by topic",
            tells="Bytes a second from producers, compressed as they come.",
            normal="in step with the messages; bytes alone that rise are larger messages.",
            unit="Bps",
            queries=(
                Query(rate(f"{TRAFFIC}_bytesinpersec_total{{{TOPICS}}}", "topic"), "{{topic}}"),
            ),
            stacked=True,
        ),
        Lines(
            title="Bytes out, by topic",
            tells="Bytes a second to consumers, without replication.",
            normal="as many as come in, times the consumers of the topic.",
            unit="Bps",
            queries=(
                Query(rate(f"{TRAFFIC}_bytesoutpersec_total{{{TOPICS}}}", "topic"), "{{topic}}"),
            ),
            stacked=True,
        ),
        Lines(
            title="Bytes in, by broker",
            tells="How the load is spread over the brokers.",
            normal="equal shares; one that has none leads no partition since its restart.",
            unit="Bps",
            queries=(
                Query(rate(f"{TRAFFIC}_bytesinpersec_total{{{TOPICS}}}", "host"), "{{host}}"),
            ),
            alert="KafkaBrokerDown",
        ),
        Lines(
            title="Leaders, by broker",
            tells="Partitions that each broker leads.",
            normal="equal shares.",
            unit="short",
            queries=(Query(f"max by (host) ({MANAGER}_leadercount{{{HOSTS}}})", "{{host}}"),),
            alert="KafkaBrokerDown",
        ),
        Bars(
            title="Size of the logs, by topic",
            tells="Bytes of all replicas of a topic.",
            normal="the input topics hold what retention says; the compacted ones stay small.",
            unit="bytes",
            steps=((None, "blue"),),
            queries=(
                Query('sort_desc(sum by (topic) (kafka_log_log_size{topic!~"__.*"}))', "{{topic}}"),
            ),
            alert="HostDiskFilling",
        ),
    ),
)

ANSWERS = Row(
    "Answers",
    (
        Lines(
            title="Time of requests, p99",
            tells="How long one request of a hundred takes, the wait for replicas and for new "
            "messages among it. A fetch waits up to half a second where there is nothing to read.",
            normal="Produce under 100 ms; FetchConsumer up to 500 ms.",
            unit="ms",
            queries=(
                Query(
                    "max by (request, host) "
                    f"(kafka_network_requestmetrics_totaltimems_99thpercentile{{{HOSTS}}})",
                    "{{request}} {{host}}",
                ),
            ),
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Requests",
            tells="Requests a second that write and read messages.",
            normal="in step with the load.",
            unit="reqps",
            queries=(
                Query(
                    rate(f"kafka_network_requestmetrics_totaltimems_count{{{HOSTS}}}", "request"),
                    "{{request}}",
                ),
            ),
        ),
        Lines(
            title="Idle share of the request handlers",
            tells="The share of their time that the threads which serve requests have nothing to "
            "do.",
            normal="over 50 %; under 20 % requests queue up.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    "avg by (host) (rate(kafka_server_kafkarequesthandlerpool_"
                    f"brokerrequesthandleravgidlepercent_total{{{HOSTS}}}[{WINDOW}])) / 1e9",
                    "{{host}}",
                ),
            ),
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Requests that failed",
            tells="Writes and reads a second that a broker refused.",
            normal="0; a few while leaders move.",
            unit="reqps",
            queries=(
                Query(
                    rate(f'{TRAFFIC}_failedproducerequestspersec_total{{topic="", {HOSTS}}}'),
                    "writes",
                ),
                Query(
                    rate(f'{TRAFFIC}_failedfetchrequestspersec_total{{topic="", {HOSTS}}}'),
                    "reads",
                ),
            ),
            alert="KafkaBrokerDown",
        ),
        Lines(
            title="Replicas that fall out of sync and come back",
            tells="Changes a second of the sets of replicas in sync.",
            normal="0; a burst around a broker's restart.",
            unit="cps",
            queries=(
                Query(rate(f"{MANAGER}_isrshrinkspersec_total{{{HOSTS}}}"), "out"),
                Query(rate(f"{MANAGER}_isrexpandspersec_total{{{HOSTS}}}"), "back"),
            ),
            alert="KafkaBrokerDown",
        ),
        Lines(
            title="Replication",
            tells="Bytes a second that brokers copy from each other.",
            normal="as many as come in, times the replicas but one; more while one catches up.",
            unit="Bps",
            queries=(
                Query(
                    rate(f"{TRAFFIC}_replicationbytesinpersec_total{{{HOSTS}}}", "host"),
                    "{{host}}",
                ),
            ),
        ),
    ),
)

PROCESS = Row(
    "Processes",
    (
        Lines(
            title="CPU",
            tells="Processors that each broker keeps busy.",
            normal="well below the number that its host has.",
            unit="short",
            queries=(
                Query(
                    rate(f'process_cpu_seconds_total{{job="kafka", {HOSTS}}}', "host"), "{{host}}"
                ),
            ),
        ),
        Lines(
            title="Heap used",
            tells="The share of its heap that each broker uses.",
            normal="a saw; its low points stay level.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    f'max by (host) (jvm_memory_used_bytes{{job="kafka", area="heap", {HOSTS}}})'
                    " / max by (host) "
                    f'(jvm_memory_max_bytes{{job="kafka", area="heap", {HOSTS}}} > 0)',
                    "{{host}}",
                ),
            ),
        ),
        Lines(
            title="Garbage collection",
            tells="The share of its time that each broker stands still to collect garbage.",
            normal="under 5 %.",
            unit="percentunit",
            queries=(
                Query(
                    rate(f'jvm_gc_collection_seconds_sum{{job="kafka", {HOSTS}}}', "host"),
                    "{{host}}",
                ),
            ),
        ),
    ),
)

BOARD = Board(
    uid="ctr-kafka",
    title="CTR Kafka",
    tells="Are all replicas there, and do the brokers keep up?",
    rows=(OVERVIEW, FLOW, ANSWERS, PROCESS),
    choices=(Choice(name="host", title="Broker", query='label_values(up{job="kafka"}, host)'),),
)
