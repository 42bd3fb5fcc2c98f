"""What Maven brings for a peer or the broker, exactly as its lock has it."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path


class JarsError(Exception):
    """They cannot be had; the message is a sentence for the user."""


def jars(name: str, project: Path, into: Path) -> Path:
    """The folder of a project's runtime dependencies; fetched when its lock is new.

    Args:
        name: Begins the name of the folder.
        project: A folder with a Maven project, pom.xml, and the lock of its jars, jars.sha256.
        into: Where folders of jars are kept.

    Raises:
        JarsError: There is no Maven, it fails, or it brings something else.
    """
    pom, lock = project / "pom.xml", project / "jars.sha256"
    wanted = locked(lock.read_text(encoding="ascii"))
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = into.absolute() / f"{name}-{digest}"
    if folder.exists():
        return folder
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    shutil.copy(pom, half / "pom.xml")
    _maven(half)
    (half / "pom.xml").unlink()
    wrong = differing(wanted, digests(half))
    if wrong:
        raise JarsError(
            f"What Maven fetched for {pom} is not what {lock} names: {', '.join(wrong)}. "
            "Where the change is wanted, write the lock anew."
        )
    half.rename(folder)
    return folder


def locked(lock: str) -> dict[str, str]:
    """The digests of a lock, by the name of the jar."""
    pairs = (line.split(maxsplit=1) for line in lock.splitlines())
    return {name: digest for digest, name in pairs}


def digests(folder: Path) -> dict[str, str]:
    """The digests of the jars of a folder, by name."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jar")
    }


def differing(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """The names of jars that only one of them has, or each with another digest."""
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )


def compiled(java: Path, source: Path, libraries: Path, into: Path) -> Path:
    """The folder of a page of Java's classes; compiled when the page is new.

    Args:
        java: The Java program; it needs no compiler of its own.
        source: The page.
        libraries: A folder of jars, Eclipse's compiler among them.
        into: Where folders of classes are kept.

    Raises:
        JarsError: It does not compile.
    """
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:12]
    folder = into.absolute() / f"classes-{digest}"
    if folder.exists():
        return folder
    (compiler,) = libraries.glob("ecj-*.jar")
    half = folder.with_suffix(".half")
    path = ":".join(str(jar) for jar in sorted(libraries.glob("*.jar")))
    ended = subprocess.run(  # noqa: S603 - no shell reads it
        [
            str(java),
            "-jar",
            str(compiler),
            "-17",
            "-nowarn",
            "-cp",
            path,
            "-d",
            str(half),
            str(source),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise JarsError(f"{source} does not compile:\n{ended.stdout}{ended.stderr}")
    half.rename(folder)
    return folder


def _maven(folder: Path) -> None:
    if shutil.which("mvn") is None:
        raise JarsError(
            "mvn is missing on this machine, and brings Kafka and the peers that are in Java: "
            "install Maven (Debian: apt install maven)."
        )
    ended = subprocess.run(  # noqa: S603 - no shell reads it
        [  # noqa: S607 - it is where PATH says
            "mvn",
            "--quiet",
            "--batch-mode",
            f"--file={folder / 'pom.xml'}",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip().splitlines()[:6]
        raise JarsError("Maven failed:\n" + "\n".join(said))
