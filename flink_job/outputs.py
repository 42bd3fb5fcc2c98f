"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TextIO


class OutputError(Exception):
    """An output cannot be written; the message is a sentence for the user."""


@contextmanager
def whole_files(paths: list[Path]) -> Iterator[list[TextIO]]:
    """Text files that take their names when the block ends, one after the other, each whole.

    None does when the block fails. When one cannot take its name, those before it have theirs.

    Raises:
        OutputError: At once, when one of them cannot be written where it is wanted; at the end,
            when there is no room for what was written, or a name has been taken by a folder.
    """
    with ExitStack() as undo:
        halves = [undo.enter_context(_half(path)) for path in paths]
        yield halves
        for half, path in zip(halves, paths, strict=True):
            with _told(path):
                half.close()
                Path(half.name).replace(path)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise OutputError(f"{path} cannot be written: {problem.strerror}.") from problem


@contextmanager
def _half(path: Path) -> Iterator[TextIO]:
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} cannot be written: it is there and is not a file.")
    with _told(path):
        half = tempfile.NamedTemporaryFile(  # noqa: SIM115 - closed below, or by its renaming
            "w",
            encoding="utf-8",
            newline="",
            dir=path.parent,
            prefix=f".{path.name}.",
            delete=False,
        )
    try:
        Path(half.name).chmod(0o666 & ~_umask())
        yield half  # type: ignore[misc]  # the wrapper of a text file is one
    finally:
        Path(half.name).unlink(missing_ok=True)
        # What is left in its buffer has no place any more, nor should it have one.
        with suppress(OSError):
            half.close()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
