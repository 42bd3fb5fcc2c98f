"""A state whose windows have expired is not started from unless that is wanted."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flink_job.age import SETTING, Reached, expired, lifetime_of
from flink_job.deploy import main
from flink_job.deployed import STOPPED, Deployed
from flink_job.rollout import DownError
from tests.unit.played import SOON_S, Flink, Host

NOW_MS = 1_764_000_000_000
OLD = "s3://flink/sp-1"
HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("lifetime_ms", "settings"), [(3 * HOUR_MS, {}), (60_000, {SETTING: "60 s"})]
)
def test_windows_live_for_as_long_as_their_state_does(
    lifetime_ms: int, settings: dict[str, str]
) -> None:
    assert expired(NOW_MS - lifetime_ms + 1, NOW_MS, settings) is None
    assert expired(NOW_MS - lifetime_ms, NOW_MS, settings) is not None


def test_the_hours_to_recount_hold_all_windows_that_were_open() -> None:
    told = str(expired(NOW_MS - 5 * HOUR_MS - 60_000, NOW_MS, {}))
    assert "of 2025-11-24 10:59 UTC" in told
    assert "from=2025-11-24T09:00:00Z -e to=2025-11-24T12:00:00Z" in told


@pytest.mark.parametrize(
    ("reached", "begin"),
    [
        (Reached(NOW_MS - 7 * HOUR_MS, NOW_MS - 8 * HOUR_MS), "2025-11-24T07:00:00Z"),
        (Reached(NOW_MS - 7 * HOUR_MS, NOW_MS - HOUR_MS), "2025-11-24T09:00:00Z"),
        (Reached(NOW_MS - 7 * HOUR_MS, None), "2025-11-24T09:00:00Z"),
    ],
)
def test_they_begin_before_the_oldest_message_that_the_job_had_not_read(
    reached: Reached, begin: str
) -> None:
    found = expired(NOW_MS - 5 * HOUR_MS - 60_000, NOW_MS, {})
    assert found is not None
    told = str(replace(found, reached=reached))
    assert f"from={begin} -e to=2025-11-24T12:00:00Z -e apply=true" in told
    assert "does not tell" not in told


def test_where_kafka_does_not_tell_how_far_that_was_it_is_said() -> None:
    told = str(expired(NOW_MS - 5 * HOUR_MS, NOW_MS, {}))
    assert told.endswith(
        "(Kafka does not tell how far behind the job was then: begin as much earlier.)"
    )


def test_a_lifetime_that_is_none_is_refused_before_anything_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="must be whole seconds"):
        lifetime_of({SETTING: "long"})
    wanted = ["--endpoints=e", "--cluster=c:1", "--release=r", f"--state={tmp_path / 'job.json'}"]
    with pytest.raises(SystemExit) as ended:
        main([*wanted, f"--build={tmp_path}", f"--setting={SETTING}=long"])
    assert ended.value.code == 2
    assert "must be whole seconds" in capsys.readouterr().err


def stopped(age_s: float) -> Deployed:
    return Deployed(STOPPED, "old", OLD, left_ms=int((time.time() - age_s) * 1_000))


def test_a_state_that_is_too_old_is_refused_with_the_way_on(host: Host) -> None:
    host.knows(stopped(4 * 3_600))
    with pytest.raises(DownError, match=r"-e ctr_job_despite_age=true.*backfill\.yml -e from="):
        host.deploy("two")
    assert not host.started
    assert host.known.started_from == OLD


def test_it_is_started_from_where_that_is_wanted(host: Host) -> None:
    host.knows(stopped(4 * 3_600))
    host.despite_age = True
    host.deploy("two")
    assert host.origins == [OLD]


@pytest.mark.parametrize("origin", ["scratch", "s3://flink/named"])
def test_what_is_named_is_started_from(host: Host, origin: str) -> None:
    host.knows(stopped(4 * 3_600))
    _, *told = host.deploy("two", origin).splitlines()
    assert host.origins == [None if origin == "scratch" else origin]
    assert [one[:38] for one in told] == (
        [] if origin == "scratch" else ["How old the state s3://flink/named is "]
    )


def test_a_job_that_could_not_run_for_too_long_is_ended_and_not_gone_on_from(
    flink: Flink, host: Host
) -> None:
    flink.runs("old", state="RESTARTING")
    latest = flink.answers["GET /jobs/old/checkpoints"]["latest"]
    latest["completed"]["trigger_timestamp"] = int((time.time() - 4 * 3_600) * 1_000)
    with pytest.raises(DownError, match="have expired"):
        host.deploy("two", within_s=SOON_S)
    assert flink.was_cancelled("old")
    with pytest.raises(DownError, match="have expired"):
        host.deploy("two", within_s=SOON_S)
    assert not host.started


def taken_up(flink: Flink, host: Host, reading: Reached | None) -> None:
    """A new JobManager has taken the job up, which does not come to run."""
    host.knows(Deployed("old", "old", OLD, left_ms=int(time.time() * 1_000)))
    host.reading = reading
    flink.runs("old", state="RESTARTING")
    flink.remembers("old", restored="s3://flink/chk-7")


def ago(seconds: float) -> int:
    return int((time.time() - seconds) * 1_000)


@pytest.mark.parametrize("gone", [False, True])
def test_what_a_new_jobmanager_took_the_job_up_from_is_as_old_as_what_it_read_last(
    flink: Flink, host: Host, *, gone: bool
) -> None:
    reading = Reached(ago(4 * 3_600), ago(9 * 3_600))
    taken_up(flink, host, reading)
    if gone:
        flink.ends("old")
    behind = datetime.fromtimestamp((reading.unread or 0) / 1_000 - 3_600, UTC)
    for _ in range(2):
        with pytest.raises(DownError, match=rf"have expired.* from={behind:%Y-%m-%dT%H}:00:00Z"):
            host.deploy("two", within_s=SOON_S)
    assert not host.started
    assert host.known.left_ms == reading.newest


def test_where_it_is_young_enough_it_is_gone_on_from_without_a_word(
    flink: Flink, host: Host
) -> None:
    taken_up(flink, host, Reached(ago(2 * 3_600), None))
    done = host.deploy("two", within_s=SOON_S)
    assert done == "deployed: job a runs, started from s3://flink/chk-7"


@pytest.mark.parametrize("reading", [None, Reached(None, None)])
def test_where_that_cannot_be_told_either_it_is_said(
    flink: Flink, host: Host, reading: Reached | None
) -> None:
    taken_up(flink, host, reading)
    _, told = host.deploy("two", within_s=SOON_S).splitlines()
    assert told == (
        "How old the state s3://flink/chk-7 is cannot be told: where it was left more than 10800 s "
        "ago, windows that were open then lack events; make reconcile tells of which hours, and "
        "ansible/backfill.yml recounts them."
    )


def test_the_age_of_a_state_is_kept_with_it_until_another_is_taken(
    flink: Flink, host: Host
) -> None:
    last = stopped(60)
    host.knows(last)
    host.deploy("two")
    assert host.known.left_ms == last.left_ms
    flink.saves("a", {"location": "s3://flink/sp-2"})
    begin_ms = int(time.time() * 1_000)
    host.deploy("three")
    assert host.known.started_from == "s3://flink/sp-2"
    assert host.known.left_ms is not None
    assert host.known.left_ms >= begin_ms
