"""One version of the job in the place of another, and back again where the new one does not serve.

There are never two jobs. The one that runs is stopped with a savepoint, and the new one starts from
it; if the savepoint fails, the old one goes on. A job that does not run cannot take one: it is
cancelled, and the new one starts from its newest checkpoint. A new job that does not serve in time
is cancelled too, and the version before it starts again from where it ended.

What was done is in the file before the next step can fail, so whoever comes after a crash goes on
from there: `version` is the one to go back to until another has served.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn, Protocol

from flink_job.age import Reached, expired, unknown
from flink_job.cluster import Cluster, ClusterError, Job
from flink_job.deployed import STOPPED, UNKNOWN, Deployed, Version, keep_deployed, read_deployed
from flink_job.ending import Ending, left_by
from flink_job.job import SETTINGS
from flink_job.leftovers import dispose_of_left, remember
from flink_job.savepoints import dispose_of_older

NAME = SETTINGS["pipeline.name"]
SCRATCH, BEGINNING = "scratch", "the beginning of the topics"


class RolledBackError(ClusterError):
    """The new version does not serve, and the one before it does so again."""


class DownError(ClusterError):
    """No version serves; what is to be done is said."""


class UnclearError(ClusterError):
    """It is not known what runs; the next deployment finds out."""


class _FruitlessError(ClusterError):
    """A version does not serve, and no job of it is left."""


Launch = Callable[[str | None], str]


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What serves in the place of another.

    Attributes:
        job: It.
        start: What it was started from; None for the beginning.
        before: The job that it follows, if any is known.
        told: What is not known or could not be done, in sentences.
    """

    job: str
    start: str | None
    before: str | None
    told: list[str]


class Versions(Protocol):
    """What starts versions of the job."""

    def digest(self, version: Version) -> str:
        """What tells a version from others, here and now."""

    def there(self, version: Version) -> bool:
        """Whether the release of a version is on this host still."""

    def ran_before(self) -> bool:
        """Whether the job has ever run against this Kafka, from wherever."""

    def reached(self) -> Reached:
        """How far the newest checkpoint of the job that ran last has read.

        Raises:
            ClusterError: Kafka cannot be asked.
        """

    def start(self, version: Version, origin: str | None) -> str:
        """Start a version from a savepoint, or with None from the beginning; the job's id."""

    def prepared(self, version: Version) -> AbstractContextManager[Launch]:
        """What starts a version as `start` does, with all done before that can be."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a version is brought to run with.

    Attributes:
        cluster: Where jobs run.
        file: Keeps what was deployed.
        versions: What starts them.
        within_s: How long each step may take.
        savepoints_kept: How many savepoints stay.
        despite_age: Start also from a state whose windows have expired.
    """

    cluster: Cluster
    file: Path
    versions: Versions
    within_s: float
    savepoints_kept: int
    despite_age: bool = False

    def deploy(self, version: Version, origin: str | None = None) -> str:
        """Bring the job to a version; what was done, in a line, and what is left to do.

        Args:
            version: What should run.
            origin: What it must start from: a savepoint, or `scratch`; None for where the last
                job was.

        Raises:
            ClusterError: It does not run; the sentence says how things stand.
        """
        last, live = read_deployed(self.file), _only(self.cluster.live_jobs(NAME))
        if (
            origin is None
            and live is not None
            and last is not None
            and (last.job, last.digest, last.trigger) == (live, self.versions.digest(version), None)
        ):
            self.cluster.serving(live, self.within_s)
            return f"unchanged: job {live} runs"
        if last is None and live is None and origin is None and self.versions.ran_before():
            raise ClusterError(
                f"{self.file} is not there, but the job has run before, as its offsets in Kafka "
                "tell: name its newest checkpoint or savepoint from the store by --from, or start "
                "anew by --from scratch, which counts the topics again."
            )
        new = self._replace(last, live, version, origin, back=False)
        return self._tidied(
            f"deployed: job {new.job} runs, started from {new.start or BEGINNING}", new
        )

    def roll_back(self, origin: str | None = None) -> str:
        """Bring the job back to the version that served before; what was done, as `deploy` says.

        Where a deployment was cut off, that is the one that served last; cut off itself, it is the
        same one again. From what it has gone back to it goes no further.

        Args:
            origin: As for `deploy`.

        Raises:
            ClusterError: It does not run; the sentence says how things stand.
        """
        last, live = read_deployed(self.file), _only(self.cluster.live_jobs(NAME))
        if last is None:
            raise ClusterError(
                f"{self.file} is not there, so no version is known to go back to: deploy the "
                "release that you want from its checkout."
            )
        served = last.digest not in {STOPPED, UNKNOWN} and live in {None, last.job}
        back = last.back or served
        version = last.former if back else last.version
        if version is None:
            runs = "what runs" if last.version is None else _named(last.version, None)
            raise ClusterError(
                f"There is no version to go back to: none is known from before {runs}, and nothing "
                "was changed; deploy the release that you want from its checkout."
            )
        if not self.versions.there(version):
            raise ClusterError(
                f"{version.release} is not on this host any more, and nothing was changed: deploy "
                "that release from its checkout."
            )
        new = self._replace(last, live, version, origin, back=back)
        name = _named(version, last.version if back else None)
        return self._tidied(
            f"rolled back: job {new.job} runs {name}, started from {new.start or BEGINNING}; the "
            "next deployment brings the newer version again",
            new,
        )

    def _replace(
        self,
        last: Deployed | None,
        live: str | None,
        version: Version,
        origin: str | None,
        *,
        back: bool,
    ) -> _Replaced:
        """Let a version serve in the place of what is there.

        The version is made ready first: rows pause from the end of the one until the start of the
        other, and what Flink refuses to plan ends nothing.
        """
        with self.versions.prepared(version) as launch:
            try:
                ended = self._end(last, live, origin, back=back)
                start = _start(ended, origin)
                told = self._refuse_expired(ended, version, start)
                job = self._serve(ended, version, start, launch)
            except ClusterError:
                remember(self.cluster, self.file, NAME)
                raise
        told += remember(self.cluster, self.file, NAME)
        return _Replaced(job, start, None if ended is None else ended.job, told)

    def _tidied(self, done: str, new: _Replaced) -> str:
        told = dispose_of_older(self.cluster, self.file, self.savepoints_kept)
        told += dispose_of_left(self.cluster, self.file, new.before)
        return "\n".join([done, *new.told, *told])

    def _end(
        self, last: Deployed | None, live: str | None, origin: str | None, *, back: bool
    ) -> Deployed | None:
        """End what is there; what is known of it."""
        stateless = origin is not None
        ending = Ending(self.cluster, self.file, self.within_s, stateless, self._read_to, back)
        if live is not None:
            return ending.end(last, live)
        if last is not None and origin is None:
            return ending.gone(last)
        return last if last is None else replace(last, back=back)

    def _refuse_expired(
        self, ended: Deployed | None, version: Version, start: str | None
    ) -> list[str]:
        """Refuse a state whose windows have expired; a sentence where that cannot be told."""
        if self.despite_age or start is None:
            return []
        # What an operator names by path may be of any age.
        if ended is None or start != ended.started_from or ended.left_ms is None:
            return [unknown(start, version.settings)]
        found = expired(ended.left_ms, int(time.time() * 1_000), version.settings)
        if found is not None:
            raise DownError(str(replace(found, reached=self._reached())))
        return []

    def _reached(self) -> Reached | None:
        # What cannot be told is said where it is missing.
        try:
            return self.versions.reached()
        except ClusterError:
            return None

    def _read_to(self) -> int | None:
        reached = self._reached()
        return None if reached is None else reached.newest

    def _serve(
        self, ended: Deployed | None, version: Version, start: str | None, launch: Launch
    ) -> str:
        """Let a version serve in the place of what has ended, or go back; the job's id."""
        try:
            job = self._try(ended, start, launch)
        except _FruitlessError as problem:
            if ended is not None:
                ended = replace(ended, back=False)
                keep_deployed(self.file, ended)
            self._go_back(ended, version, start, problem)
        digest = self.versions.digest(version)
        served = _started(ended, digest, job, start)
        if version != served.version:
            # Gone back twice by mistake, it would be the one that was left which runs.
            former = None if served.back else served.version
            served = replace(served, version=version, former=former)
        keep_deployed(self.file, replace(served, back=False))
        return job

    def _try(self, ended: Deployed | None, start: str | None, launch: Launch) -> str:
        """Start a version and wait until it serves; its job, which is cancelled where it does not.

        Raises:
            _FruitlessError: It does not serve.
            UnclearError: Nor could its job be cancelled.
        """
        job = self._launch(ended, start, launch)
        try:
            self.cluster.serving(job, self.within_s)
        except ClusterError as problem:
            self._cancel(job, start, problem)
            if ended is None:
                keep_deployed(self.file, Deployed(STOPPED, job, start))
            raise _FruitlessError(str(problem)) from problem
        return job

    def _launch(self, ended: Deployed | None, start: str | None, launch: Launch) -> str:
        try:
            job = launch(start)
        except ClusterError as problem:
            self._cancel_stray(start, problem)
            raise _FruitlessError(str(problem)) from problem
        # Not what is wanted before it has served: deployed again, it is ended first.
        keep_deployed(self.file, _started(ended, UNKNOWN, job, start))
        return job

    def _cancel_stray(self, start: str | None, problem: ClusterError) -> None:
        """Cancel a job that was submitted although its start failed."""
        try:
            stray = _only(self.cluster.live_jobs(NAME))
        except ClusterError as other:
            raise UnclearError(
                f"The new job could not be started ({problem}), and it is not known whether Flink "
                f"runs it all the same ({other}): deploy again, which finds out; it was to start "
                f"from {start or BEGINNING}."
            ) from problem
        if stray is not None:
            self._cancel(stray, start, problem)

    def _cancel(self, job: str, start: str | None, problem: ClusterError) -> None:
        try:
            self.cluster.cancel(job, self.within_s)
        except ClusterError as other:
            raise UnclearError(
                f"The new job does not serve ({problem}) and could not be cancelled ({other}): see "
                "what Flink does, then deploy again, which ends that job first; it was started "
                f"from {start or BEGINNING}."
            ) from problem

    def _go_back(
        self, ended: Deployed | None, tried: Version, start: str | None, problem: ClusterError
    ) -> NoReturn:
        """Start the version again that served before, with the settings and state that it had."""
        before = None if ended is None else ended.version
        fails = f"{_named(tried, before)} does not serve ({problem})"
        goes_on = _told(ended, start)
        if ended is None or before is None:
            why = "what ran before it is not known"
        elif before == tried:
            why = "it is what ran before, too"
        elif not self.versions.there(before):
            why = f"{before.release}, which ran before, is not on this host any more"
        else:
            raise self._again(ended, before, fails, _named(before, tried)) from problem
        raise DownError(
            f"{fails}, and none runs now, since {why}: deploy the former release or a mended one, "
            f"which goes on from {goes_on}."
        ) from problem

    def _again(self, ended: Deployed, before: Version, fails: str, name: str) -> ClusterError:
        """Start what served before; what is to be told of it."""
        try:
            left = left_by(self.cluster, ended)
            start = None if left is None else left.path
            job = self._launch(ended, start, partial(self.versions.start, before))
        except UnclearError as other:
            return UnclearError(f"{fails}, and {name} was to run again: {other}")
        except ClusterError as other:
            return DownError(
                f"{fails}, and none runs now, since {name} could not be started again ({other}): "
                f"deploy it or a mended one, which goes on from {_told(ended, None)}."
            )
        try:
            self.cluster.serving(job, self.within_s)
        except ClusterError as other:
            return self._left_trying(ended, job, f"{fails}, nor does {name} any more ({other})")
        keep_deployed(self.file, _started(ended, self.versions.digest(before), job, start))
        again = f"{fails}, so {name} runs again as job {job}, from {start or BEGINNING}; "
        try:
            self._cancel_late(job)
        except ClusterError as other:
            return UnclearError(
                f"{again}whether what failed runs beside it is not known ({other}): see what Flink "
                f"does, and cancel any other job named {NAME}."
            )
        return RolledBackError(f"{again}what failed has to be mended before it is tried again.")

    def _cancel_late(self, job: str) -> None:
        """Cancel what has come of a start that was given up, now that another job runs."""
        for one in self.cluster.live_jobs(NAME):
            if one.id != job:
                self.cluster.cancel(one.id, self.within_s)

    def _left_trying(self, ended: Deployed, job: str, fails: str) -> DownError:
        """A former version that may need only time, or a TaskManager, is not cancelled."""
        try:
            alive = job in {one.id for one in self.cluster.live_jobs(NAME)}
        except ClusterError:
            alive = True
        if alive:
            return DownError(
                f"{fails}; job {job} is left to go on trying: see what Flink does, then deploy "
                "again, which ends it first."
            )
        keep_deployed(self.file, ended)
        return DownError(
            f"{fails}, and none runs now: deploy a mended one, which goes on from "
            f"{_told(ended, None)}."
        )


def _only(jobs: list[Job]) -> str | None:
    if len(jobs) > 1:
        ids = ", ".join(job.id for job in jobs)
        raise ClusterError(f"Two jobs named {NAME} are alive ({ids}): cancel the wrong one first.")
    return jobs[0].id if jobs else None


def _start(ended: Deployed | None, origin: str | None) -> str | None:
    """What the next job starts from; None for the beginning."""
    if origin is not None:
        return None if origin == SCRATCH else origin
    return None if ended is None else ended.started_from


def _started(ended: Deployed | None, digest: str, job: str, start: str | None) -> Deployed:
    if ended is None:
        return Deployed(digest, job, start)
    left_ms = ended.left_ms if start == ended.started_from else None
    return replace(ended, digest=digest, job=job, started_from=start, left_ms=left_ms, trigger=None)


def _named(version: Version, beside: Version | None) -> str:
    """A version for people, with the settings that another does not have."""
    own = {} if beside is None else dict(version.settings.items() - beside.settings.items())
    listed = ", ".join(f"{key}={value}" for key, value in sorted(own.items()))
    return f"release {version.name}" + (f" with {listed}" if own else "")


def _told(ended: Deployed | None, start: str | None) -> str:
    """Where the next deployment goes on from."""
    if ended is not None and ended.digest != STOPPED:
        return f"the newest checkpoint of job {ended.job}"
    return (start if ended is None else ended.started_from) or BEGINNING
