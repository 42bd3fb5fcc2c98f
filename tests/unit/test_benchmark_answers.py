"""What Prometheus, Flink, the playbooks and the machine have said, as it was recorded."""

from __future__ import annotations

from typing import Any

import pytest

from loadtest.benchmark.about import About, kafka_of, known, locked
from loadtest.benchmark.ask import NoAnswerError, ask
from loadtest.benchmark.flink import Checkpoints, checkpoints_of, summed
from loadtest.benchmark.hosts import ROOT, why
from loadtest.benchmark.lab import acknowledged_of, law_of
from loadtest.benchmark.prometheus import Line, Prometheus, highest, lines_of, rates

ROWS: dict[str, Any] = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [
            {
                "metric": {"__name__": "ctr_loader_rows_inserted_total", "table": "ctr_windows"},
                "values": [
                    [1795801526.485, "64805"],
                    [1795801531.485, "64809"],
                    [1795801536.485, "64815"],
                    [1795801541.485, "73732"],
                ],
            },
            {
                "metric": {"__name__": "ctr_loader_rows_inserted_total", "table": "ledger"},
                "values": [[1795801541.485, "7831"]],
            },
        ],
    },
}

CHECKPOINTS: dict[str, Any] = {
    "counts": {"restored": 1, "total": 6, "in_progress": 1, "completed": 3, "failed": 2},
    "history": [
        {
            "id": 145,
            "status": "IN_PROGRESS",
            "is_savepoint": True,
            "trigger_timestamp": 1795802580000,
            "end_to_end_duration": 294,
            "state_size": 14110,
        },
        {
            "id": 144,
            "status": "FAILED",
            "is_savepoint": False,
            "trigger_timestamp": 1795802520000,
            "end_to_end_duration": 45941,
            "state_size": 16378,
        },
        {
            "id": 143,
            "status": "COMPLETED",
            "is_savepoint": False,
            "trigger_timestamp": 1795802515000,
            "end_to_end_duration": 250,
            "state_size": 7121955,
        },
        {
            "id": 142,
            "status": "COMPLETED",
            "is_savepoint": False,
            "trigger_timestamp": 1795802510000,
            "end_to_end_duration": 150,
            "state_size": 7121550,
        },
        {
            "id": 141,
            "status": "COMPLETED",
            "is_savepoint": True,
            "trigger_timestamp": 1795802505000,
            "end_to_end_duration": 900,
            "state_size": 7121145,
        },
    ],
}

RECONCILED = r"""
TASK [Show what it says, and stop if an event is unexplained] ******************
ok: [clickhouse1] => {"changed": false, "msg": "conservation: consumed 600082 = counted 585086 + rejected 11998 + late 2998, unexplained 0\n"}

PLAY RECAP *********************************************************************
"""  # noqa: E501 - as it was printed

REFUSED = r"""
TASK [Show what it says, and stop if it could not] *****************************
[ERROR]: Task failed: Action failed: The locust master has no worker: look at its "locust-worker" units.
Origin: /tmp/load.yml:8:7

fatal: [load1]: FAILED! => {"assertion": false, "changed": false, "evaluated_to": false, "msg": "The locust master has no worker:\nlook at its \"locust-worker\" units."}

PLAY RECAP *********************************************************************
load1                  : ok=1    changed=0    unreachable=0    failed=1    skipped=0
"""  # noqa: E501 - as it was printed


def test_samples_are_told_by_series() -> None:
    windows, ledger = lines_of(ROWS)
    assert windows.labels["table"] == "ctr_windows"
    assert windows.samples[0] == (1795801526.485, 64805.0)
    assert rates([windows]) == pytest.approx(8927 / 15)
    assert rates([windows, ledger]) == rates([windows])
    assert rates([ledger]) is None
    assert highest([windows, ledger]) == 73732


def test_what_is_no_number_is_no_highest() -> None:
    assert highest([Line({}, [(1.0, float("nan")), (2.0, 3.0)])]) == 3.0
    assert highest([]) is None


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "error", "error": "parse error"}, "refuses a question: parse error"),
        ({"status": "success", "data": {"resultType": "vector", "result": []}}, "with a vector"),
    ],
)
def test_an_answer_of_another_kind_is_refused(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(NoAnswerError, match=said):
        lines_of(answer)


def test_prometheus_is_asked_for_a_span_up_to_a_moment() -> None:
    asked: list[tuple[str, dict[str, object]]] = []

    def asking(url: str, **query: object) -> dict[str, Any]:
        asked.append((url, query))
        return ROWS

    assert len(Prometheus("http://m:9090", asking).over("up", 100.0, 159.5)) == 2
    assert asked == [("http://m:9090/api/v1/query", {"query": "up[60s]", "time": "159.500"})]


def test_nobody_who_answers_is_told_in_a_sentence() -> None:
    with pytest.raises(NoAnswerError, match=r"http://127\.0\.0\.1:1/x does not answer: .*\."):
        ask("http://127.0.0.1:1/x", query="up")


def test_checkpoints_are_those_that_have_ended_and_no_savepoints() -> None:
    found = checkpoints_of(CHECKPOINTS)
    assert sorted(found) == [142, 143, 144]
    assert summed(found.values(), 1795802510.0, 1795802520.0) == Checkpoints(
        completed=2, failed=1, median_s=0.2, longest_s=0.25, largest=7121955
    )
    assert summed(found.values(), 0.0, 1.0) == Checkpoints(0, 0, None, None, None)
    assert checkpoints_of({}) == {}


def test_a_law_is_read_where_it_is_printed() -> None:
    law = law_of(RECONCILED)
    assert law is not None
    assert law.unexplained == 0
    assert law.line.startswith("conservation: consumed 600082")
    broken = law_of('"msg": "topic x: 3 missing\\nconservation: a = b, unexplained -3\\n"')
    assert broken is not None
    assert broken.unexplained == -3
    assert law_of("nothing") is None


def test_what_kafka_has_acknowledged_is_read_where_it_is_printed() -> None:
    said = "stopped: 600,000 events acknowledged by Kafka, 0 failed, 10,073/s, 2 workers"
    assert acknowledged_of(f'ok: [load1] => {{"msg": "{said}"}}') == 600_000
    assert acknowledged_of("") is None


def test_a_playbook_that_failed_is_told_in_its_own_words() -> None:
    assert why(RECONCILED + REFUSED) == (
        'The locust master has no worker: look at its "locust-worker" units.'
    )
    assert why("ERROR! the playbook could not be found\n\n") == (
        "ERROR! the playbook could not be found"
    )
    assert why("") == "it has said nothing"


def test_a_machine_is_told_by_what_the_kernel_says() -> None:
    about = About.told(
        cpuinfo="processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: fpu\n",
        meminfo="MemTotal:       24684096 kB\nMemFree: 1 kB\n",
        release='PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian"\n',
        cores=2,
        kernel="6.1.0",
    )
    assert about == About("AMD EPYC", 2, 24, "6.1.0", "Debian GNU/Linux 12 (bookworm)")
    assert about.kind == "AMD EPYC, 2 cores, 24 GB"
    bare = About.told(cpuinfo="", meminfo="", release="", cores=1, kernel="6")
    assert (bare.memory_gb, bare.system) == (0, "Linux")
    assert bare.processor


def test_this_machine_can_be_told() -> None:
    assert About.this().cores >= 1


def test_versions_are_those_that_the_checkout_installs() -> None:
    pom = (ROOT / "roles/kafka/files/pom.xml").read_text()
    lock = (ROOT / "locks/load.lock").read_text()
    versions = known({"Kafka": kafka_of(pom), "locust": locked(lock, "locust"), "none": None})
    assert sorted(versions) == ["Kafka", "locust"]
    assert all(version[0].isdigit() for version in versions.values())
    assert locked(lock, "no-such-package") is None
