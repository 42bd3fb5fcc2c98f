"""What a program and all that it has started use: CPU time and memory, out of /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
# Of the fields behind the name in /proc/PID/stat, from 0.
STATE, SESSION, UTIME, STIME, CUTIME, CSTIME, RSS = 0, 3, 11, 12, 13, 14, 21


@dataclass(frozen=True, slots=True)
class Use:
    """What a session's processes use.

    Attributes:
        cpu: Seconds, user and system, of those that run and of those that were waited for.
        memory: Bytes that are resident, of those that run; what two share counts twice.
    """

    cpu: float = 0.0
    memory: int = 0


def use_of(session: int, proc: Path = PROC) -> Use:
    """What the processes of a session use together.

    A program that is started in a session of its own is in it with all that it starts, also where
    a process between has ended.

    Args:
        session: The session's id, which is the first program's.
        proc: The kernel's files.
    """
    ticks = pages = 0
    for stat in _stats(proc):
        if int(stat[SESSION]) == session:
            ticks += sum(int(stat[field]) for field in (UTIME, STIME, CUTIME, CSTIME))
            pages += int(stat[RSS])
    return Use(ticks / TICKS, pages * PAGE)


def members(session: int, proc: Path = PROC) -> list[int]:
    """The processes of a session that run; one that has ended and waits for its parent does not."""
    found = []
    for path in _numbered(proc):
        stat = _stat(path)
        if stat is not None and stat[STATE] != "Z" and int(stat[SESSION]) == session:
            found.append(int(path.name))
    return found


def _numbered(proc: Path) -> Iterator[Path]:
    return (path for path in proc.iterdir() if path.name.isdigit())


def _stats(proc: Path) -> Iterator[list[str]]:
    for path in _numbered(proc):
        stat = _stat(path)
        if stat is not None:
            yield stat


def _stat(path: Path) -> list[str] | None:
    """The fields behind the name, which may hold spaces and brackets; None where it has ended."""
    try:
        text = (path / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()
