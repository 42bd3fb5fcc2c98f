"""Whether the windows in a state still live: Flink lets them expire by the wall clock. Pure.

A window that was open when the job ended would be counted from zero once its state has expired, and
the smaller count would lose against the one that is in the tables: it would lack events for good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Flink does not know this setting; a job puts it into its SQL.
SETTING = "ctr.windows-ttl"
WINDOWS_TTL = "10800 s"

HOUR = timedelta(hours=1)
# Events come late, and clocks differ.
BEFORE, BEHIND = timedelta(hours=1), timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the job's newest state has read, over all partitions; append times in ms.

    Attributes:
        newest: Of the newest message that it has read; None where Kafka keeps none of them.
        unread: Of the oldest that it has not; None where it has read all.
    """

    newest: int | None
    unread: int | None


@dataclass(frozen=True, slots=True)
class Expired:
    """The windows of a state that have expired.

    Attributes:
        left: When the state was the newest.
        lifetime: How long a window lives in it.
        reached: How far it has read; None where Kafka does not tell.
    """

    left: datetime
    lifetime: timedelta
    reached: Reached | None = None

    def __str__(self) -> str:
        """What is wrong and what to do, for the operator."""
        behind = self.left
        if self.reached is not None and self.reached.unread is not None:
            behind = min(behind, datetime.fromtimestamp(self.reached.unread / 1_000, UTC))
        begin = _hour(behind - BEFORE)
        end = _hour(self.left + BEHIND) + HOUR
        return (
            f"The job's state is of {self.left:%Y-%m-%d %H:%M} UTC, and windows live in it for "
            f"{self.lifetime.total_seconds():.0f} s: those that were open then have expired, and "
            "would lack events. Deploy with -e ctr_job_despite_age=true, and then recount those "
            f"hours: ansible/backfill.yml -e from={begin:%Y-%m-%dT%H:%M:%SZ} "
            f"-e to={end:%Y-%m-%dT%H:%M:%SZ} -e apply=true"
        ) + (
            " (Kafka does not tell how far behind the job was then: begin as much earlier.)"
            if self.reached is None
            else ""
        )


def expired(left_ms: int, now_ms: int, settings: Mapping[str, str]) -> Expired | None:
    """What has expired in a state; None where its windows live.

    Args:
        left_ms: When the state was the newest, in ms since the epoch.
        now_ms: Now.
        settings: Of the job that would start from it.
    """
    lifetime = lifetime_of(settings)
    if now_ms - left_ms < lifetime / timedelta(milliseconds=1):
        return None
    return Expired(datetime.fromtimestamp(left_ms / 1_000, UTC), lifetime)


def unknown(state: str, settings: Mapping[str, str]) -> str:
    """That nobody can tell how old a state is, and what it means, for the operator."""
    return (
        f"How old the state {state} is cannot be told: where it was left more than "
        f"{lifetime_of(settings).total_seconds():.0f} s ago, windows that were open then lack "
        "events; make reconcile tells of which hours, and ansible/backfill.yml recounts them."
    )


def lifetime_of(settings: Mapping[str, str]) -> timedelta:
    """How long windows live in the state of a job.

    Raises:
        ValueError: The setting is no such time.
    """
    told = settings.get(SETTING, WINDOWS_TTL)
    found = re.fullmatch(r"(\d+) s", told)
    if found is None:
        raise ValueError(f"{SETTING} is {told!r}, and must be whole seconds such as '10800 s'")
    return timedelta(seconds=int(found[1]))


def _hour(time: datetime) -> datetime:
    return time.replace(minute=0, second=0, microsecond=0)
