"""Programs of Debian's packages, for tests that let a product judge its own files."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / "build" / "debian"


def program(name: str, package: str) -> str:
    """A program's path: from PATH, or out of its package, which needs no root.

    Skips the test where there is neither, with a sentence that says what to install.
    """
    if there := shutil.which(name):
        return there
    unpacked = CACHE / package / "usr" / "bin" / name
    if not unpacked.exists():
        unpack(name, package)
    return str(unpacked)


def unpack(name: str, package: str) -> None:
    """Fetch a package and lay its files below the cache."""
    fetched = CACHE / f"{package}.fetched"
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir(parents=True)
    try:
        run(["apt-get", "--quiet", "download", package], fetched)
        (archive,) = fetched.glob("*.deb")
        run(["dpkg-deb", "--extract", str(archive), "files"], fetched)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"{name} is not here: install Debian's package {package}. ({error})")
    shutil.rmtree(CACHE / package, ignore_errors=True)
    (fetched / "files").rename(CACHE / package)
    shutil.rmtree(fetched)


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)  # noqa: S603
