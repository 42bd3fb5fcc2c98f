#!/usr/bin/python
"""Ansible module: an archive of what hosts need, made once from what a lock names."""

from __future__ import annotations

DOCUMENTATION = r"""
module: artifact
short_description: Fetch jars or Python packages once, check them, pack them
description:
  - Fetches what a lock names by the registries that this machine's own clients are set to, checks
    each file's SHA-256, and packs all into one archive in a cache. What is in the cache is not
    fetched again.
  - The digest hangs on the lock and the sources alone, so it is the same on every machine.
options:
  name: {description: Begins the name of the archive., type: str, required: true}
  cache: {description: Folder of the archives., type: path, required: true}
  pom: {description: A Maven project whose runtime dependencies are wanted., type: path}
  jars: {description: "The lock of the jars, lines as sha256sum writes them.", type: path}
  requirements: {description: The lock of Python packages., type: path}
  uv: {description: The uv that installs them., type: path}
  sources:
    description: Python packages of our own that go along. One inside another goes alone.
    type: list
    elements: path
  places: {description: "By name: the folder of the archive that a jar goes to.", type: dict}
"""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

UNPACKED = ("__pycache__", "*.pyc")
# The last file of an archive: where it is on a host, all the others are.
COMPLETE = ".complete"
# The oldest glibc of the distributions that hosts may run.
PLATFORM = "x86_64-manylinux_2_28"


class ArtifactError(Exception):
    """It cannot be made; the message is a sentence for the user."""


def digest(files: list[tuple[str, Path]], how: str) -> str:
    """Twelve hex digits of files' names and contents, and of how they are packed."""
    whole = hashlib.sha256(f"{COMPLETE} readable {how}\n".encode())
    for name, path in files:
        content = path.read_bytes()
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:12]


def packages_around(folder: Path) -> list[Path]:
    """What makes the packages that a package lies in packages, the outermost first."""
    around = []
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
        around.insert(0, folder / "__init__.py")
    return around


def place_of(folder: Path) -> Path:
    """The folder in which the outermost package lies that a package is part of."""
    around = packages_around(folder)
    return around[0].parent.parent if around else folder.parent


def files_below(folder: Path) -> list[tuple[str, Path]]:
    """The files of a package of ours, with their names as Python finds them."""
    place = place_of(folder)
    below = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return [(str(path.relative_to(place)), path) for path in (*packages_around(folder), *below)]


def run(command: list[str], how_to_get: str) -> None:
    """Run a command.

    Raises:
        ArtifactError: It is missing, or failed.
    """
    if shutil.which(command[0]) is None:
        raise ArtifactError(f"{command[0]} is missing on this machine: {how_to_get}.")
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip().splitlines()[-12:]
        raise ArtifactError(f"`{' '.join(command)}` failed:\n" + "\n".join(said))


def fetch_jars(pom: Path, lock: Path, into: Path) -> None:
    """The dependencies of a Maven project, exactly those of the lock.

    Raises:
        ArtifactError: They cannot be fetched, or are not those of the lock.
    """
    shutil.copy(pom, into.parent / "pom.xml")
    run(
        [
            "mvn",
            "--quiet",
            "--batch-mode",
            f"--file={into.parent / 'pom.xml'}",
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={into}",
        ],
        "install Maven (Debian: apt install maven)",
    )
    wanted = dict(reversed(line.split(maxsplit=1)) for line in lock.read_text().splitlines())
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in into.glob("*.jar")
    }
    wrong = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if wrong:
        raise ArtifactError(
            f"What Maven fetched for {pom} is not what {lock} names: {', '.join(wrong)}. "
            "Where the change is wanted, write the lock anew."
        )


def fetch_packages(uv: str, lock: Path, into: Path) -> None:
    """The Python packages of a lock, for the hosts' Python.

    Raises:
        ArtifactError: They cannot be fetched, or are not those of the lock.
    """
    run(
        [
            uv,
            "--quiet",
            "pip",
            "install",
            f"--target={into}",
            f"--requirements={lock}",
            "--require-hashes",
            "--no-deps",
            "--python-version=3.11",
            f"--python-platform={PLATFORM}",
            "--native-tls",
        ],
        "it comes with the project's own environment: make .venv/.ops",
    )


def pack(folders: list[tuple[Path, list[str]]], archive: Path) -> None:
    """Pack folders' entries; the same files make the same bytes."""
    command = ["tar", "--create", f"--file={archive}", "--sort=name", "--mtime=@0"]
    # Whoever packs may have a umask that shuts out the users of the services.
    command += ["--owner=0", "--group=0", "--numeric-owner", "--mode=u+rwX,go+rX,go-w"]
    command += [f"--exclude={pattern}" for pattern in UNPACKED]
    for folder, names in folders:
        command += [f"--directory={folder}", *names]
    run(command, "install tar")


def make(options: dict, archive: Path) -> None:
    """Make the archive beside its place, then put it there whole.

    Raises:
        ArtifactError: It cannot be made.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as place:
        into = Path(place) / "fetched"
        into.mkdir()
        folders = []
        if options["pom"]:
            fetch_jars(Path(options["pom"]), Path(options["jars"]), into)
        if options["requirements"]:
            fetch_packages(options["uv"], Path(options["requirements"]), into)
        for jar, folder in (options["places"] or {}).items():
            (into / folder).mkdir(parents=True, exist_ok=True)
            (into / jar).rename(into / folder / jar)
        if any(into.iterdir()):
            folders.append((into, ["."]))
        for path in map(Path, options["sources"] or []):
            whole = [*packages_around(path), path]
            place_in = place_of(path)
            folders.append((place_in, [str(one.relative_to(place_in)) for one in whole]))
        (Path(place) / COMPLETE).touch()
        folders.append((Path(place), [COMPLETE]))
        new = Path(place) / "new.tar"
        pack(folders, new)
        new.rename(archive)


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "cache": {"type": "path", "required": True},
            "pom": {"type": "path"},
            "jars": {"type": "path"},
            "requirements": {"type": "path"},
            "uv": {"type": "path"},
            "sources": {"type": "list", "elements": "path"},
            "places": {"type": "dict"},
        },
        required_together=[("pom", "jars"), ("requirements", "uv")],
        required_one_of=[("pom", "requirements")],
        supports_check_mode=True,
    )
    options = module.params
    inputs = [
        (Path(options[key]).name, Path(options[key]))
        for key in ("pom", "jars", "requirements")
        if options[key]
    ]
    for source in options["sources"] or []:
        inputs += files_below(Path(source))
    key = digest(inputs, json.dumps(options["places"] or {}, sort_keys=True))
    archive = Path(options["cache"], f"{options['name']}-{key}.tar")
    missing = not archive.exists()
    if missing and not module.check_mode:
        try:
            make(options, archive)
        except (ArtifactError, OSError) as problem:
            module.fail_json(msg=str(problem))
    module.exit_json(changed=missing, archive=str(archive), digest=key)


if __name__ == "__main__":
    main()
