"""The job and the cluster that runs it."""

from __future__ import annotations

from monitoring.dashboards.board import Board, Choice, Row
from monitoring.dashboards.panels import (
    STEPS,
    Heat,
    Lines,
    Number,
    Query,
    falling,
    rising,
)
from monitoring.dashboards.promql import WINDOW, rate, stepped

HOSTS = 'host=~"$host"'
# Where there is no value yet Flink tells -1, which is not shown.
JOB = "flink_jobmanager_job"
TASK = "flink_taskmanager_job_task"

OVERVIEW = Row(
    "Overview",
    (
        Number(
            title="Running for",
            tells="How long the job has run without a break.",
            normal="days; it begins at 0 at every restart.",
            unit="dtdurations",
            decimals=0,
            queries=(Query(f"max({JOB}_uptime >= 0) / 1000"),),
            steps=((None, "red"), (60, "yellow"), (300, "green")),
            alert="CtrJobDown",
        ),
        Number(
            title="Restarts",
            tells="How often Flink has started the job again in the chosen range of time.",
            normal="0; one for each host that was lost.",
            unit="short",
            decimals=0,
            queries=(Query(f"max(increase({JOB}_numRestarts[$__range]))"),),
            steps=rising(warn=1, bad=5),
            alert="CtrJobUnstable",
        ),
        Number(
            title="TaskManagers",
            tells="TaskManagers that are registered at the JobManager, and the number that there "
            "should be.",
            normal="both are the same.",
            unit="short",
            queries=(
                Query("max(flink_jobmanager_numRegisteredTaskManagers)", "registered"),
                Query(
                    'count(up{job="flink"} unless on (instance) '
                    "flink_jobmanager_numRegisteredTaskManagers)",
                    "of",
                ),
            ),
            course=False,
            alert="FlinkTaskManagerLost",
        ),
        Number(
            title="Free slots",
            tells="Slots that no task uses: what is there to take over from a TaskManager that is "
            "lost.",
            normal="as many as one TaskManager has; with fewer the job waits for the lost one.",
            unit="short",
            queries=(Query("max(flink_jobmanager_taskSlotsAvailable)"),),
            steps=((None, "yellow"), (1, "green")),
            alert="FlinkTaskManagerLost",
        ),
        Number(
            title="Newest checkpoint",
            tells="How long ago a checkpoint was last completed; a restart counts again all that "
            "came since.",
            normal="under the interval of checkpoints and a little.",
            unit="s",
            decimals=1,
            queries=(Query(f"time() - max({JOB}_lastCheckpointCompletedTimestamp > 0) / 1000"),),
            steps=rising(warn=60, bad=300),
            alert="CtrCheckpointsFailing",
        ),
        Number(
            title="Failed checkpoints",
            tells="Checkpoints that failed in the chosen range of time.",
            normal="0; the alert begins at 10 % of them.",
            unit="short",
            decimals=0,
            queries=(Query(f"max(increase({JOB}_numberOfFailedCheckpoints[$__range]))"),),
            steps=rising(warn=1, bad=5),
            alert="CtrCheckpointsFailing",
        ),
    ),
)

FLOW = Row(
    "Flow",
    (
        Lines(
            title="Records in, by step",
            tells="Records a second that each step of the job takes in.",
            normal="judging takes what reading reads; the two behind it take far fewer, as they "
            "are sent sums.",
            unit="cps",
            queries=(
                Query(f"sum by (step) ({stepped(TASK + '_numRecordsInPerSecond')})", "{{step}}"),
            ),
            colours=STEPS,
        ),
        Lines(
            title="Records not read yet",
            tells="Records in Kafka that the job's source has not fetched, by its own count.",
            normal="under a second of the load.",
            unit="short",
            queries=(Query(f"sum({TASK}_operator_pendingRecords)", "pending"),),
            limit=100_000,
            alert="CtrConsumerLagHigh",
        ),
        Lines(
            title="Delay of the source",
            tells="From the broker's append until the source passes a record on, the slowest "
            "subtask.",
            normal="under 200 ms.",
            unit="ms",
            queries=(
                Query(
                    f"max by (subtask_index) ({TASK}_operator_currentEmitEventTimeLag >= 0)",
                    "subtask {{subtask_index}}",
                ),
            ),
            alert="CtrLatencyHigh",
        ),
        Lines(
            title="Busy, by step",
            tells="The share of its time that the busiest subtask of a step works.",
            normal="under 80 %.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    f"max by (step) ({stepped(TASK + '_busyTimeMsPerSecond')}) / 1000",
                    "{{step}}",
                ),
            ),
            colours=STEPS,
            alert="CtrBackpressureHigh",
        ),
        Heat(
            title="Busy, by task and subtask",
            tells="The share of its time that each subtask works.",
            normal="the subtasks of a step have the same colour; one that differs has the hot "
            "keys.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    "max by (step, subtask_index) "
                    f"({stepped(TASK + '_busyTimeMsPerSecond')}) / 1000",
                    "{{step}} {{subtask_index}}",
                ),
            ),
            alert="CtrBackpressureHigh",
        ),
        Heat(
            title="Backpressure, by task and subtask",
            tells="The share of its time that each subtask waits for those behind it.",
            normal="green.",
            unit="percentunit",
            most=1,
            queries=(
                Query(
                    "max by (step, subtask_index) "
                    f"({stepped(TASK + '_backPressuredTimeMsPerSecond')}) / 1000",
                    "{{step}} {{subtask_index}}",
                ),
            ),
            alert="CtrBackpressureHigh",
        ),
    ),
)

CHECKPOINTS = Row(
    "Checkpoints",
    (
        Lines(
            title="Duration",
            tells="How long the newest checkpoint took.",
            normal="under a second; it rises with backpressure, as barriers wait in line.",
            unit="ms",
            queries=(Query(f"max({JOB}_lastCheckpointDuration >= 0)", "newest"),),
            alert="CtrCheckpointsFailing",
        ),
        Lines(
            title="Size",
            tells="Bytes of the job's whole state, and what of it the newest checkpoint has "
            "written.",
            normal="level: state is forgotten as its windows get old.",
            unit="bytes",
            queries=(
                Query(f"max({JOB}_lastCheckpointFullSize >= 0)", "whole state"),
                Query(f"max({JOB}_lastCheckpointSize >= 0)", "written"),
            ),
            alert="CtrCheckpointsFailing",
        ),
        Lines(
            title="Completed and failed",
            tells="Checkpoints a minute.",
            normal="one each interval, none failed.",
            unit="short",
            queries=(
                Query(f"60 * {rate(JOB + '_numberOfCompletedCheckpoints')}", "completed"),
                Query(f"60 * {rate(JOB + '_numberOfFailedCheckpoints')}", "failed"),
            ),
            alert="CtrCheckpointsFailing",
        ),
    ),
)

PROCESSES = Row(
    "Processes",
    (
        Lines(
            title="Heap used",
            tells="The share of its heap that each JobManager and TaskManager uses.",
            normal="a saw; its low points stay level.",
            unit="percentunit",
            most=1,
            queries=tuple(
                Query(
                    f"max by (host) (flink_{kind}_Status_JVM_Memory_Heap_Used{{{HOSTS}}})"
                    f" / max by (host) (flink_{kind}_Status_JVM_Memory_Heap_Max{{{HOSTS}}})",
                    "{{host}} " + name,
                )
                for kind, name in (("jobmanager", "JobManager"), ("taskmanager", "TaskManager"))
            ),
            alert="FlinkTaskManagerLost",
        ),
        Lines(
            title="Garbage collection",
            tells="The share of its time that each process stands still to collect garbage.",
            normal="under 10 %.",
            unit="percentunit",
            queries=tuple(
                Query(
                    "max by (host) (rate("
                    f"flink_{kind}_Status_JVM_GarbageCollector_All_Time{{{HOSTS}}}[{WINDOW}]))"
                    " / 1000",
                    "{{host}} " + name,
                )
                for kind, name in (("jobmanager", "JobManager"), ("taskmanager", "TaskManager"))
            ),
            alert="FlinkTaskManagerLost",
        ),
        Lines(
            title="CPU",
            tells="The share of their host's processors that the processes use.",
            normal="under 80 %.",
            unit="percentunit",
            queries=tuple(
                Query(
                    f"max by (host) (flink_{kind}_Status_JVM_CPU_Load{{{HOSTS}}})",
                    "{{host}} " + name,
                )
                for kind, name in (("jobmanager", "JobManager"), ("taskmanager", "TaskManager"))
            ),
        ),
    ),
)

ZOOKEEPER = Row(
    "ZooKeeper, which keeps who leads",
    (
        Number(
            title="Members that answer",
            tells="ZooKeeper's members whose metrics can be read.",
            normal="all of them.",
            unit="short",
            height=6,
            width=8,
            queries=(
                Query('sum(up{job="zookeeper"})', "up"),
                Query('count(up{job="zookeeper"})', "of"),
            ),
            course=False,
            steps=falling(bad_below=1),
            alert="FlinkJobManagerDown",
        ),
        Lines(
            title="Latency",
            tells="The mean time that a request took since the start of each member.",
            normal="under 10 ms.",
            unit="ms",
            height=6,
            queries=(Query("max by (host) (zookeeper_avgrequestlatency)", "{{host}}"),),
            alert="FlinkJobManagerDown",
        ),
        Lines(
            title="Requests that wait",
            tells="Requests that a member has taken and not answered.",
            normal="0.",
            unit="short",
            height=6,
            queries=(Query("max by (host) (zookeeper_outstandingrequests)", "{{host}}"),),
            alert="FlinkJobManagerDown",
        ),
    ),
)

BOARD = Board(
    uid="ctr-flink",
    title="CTR Flink",
    tells="Does the job run, does it keep up, and could it start again from where it is?",
    rows=(OVERVIEW, FLOW, CHECKPOINTS, PROCESSES, ZOOKEEPER),
    choices=(Choice(name="host", title="Host", query='label_values(up{job="flink"}, host)'),),
)
