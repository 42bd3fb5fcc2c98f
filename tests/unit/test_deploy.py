"""A deployment against a Flink that is played by a web server."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest
from ruamel.yaml import YAML

from flink_job import submit as submit_module
from flink_job.cluster import Cluster, ClusterError, LateError
from flink_job.deployed import Deployed
from flink_job.endpoints import Kafka
from flink_job.group import GROUP
from flink_job.job import SERVING, statement
from flink_job.rollout import NAME, DownError
from tests.unit.played import SOON_S, WITHIN_S, Flink, Host

ROOT = Path(__file__).parents[2]


def test_the_first_deployment_starts_from_nothing_and_the_second_does_nothing(host: Host) -> None:
    first = host.deploy("one")
    assert first == "deployed: job a runs, started from the beginning of the topics"
    known = host.known
    assert host.deploy("one") == "unchanged: job a runs"
    assert host.origins == [None]
    assert host.known == known


def test_a_new_release_starts_from_the_savepoint_of_the_old(flink: Flink, host: Host) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    assert host.deploy("two") == "deployed: job b runs, started from s3://flink/sp-1"
    assert host.origins == [None, "s3://flink/sp-1"]


def test_a_setting_that_changed_is_a_new_version(flink: Flink, host: Host) -> None:
    host.deploy("one", parallelism="2")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    host.deploy("one", parallelism="4")
    assert host.deploy("one", parallelism="4") == "unchanged: job b runs"
    assert host.settings == [{"parallelism": "2"}, {"parallelism": "4"}]


def test_a_job_that_someone_else_started_is_not_taken_for_the_one_deployed(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    flink.runs("strange")
    flink.saves("strange", {"location": "s3://flink/sp-1"})
    assert host.deploy("one") == "deployed: job b runs, started from s3://flink/sp-1"


def test_without_a_savepoint_the_old_job_goes_on_and_no_other_is_started(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    known = host.known
    flink.saves("a", {"failure-cause": {"stack-trace": "No space left\n at ..."}})
    with pytest.raises(ClusterError, match="The savepoint failed: No space left"):
        host.deploy("two")
    assert host.origins == [None]
    assert host.known == known


def test_a_job_that_is_gone_goes_on_from_its_newest_checkpoint(flink: Flink, host: Host) -> None:
    host.deploy("one")
    flink.runs("a", state="FAILED")
    host.deploy("one")
    assert host.origins == [None, "s3://flink/chk-9"]


def test_a_job_that_left_nothing_to_go_on_from_is_not_started_anew(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    flink.answers = {"GET /jobs/overview": {"jobs": []}}
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        host.deploy("one")
    assert host.origins == [None]


def test_a_job_that_flink_has_forgotten_does_not_go_back_to_what_it_once_started_from(
    host: Host,
) -> None:
    host.knows(Deployed("one", "a", "s3://flink/weeks-old"))
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        host.deploy("two")
    assert host.started == []


def test_a_flink_that_fails_when_asked_for_checkpoints_is_not_one_that_has_none(
    flink: Flink, host: Host
) -> None:
    old = Deployed("one", "a", "s3://flink/weeks-old")
    host.knows(old)
    flink.failures["GET /jobs/a/checkpoints"] = [500]
    with pytest.raises(ClusterError, match=r"/jobs/a/checkpoints says 500"):
        host.deploy("two")
    assert host.started == []
    assert host.known == old


def test_a_savepoint_is_asked_for_until_flink_answers(flink: Flink, host: Host) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    flink.failures = {
        "POST /jobs/a/stop": [503],
        "GET /jobs/a/savepoints/TRIGGER": [500, 503],
    }
    host.deploy("two")
    assert host.origins == [None, "s3://flink/sp-1"]
    assert len(set(flink.triggers)) == 1


@pytest.mark.parametrize("stopped_meanwhile", [True, False])
def test_a_stop_of_unknown_end_is_found_again_by_the_next_deployment(
    flink: Flink, host: Host, *, stopped_meanwhile: bool
) -> None:
    host.deploy("one")
    flink.is_saving("a")
    with pytest.raises(LateError, match=r"not known after .* whether job a will stop"):
        host.deploy("two", within_s=SOON_S)
    assert host.known.trigger == flink.triggers[0]
    if stopped_meanwhile:
        flink.has_stopped("a", "s3://flink/sp-1")
    else:
        flink.saves("a", {"location": "s3://flink/sp-1"})
    host.deploy("one")
    assert host.origins == [None, "s3://flink/sp-1"]
    assert host.known.savepoints == ("s3://flink/sp-1",)
    assert len(set(flink.triggers)) == 1


def test_a_stop_that_a_new_jobmanager_does_not_know_of_is_found_again_too(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    flink.failures["GET /jobs/a/savepoints/TRIGGER"] = [503, 404]
    with pytest.raises(LateError, match=r"not tell any more whether job a will stop.*says 404"):
        host.deploy("two")
    host.deploy("two")
    assert host.origins == [None, "s3://flink/sp-1"]


def test_a_savepoint_that_failed_is_not_asked_for_again_by_its_trigger(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    flink.saves("a", {"failure-cause": {"stack-trace": "No space left"}})
    with pytest.raises(ClusterError):
        host.deploy("two")
    flink.saves("a", {"location": "s3://flink/sp-2"})
    host.deploy("two")
    assert len(set(flink.triggers)) == 2
    assert host.origins == [None, "s3://flink/sp-2"]


@pytest.mark.parametrize(
    ("latest", "origin"),
    [
        ({"restored": "s3://flink/sp-0", "completed": "s3://flink/chk-1"}, "s3://flink/chk-1"),
        ({"completed": "s3://flink/chk-1", "savepoint": "s3://flink/sp-2"}, "s3://flink/sp-2"),
        ({"restored": "s3://flink/sp-0"}, "s3://flink/sp-0"),
        ({}, "s3://flink/from-the-file"),
    ],
)
def test_a_job_that_does_not_run_is_replaced_and_loses_nothing(
    flink: Flink, host: Host, latest: dict[str, str], origin: str
) -> None:
    host.knows(Deployed("bad", "old", "s3://flink/from-the-file"))
    flink.runs("old", state="RESTARTING")
    flink.remembers("old", **latest)
    assert host.deploy("mended", within_s=0.2).startswith("deployed: job a runs")
    assert host.origins == [origin]
    assert flink.was_cancelled("old")
    assert not flink.triggers


def test_a_job_whose_checkpoints_would_go_with_it_is_not_cancelled(
    flink: Flink, host: Host
) -> None:
    flink.runs("old", state="RESTARTING")
    deleted = {"enabled": False, "delete_on_cancellation": True}
    flink.answers["GET /jobs/old/checkpoints/config"] = {"externalization": deleted}
    with pytest.raises(ClusterError, match="Flink would delete its checkpoints with it"):
        host.deploy("two", within_s=SOON_S)
    assert not flink.was_cancelled("old")


def test_a_checkpoint_that_flink_has_deleted_is_not_gone_on_from(flink: Flink, host: Host) -> None:
    host.knows(Deployed("one", "old", "s3://flink/weeks-old"))
    flink.runs("old", state="FAILED")
    flink.remembers("old", savepoint="s3://flink/sp-0", completed="s3://flink/chk-1")
    latest = flink.answers["GET /jobs/old/checkpoints"]["latest"]
    latest["completed"]["discarded"] = True
    latest["restored"] = {**latest["completed"], "discarded": None}
    with pytest.raises(ClusterError, match="name one from the store by --from"):
        host.deploy("two", within_s=SOON_S)


def test_a_job_that_recovers_is_stopped_with_a_savepoint(flink: Flink, host: Host) -> None:
    flink.runs("old", state="RUNNING")
    flink.saves("old", {"location": "s3://flink/sp-1"})
    flink.failures["GET /jobs/old"] = [503, 503]
    host.deploy("two")
    assert host.origins == ["s3://flink/sp-1"]
    assert not flink.was_cancelled("old")


def test_a_job_that_stops_running_when_it_is_to_take_a_savepoint_is_cancelled(
    flink: Flink, host: Host
) -> None:
    host.knows(Deployed("bad", "old", None, trigger="0" * 32))
    flink.runs("old", state="RESTARTING")
    flink.triggers.append("0" * 32)
    flink.saves("old", {"failure-cause": {"stack-trace": "Not all required tasks are running"}})
    host.deploy("two", within_s=0.2)
    assert host.origins == ["s3://flink/chk-9"]
    assert flink.was_cancelled("old")


def test_a_job_whose_checkpoints_are_not_known_yet_is_left_alone(flink: Flink, host: Host) -> None:
    running = Deployed("one", "old", "s3://flink/weeks-old")
    host.knows(running)
    flink.runs("old", state="INITIALIZING")
    flink.remembers("old")
    with pytest.raises(ClusterError, match="Job old is only being initialized"):
        host.deploy("two", within_s=SOON_S)
    assert host.known == running
    assert not flink.was_cancelled("old")
    host.deploy("two", "s3://flink/chk-7", within_s=SOON_S)
    assert flink.was_cancelled("old")
    assert host.origins == ["s3://flink/chk-7"]


def test_after_a_start_that_failed_the_next_goes_on_from_where_the_old_was_stopped(
    flink: Flink, host: Host
) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    host.refused = {"one"}
    with pytest.raises(DownError, match="goes on from s3://flink/sp-1"):
        host.deploy("one", "s3://flink/typo")
    host.refused = set()
    host.deploy("one")
    assert host.origins == [None, "s3://flink/typo", "s3://flink/sp-1"]


def test_a_job_that_ran_before_is_not_started_anew_on_a_host_that_does_not_know_it(
    host: Host,
) -> None:
    host.has_run = True
    with pytest.raises(ClusterError, match=r"the job has run before.*--from scratch"):
        host.deploy("one")
    assert host.started == []
    host.deploy("one", "scratch")
    assert host.origins == [None]


def test_a_start_from_scratch_is_asked_for_by_name(flink: Flink, host: Host) -> None:
    host.deploy("one")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    host.deploy("one", "scratch")
    assert host.origins == [None, None]


def test_two_live_jobs_are_refused(flink: Flink, host: Host) -> None:
    jobs = [{"jid": jid, "name": NAME, "state": "RUNNING"} for jid in "ab"]
    flink.answers["GET /jobs/overview"] = {"jobs": jobs}
    with pytest.raises(ClusterError, match=r"Two jobs .* are alive \(a, b\)"):
        host.deploy("one")


def test_checkpoints_outlive_a_job_and_one_that_fails_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assembled = Mock()
    monkeypatch.setattr(submit_module, "assemble", assembled)
    monkeypatch.setattr(submit_module, "verdict_jar", lambda _: tmp_path)
    own = {"parallelism.default": "2"}
    submit_module.submit(Kafka(("k:9092",)), "jm:8081", tmp_path, own, "s3://flink/sp-1")
    settings = assembled.call_args.args[3]
    assert settings["execution.state-recovery.path"] == "s3://flink/sp-1"
    checkpoints = "execution.checkpointing."
    retention = settings[f"{checkpoints}externalized-checkpoint-retention"]
    assert retention == "RETAIN_ON_CANCELLATION"
    assert int(settings[f"{checkpoints}tolerable-failed-checkpoints"]) > 0


def test_flink_gives_up_a_savepoint_before_the_deployment_that_waits_for_it() -> None:
    minutes, unit = submit_module.CHECKPOINTS["execution.checkpointing.timeout"].split()
    role = YAML(typ="safe").load(ROOT / "roles/ctr_job/defaults/main.yml")
    assert unit == "min"
    assert int(minutes) * 60 < role["ctr_job_within"]


@pytest.mark.parametrize("step", ["assemble", "execute"])
def test_a_job_that_flink_refuses_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, step: str
) -> None:
    refusal = Exception("An error occurred\n\tat x\nCaused by: x.Invalid: no such column\n\tat y")
    assembled = Mock()
    refusing = assembled if step == "assemble" else assembled.return_value.execute
    refusing.side_effect = refusal
    monkeypatch.setattr(submit_module, "assemble", assembled)
    monkeypatch.setattr(submit_module, "verdict_jar", lambda _: tmp_path)
    with pytest.raises(ClusterError, match=r"^Flink refuses the job: x\.Invalid: no such column$"):
        submit_module.submit(Kafka(("k:9092",)), "jm:8081", tmp_path, {}, None)


def test_the_group_that_is_asked_for_is_the_jobs() -> None:
    incoming = statement("kafka/incoming.sql", {**SERVING, "kafka_properties": ""})
    assert f"'properties.group.id' = '{GROUP}'" in incoming


def test_a_job_that_never_completes_a_checkpoint_is_told_with_its_exception(flink: Flink) -> None:
    flink.runs("a", checkpoints=0)
    trace = "java.lang.RuntimeException: outer\nCaused by: x.Inner: no such topic"
    flink.answers["GET /jobs/a/exceptions"] = {
        "exceptionHistory": {"entries": [{"stacktrace": trace, "timestamp": 7}]}
    }
    with pytest.raises(ClusterError, match=r"not run for 2 checkpoints within .*no such topic"):
        Cluster(flink.address).serving("a", 0.05)


@pytest.mark.parametrize(
    ("completed", "failed", "serves"),
    [
        ([], [], False),
        ([1], [], False),
        ([1, 2], [], True),
        ([1, 3], [2], False),
        ([1, 3, 4], [2], True),
        ([1, 3, 4, 6], [2, 5], False),
        ([6, 7], [2, 5], True),
    ],
)
def test_a_job_serves_with_two_checkpoints_since_it_last_failed(
    flink: Flink, completed: list[int], failed: list[int], *, serves: bool
) -> None:
    flink.runs("a")
    flink.answers["GET /jobs/a/checkpoints"]["history"] = [
        {"status": "IN_PROGRESS", "trigger_timestamp": 9},
        {"status": "FAILED", "trigger_timestamp": 8},
        *({"status": "COMPLETED", "trigger_timestamp": time} for time in completed),
    ]
    entries = [{"stacktrace": "x.Down", "timestamp": time} for time in failed]
    flink.answers["GET /jobs/a/exceptions"] = {"exceptionHistory": {"entries": entries}}
    cluster = Cluster(flink.address)
    if serves:
        cluster.serving("a", 0.05)
    else:
        with pytest.raises(ClusterError, match="not run for 2 checkpoints"):
            cluster.serving("a", 0.05)


def test_a_savepoint_is_of_the_format_that_any_state_backend_starts_from(
    flink: Flink,
) -> None:
    flink.runs("a")
    flink.saves("a", {"location": "s3://flink/sp-1"})
    assert Cluster(flink.address).stop("a", "0" * 32, WITHIN_S) == "s3://flink/sp-1"
    assert [order["formatType"] for order in flink.orders] == ["CANONICAL"]


def test_a_job_that_has_ended_is_not_waited_for(flink: Flink) -> None:
    flink.runs("a", state="FAILED")
    flink.answers["GET /jobs/a/exceptions"] = {}
    with pytest.raises(ClusterError, match="job a ended as FAILED: it tells no exception"):
        Cluster(flink.address).serving("a", 60)


def test_a_cluster_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(ClusterError, match=r"http://127\.0\.0\.1:1 does not answer"):
        Cluster("127.0.0.1:1").live_jobs(NAME)
