#!/usr/bin/python
"""Ansible module: what preflight wants to know of a host, in one go."""

from __future__ import annotations

DOCUMENTATION = r"""
module: host_look
short_description: Look at a host's clock, memory, disks, ports, units and names; change nothing
description:
  - Answers in one run what would be a command each, which is most of the time of a small fleet.
  - Runs in check mode as it does otherwise.
options:
  paths:
    description: Folders whose free space is wanted; of one that is not there it is its parent's.
    type: list
    elements: path
    default: []
  names:
    description: Names of hosts that this host should resolve.
    type: list
    elements: str
    default: []
  files:
    description: Files of which is wanted whether they are there.
    type: list
    elements: path
    default: []
  asked:
    description: When this was asked by the controller's clock, in seconds; handed back as it is.
    type: float
    default: 0
author: The maintainers
"""

EXAMPLES = r"""
- name: Look around
  host_look:
    paths: [/var, /opt]
    names: [kafka1]
"""

RETURN = r"""
time: {description: The host's clock in seconds., type: float, returned: always}
asked: {description: What was given., type: float, returned: always}
user: {description: Who the module runs as., type: str, returned: always}
machine: {description: "The architecture, as uname says it.", type: str, returned: always}
memory_mb: {description: Memory of the machine., type: int, returned: always}
free_mb: {description: Free space of each path., type: dict, returned: always}
ports:
  description: Of each TCP port that is listened on the C(process) and the C(unit), where known.
  type: dict
  returned: always
systemd: {description: Whether systemd runs the host., type: bool, returned: always}
units: {description: "Services that run, or are about to.", type: list, returned: always}
there: {description: The files that are there., type: list, returned: always}
unresolved: {description: The names that do not resolve., type: list, returned: always}
"""

import os
import platform
import pwd
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

SOCKETS = ["ss", "--listening", "--tcp", "--numeric", "--processes", "--no-header"]
UNITS = ["systemctl", "list-units", "--plain", "--no-legend", "--type=service"]
UNITS += ["--state=active,activating,reloading"]


def memory_mb(meminfo: str) -> int:
    """The machine's memory, from the text of /proc/meminfo."""
    found = re.search(r"^MemTotal:\s+(\d+) kB", meminfo, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def free_mb(path: str) -> int:
    """What is free for whoever is not root on the disk that has the path, or will have it."""
    there = Path(path)
    while not there.exists():
        there = there.parent
    disk = os.statvfs(there)
    return disk.f_bavail * disk.f_frsize // 1048576


def unit_of(cgroup: str) -> str:
    """The service that a process is of, from the text of its /proc/PID/cgroup; empty for none."""
    services = re.findall(r"/([^/\n]+\.service)(?=/|$)", cgroup, re.MULTILINE)
    return services[-1] if services else ""


def cgroup_of(process: str) -> str:
    """The text of a process' cgroup; empty for one that has ended."""
    try:
        return Path("/proc", process, "cgroup").read_text()
    except OSError:
        return ""


def listening(sockets: str) -> dict[str, dict[str, str]]:
    """Ports that are listened on, from what ss says."""
    found: dict[str, dict[str, str]] = {}
    for line in sockets.splitlines():
        words = line.split(maxsplit=5)
        owner = re.search(r'\("([^"]*)",pid=(\d+)', line)
        answer = {
            "process": owner[1] if owner else "",
            "unit": unit_of(cgroup_of(owner[2])) if owner else "",
        }
        found.setdefault(words[3].rsplit(":", 1)[1], answer)
    return found


def resolves(name: str) -> bool:
    """Whether this host knows an address of the name."""
    try:
        return bool(socket.getaddrinfo(name, None))
    except OSError:
        return False


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path", "default": []},
            "names": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "asked": {"type": "float", "default": 0},
        },
        supports_check_mode=True,
    )
    clock = time.time()
    options = module.params
    if not module.get_bin_path("ss"):
        module.fail_json(msg="ss is missing: install the package iproute2.")
    systemd = Path("/run/systemd/system").is_dir()
    units = module.run_command(UNITS, check_rc=True)[1] if systemd else ""
    # Side by side, since a name server that does not answer takes seconds for each.
    with ThreadPoolExecutor(16) as several:
        known = list(several.map(resolves, options["names"]))
    module.exit_json(
        changed=False,
        time=clock,
        asked=options["asked"],
        user=pwd.getpwuid(os.geteuid()).pw_name,
        machine=platform.machine(),
        memory_mb=memory_mb(Path("/proc/meminfo").read_text()),
        free_mb={path: free_mb(path) for path in options["paths"]},
        ports=listening(module.run_command(SOCKETS, check_rc=True)[1]),
        systemd=systemd,
        units=[line.split()[0] for line in units.splitlines()],
        there=[path for path in options["files"] if Path(path).exists()],
        unresolved=[name for name, yes in zip(options["names"], known, strict=True) if not yes],
    )


if __name__ == "__main__":
    main()
