"""A state whose windows have expired is not started from unless that is wanted."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from flink_job.age import SETTING, expired, lifetime_of
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
    host.deploy("two", origin)
    assert host.origins == [None if origin == "scratch" else origin]


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
