#!/usr/bin/python
"""Ansible module: what systemd and the host's memory say of a unit."""

from __future__ import annotations

DOCUMENTATION = r"""
module: unit_state
short_description: Ask whether a unit runs, and what its process has read
description:
  - One question instead of several, as each costs a round to the host. Changes nothing.
options:
  name: {description: A service without its suffix, or a timer with it., type: str, required: true}
  state: {description: Folder that keeps what each unit has read., type: path, required: true}
  folders: {description: Folders that the caller needs., type: list, elements: path, default: []}
"""

import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

PROPERTIES = ("LoadState", "UnitFileState", "ActiveState", "NeedDaemonReload")
RUNNING = ("active", "activating", "reloading")


def full_name(name: str) -> str:
    """A unit is a service unless its name says that it is a timer."""
    return name if name.endswith(".timer") else f"{name}.service"


def told(output: str) -> dict[str, str]:
    """The properties that `systemctl show` prints."""
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def kept(path: Path) -> str:
    """What the unit's process has read, by its digest; empty where nothing is known."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "path", "required": True},
            "folders": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    name = module.params["name"]
    command = ["systemctl", "show", full_name(name), f"--property={','.join(PROPERTIES)}"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip()
        module.fail_json(msg=f"`{' '.join(command)}` failed: {said}")
    unit = told(ended.stdout)
    module.exit_json(
        changed=False,
        masked="masked" in (unit["LoadState"], unit["UnitFileState"]),
        enabled=unit["UnitFileState"] == "enabled",
        running=unit["ActiveState"] in RUNNING,
        outdated=unit["NeedDaemonReload"] == "yes",
        kept=kept(Path(module.params["state"], name)),
        missing=[folder for folder in module.params["folders"] if not Path(folder).is_dir()],
    )


if __name__ == "__main__":
    main()
