"""Where promtool is, which checks expressions and rules."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

BUILD = Path(__file__).parents[1] / "build" / "promtool"
WITHIN_S = 120


@cache
def promtool() -> Path | None:
    """The installed one, else that of Debian's package, unpacked below build/ without root.

    Returns:
        The program, or None where it is not installed and apt cannot bring it.
    """
    installed = shutil.which("promtool")
    if installed:
        return Path(installed)
    unpacked = BUILD / "usr" / "bin" / "promtool"
    if not unpacked.exists() and not _unpack():
        return None
    return unpacked


def _unpack() -> bool:
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        return False
    BUILD.mkdir(parents=True, exist_ok=True)
    fetched = _run("apt-get", "--quiet", "download", "prometheus")
    packages = sorted(BUILD.glob("prometheus_*.deb"))
    return fetched and bool(packages) and _run("dpkg", "-x", packages[-1].name, ".")


def _run(*command: str) -> bool:
    ended = subprocess.run(  # noqa: S603 - the words are written here
        command, cwd=BUILD, capture_output=True, check=False, timeout=WITHIN_S
    )
    return ended.returncode == 0
