"""One backfill at a time: whose the tables are, and what becomes of a claim whose owner is gone."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from flink_job.backfill.claim import Claim, ClaimError, held, main, release, take
from flink_job.backfill.plan import Plan
from tests.nasty import T

HOUR_MS = 3_600_000
ONE = Claim(T, "ten to eleven", "ann on ctl1", T, T + HOUR_MS)
OTHER = Claim(T + 1, "six to nine", "bob on ctl2", T + 60_000, T + 60_000 + HOUR_MS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "backfill.json"


def test_a_second_backfill_is_told_whose_the_first_is_since_when_and_what_to_do(
    file: Path,
) -> None:
    take(file, ONE)
    with pytest.raises(ClaimError) as refused:
        take(file, OTHER)
    assert str(refused.value) == (
        "One backfill at a time: the backfill of ten to eleven by ann on ctl1, begun at "
        "2025-11-24T16:00:00Z, has the tables. Wait for its end; where it is dead, remove "
        f"{file} on {socket.gethostname()}, or wait until 2025-11-24T17:00:00Z, when the claim "
        "ends by itself."
    )
    with held(file, ONE.asked):
        pass


def test_the_same_backfill_may_claim_again_and_gives_up_what_is_its_own(file: Path) -> None:
    take(file, ONE)
    take(file, replace(ONE, since=T + 1_000))
    release(file, OTHER.asked)
    with pytest.raises(ClaimError):
        take(file, OTHER)
    release(file, ONE.asked)
    take(file, OTHER)


@pytest.mark.parametrize("removed", [True, False])
def test_a_claim_whose_owner_is_gone_ends_or_is_removed_and_is_lost_to_the_next(
    file: Path, *, removed: bool
) -> None:
    take(file, ONE)
    if removed:
        file.unlink()
    later = replace(OTHER, since=OTHER.since if removed else ONE.until)
    take(file, later)
    with (
        pytest.raises(ClaimError, match="lost its claim to the backfill of six to nine by bob"),
        held(file, ONE.asked),
    ):
        pytest.fail("the tables are another's")


def test_a_claim_that_was_removed_is_lost_though_nobody_took_it(file: Path) -> None:
    with (
        pytest.raises(ClaimError, match="to whoever removed it, and has changed nothing"),
        held(file, ONE.asked),
    ):
        pytest.fail("the tables are nobody's")


@pytest.mark.parametrize("removed", [True, False])
def test_while_the_tables_are_at_work_on_no_claim_of_whatever_age_is_taken(
    file: Path, *, removed: bool
) -> None:
    take(file, ONE)
    with held(file, ONE.asked):
        if removed:
            file.unlink()
        process = f"process {os.getpid()} on {socket.gethostname()} is at the tables for "
        whose = "another one" if removed else "the backfill of ten to eleven by ann on ctl1"
        with pytest.raises(ClaimError, match=process + whose):
            take(file, replace(OTHER, since=ONE.until))
    take(file, replace(OTHER, since=ONE.until))


def test_a_file_that_tells_nothing_is_a_sentence(file: Path) -> None:
    file.write_text("{}")
    with pytest.raises(ClaimError, match="does not tell whose the tables are"):
        take(file, ONE)


def test_the_command_takes_and_releases(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def arguments(step: str, asked: int) -> list[str]:
        plan = Plan(T, T + HOUR_MS, T - 61_000, None, asked)
        return [step, f"--file={file}", f"--plan={plan.json([])}", "--who=ann on ctl1", "--for=60"]

    def clock() -> float:
        return T / 1_000

    assert main(arguments("take", 1), clock=clock) == 0
    assert main(arguments("take", 2), clock=clock) == 2
    said = capsys.readouterr().err
    assert "2025-11-24T16:00:00Z to 2025-11-24T17:00:00Z by ann on ctl1, begun at" in said
    assert "wait until 2025-11-24T16:01:00Z" in said
    assert main(arguments("release", 1)) == 0
    assert main(arguments("take", 2), clock=clock) == 0
