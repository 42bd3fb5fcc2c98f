"""Each version is started by the code of its own release, and a deployment is alone on its host."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from flink_job import deploy as deploy_module
from flink_job import submit as submit_module
from flink_job.cluster import ClusterError, LateError
from flink_job.deploy import Status, alone
from flink_job.deployed import DeployedError, Version
from flink_job.endpoints import EndpointsError, Kafka
from flink_job.launch import Launcher
from flink_job.rollout import DownError, RolledBackError, Rollout, UnclearError

JOB = "0123456789abcdef" * 2
ENDPOINTS = {
    "kafka": {"bootstrap.servers": "kafka1:9092"},
    "clickhouse": {"host": "h", "port": 9000, "user": "u", "password": "", "database": "ctr"},
}


def release(folder: Path, code: str) -> Version:
    """A release whose way to submit the job is a piece of code."""
    (folder / "flink_job").mkdir(parents=True)
    (folder / "flink_job" / "__init__.py").touch()
    (folder / "flink_job" / "submit.py").write_text(code)
    return Version(str(folder), {"parallelism.default": "2", "table.mini": "300 ms"})


@pytest.fixture
def launcher(tmp_path: Path) -> Launcher:
    lock = (tmp_path / "lock").open("w")
    kafka = Kafka(("kafka1:9092",))
    return Launcher(kafka, Path("/e.json"), "jm:8081", Path("/build"), 20.0, lock.fileno())


def test_a_version_is_started_by_its_own_code_with_its_own_settings(
    launcher: Launcher, tmp_path: Path
) -> None:
    # The tests' own folder holds a flink_job, too.
    told = tmp_path / "told.json"
    version = release(
        tmp_path / "0a1b",
        f"import json, sys; json.dump(sys.argv[1:], open({str(told)!r}, 'w')); print({JOB!r})",
    )
    assert launcher.start(version, "s3://flink/sp-1") == JOB
    assert json.loads(told.read_text()) == [
        "--endpoints=/e.json",
        "--cluster=jm:8081",
        "--build=/build",
        "--setting=parallelism.default=2",
        "--setting=table.mini=300 ms",
        "--from=s3://flink/sp-1",
    ]
    launcher.start(version, None)
    assert not any(said.startswith("--from") for said in json.loads(told.read_text()))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit('WARNING: x\\nFlink refuses the job: no slots')", "Flink refuses"),
        ("raise ValueError('twelve')", "^ValueError: twelve$"),
        ("print('Job has been submitted')", "told no job and no reason"),
        ("", "told no job and no reason"),
    ],
)
def test_a_start_that_comes_to_no_job_is_a_sentence(
    launcher: Launcher, tmp_path: Path, code: str, said: str
) -> None:
    with pytest.raises(ClusterError, match=said):
        launcher.start(release(tmp_path / "0a1b", code), None)


def test_a_start_has_its_time(launcher: Launcher, tmp_path: Path) -> None:
    version = release(tmp_path / "0a1b", "import time; time.sleep(60)")
    with pytest.raises(ClusterError, match="not submitted within 0 s"):
        replace(launcher, within_s=0.1).start(version, None)


def test_a_version_that_is_ready_starts_from_what_is_told_then(
    launcher: Launcher, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    waits = f"import sys; print('ready', flush=True); said = sys.stdin.readline(); print({JOB!r}); "
    code = f"{waits}open({str(told)!r}, 'w').write(sys.argv[-1] + said)"
    version = release(tmp_path / "0a1b", code)
    for origin, line in (("s3://flink/sp-1", "--awaits3://flink/sp-1\n"), (None, "--await\n")):
        with launcher.prepared(version) as launch:
            assert not told.exists()
            assert launch(origin) == JOB
        assert told.read_text() == line
        told.unlink()


def test_a_version_that_was_ready_for_nothing_is_not_submitted(
    launcher: Launcher, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    waits = "import sys; print('ready', flush=True); sys.stdin.readline(); "
    version = release(tmp_path / "0a1b", f"{waits}open({str(told)!r}, 'w')")
    with pytest.raises(KeyboardInterrupt), launcher.prepared(version):
        raise KeyboardInterrupt
    assert not told.exists()


def test_a_version_that_cannot_be_made_ready_is_a_sentence(
    launcher: Launcher, tmp_path: Path
) -> None:
    refused = release(tmp_path / "0a1b", "import sys; sys.exit('Flink refuses the job: no plan')")
    with pytest.raises(ClusterError, match=r"^Flink refuses"), launcher.prepared(refused):
        pass
    slow = release(tmp_path / "0a1c", "import time; time.sleep(60)")
    hasty = replace(launcher, within_s=0.1)
    with pytest.raises(ClusterError, match=r"not ready .+ within 0 s"), hasty.prepared(slow):
        pass


def test_a_release_that_cannot_wait_is_started_when_it_is(
    launcher: Launcher, tmp_path: Path
) -> None:
    code = (
        "import argparse; told = argparse.ArgumentParser(); told.add_argument('--from'); "
        "[told.add_argument(one) for one in ('--endpoints', '--cluster', '--build', '--setting')]; "
        f"told.parse_args(); print({JOB!r})"
    )
    with launcher.prepared(release(tmp_path / "0a1b", code)) as launch:
        assert launch("s3://flink/sp-1") == JOB


def test_a_release_that_is_not_whole_is_not_there(launcher: Launcher, tmp_path: Path) -> None:
    assert launcher.there(release(tmp_path / "0a1b", ""))
    assert not launcher.there(Version(str(tmp_path / "gone"), {}))


def test_a_version_is_told_from_others_by_release_settings_and_kafka(launcher: Launcher) -> None:
    one = Version("/opt/ctr-job/0a1b", {"a": "1", "b": "2"})
    other_kafka = replace(launcher, kafka=Kafka(("kafka2:9092",)))
    digests = {
        launcher.digest(one),
        launcher.digest(Version("/opt/ctr-job/0a1b", {"a": "1"})),
        launcher.digest(Version("/opt/ctr-job/0a1c", one.settings)),
        other_kafka.digest(one),
    }
    assert len(digests) == 4
    moved = Version("/elsewhere/0a1b", {"b": "2", "a": "1"})
    assert launcher.digest(moved) == launcher.digest(one)


def test_a_deployment_is_alone_until_what_it_has_started_has_ended(
    launcher: Launcher, tmp_path: Path
) -> None:
    state, end = tmp_path / "job.json", tmp_path / "end"
    os.mkfifo(end)
    # What it starts goes on until somebody writes to the file.
    code = (
        f"import subprocess; subprocess.Popen(['cat', {str(end)!r}], close_fds=False, "
        f"stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL); print({JOB!r})"
    )
    with alone(state) as lock:
        with pytest.raises(ClusterError, match="Another deployment is under way"), alone(state):
            pass
        replace(launcher, lock=lock).start(release(tmp_path / "0a1b", code), None)
    try:
        with pytest.raises(ClusterError, match="Another deployment is under way"), alone(state):
            pass
    finally:
        end.write_text("")
    with state.with_suffix(".lock").open() as waits:
        fcntl.flock(waits, fcntl.LOCK_EX)
    with alone(state):
        pass


def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "e.json").write_text(json.dumps(ENDPOINTS))
    said = ["--cluster=jm:8081", f"--build={tmp_path}", "--setting=parallelism.default=2"]
    return [f"--endpoints={tmp_path / 'e.json'}", *said]


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (ClusterError("the savepoint failed"), Status.FAILED),
        (DeployedError("cannot be read"), Status.FAILED),
        (EndpointsError("no section kafka"), Status.MISTAKE),
        (RolledBackError("runs again"), Status.ROLLED_BACK),
        (DownError("none runs"), Status.DOWN),
        (UnclearError("could not be cancelled"), Status.UNCLEAR),
        (LateError("not known whether it will stop"), Status.UNCLEAR),
    ],
)
def test_the_exit_status_says_how_things_stand(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    problem: Exception,
    status: Status,
) -> None:
    monkeypatch.setattr(Rollout, "deploy", Mock(side_effect=problem))
    own = ["--release=/opt/ctr-job/0a1b", f"--state={tmp_path / 'job.json'}"]
    assert deploy_module.main([*arguments(tmp_path), *own]) == status
    assert capsys.readouterr().err == f"{problem}\n"


def test_a_host_that_cannot_go_on_does_not_say_that_nothing_was_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(Rollout, "deploy", Mock(side_effect=full))
    own = ["--release=/opt/ctr-job/0a1b", f"--state={tmp_path / 'job.json'}"]
    assert deploy_module.main([*arguments(tmp_path), *own]) == Status.UNCLEAR
    told = capsys.readouterr().err
    assert "No space left on device), and the job may have been stopped" in told
    assert told.count("\n") == 1


def test_the_statuses_are_those_that_are_documented() -> None:
    operations = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    for status in Status:
        assert f"\n| {status.value} | " in operations


def test_what_is_deployed_is_the_release_with_the_settings(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    deployed = Mock(return_value="deployed: job a runs")
    monkeypatch.setattr(Rollout, "deploy", deployed)
    own = ["--release=/opt/ctr-job/0a1b", f"--state={tmp_path / 'job.json'}", "--from=scratch"]
    assert deploy_module.main([*arguments(tmp_path), *own]) == Status.DONE
    version = Version("/opt/ctr-job/0a1b", {"parallelism.default": "2"})
    deployed.assert_called_once_with(version, "scratch")
    assert capsys.readouterr().out == "deployed: job a runs\n"


def test_a_way_back_is_asked_for_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    back = Mock(return_value="rolled back: job b runs")
    rollout = Mock(return_value=Mock(roll_back=back))
    monkeypatch.setattr(deploy_module, "Rollout", rollout)
    own = ["--release=/opt/ctr-job/0a1b", f"--state={tmp_path / 'job.json'}", "--rollback"]
    own.append("--savepoints-kept=3")
    assert deploy_module.main([*arguments(tmp_path), *own]) == Status.DONE
    back.assert_called_once_with(None)
    assert rollout.call_args.args[4] == 3
    assert capsys.readouterr().out == "rolled back: job b runs\n"


def test_submitting_says_the_job_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    submit = Mock(return_value=JOB)
    monkeypatch.setattr(submit_module, "submit", submit)
    assert submit_module.main([*arguments(tmp_path), "--from=s3://flink/sp-1"]) == 0
    assert capsys.readouterr().out == f"{JOB}\n"
    kafka = Kafka(("kafka1:9092",))
    settings = {"parallelism.default": "2"}
    submit.assert_called_once_with(kafka, "jm:8081", tmp_path, settings, "s3://flink/sp-1")
    rehearse = Mock()
    monkeypatch.setattr(submit_module, "rehearse", rehearse)
    monkeypatch.setattr("sys.stdin", io.StringIO("s3://flink/sp-2\n"))
    assert submit_module.main([*arguments(tmp_path), "--await"]) == 0
    assert capsys.readouterr().out == f"{submit_module.READY}\n{JOB}\n"
    assert submit.call_args.args[-1] == "s3://flink/sp-2"
    rehearse.assert_called_once_with(kafka, tmp_path, settings)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert submit_module.main([*arguments(tmp_path), "--await"]) == 0
    assert capsys.readouterr().out == f"{submit_module.READY}\n"
    submit.side_effect = ClusterError("Flink refuses the job: no slots")
    assert submit_module.main(arguments(tmp_path)) == 1
    assert capsys.readouterr().err == "Flink refuses the job: no slots\n"
