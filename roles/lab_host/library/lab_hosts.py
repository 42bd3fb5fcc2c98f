#!/usr/bin/python
"""Ansible module: systemd hosts on this machine, over one shared base."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lab_hosts
short_description: Boot or remove systemd hosts on this machine
description:
  - Each host is a systemd-nspawn container over a shared read-only base, with an address of its own
    on a bridge, its own memory and processor limits, and sshd.
  - Hosts that run are left alone. What is removed is what the module made, also after a crash.
options:
  folder: {description: Where the hosts live., type: path, required: true}
  base: {description: The root file system that all hosts share., type: path}
  bridge: {description: Name of the bridge., type: str, required: true}
  network: {description: "Addresses of the lab; this machine takes the first.", type: str}
  public_key: {description: Who may log in as root., type: str}
  hosts:
    description: The hosts. With state absent and no hosts, all of them and the bridge are removed.
    type: list
    elements: dict
    suboptions:
      name: {description: Name of the host., type: str, required: true}
      address: {description: IPv4 address., type: str}
      memory_mb: {description: Memory limit in MB; 0 for none., type: int, default: 0}
      cpus: {description: Processors it may use; 0 for all., type: float, default: 0}
      cpu_weight:
        description: Its share of the processors where hosts compete for them, 1 to 10000.
        type: int
        default: 100
  state: {description: Whether they run or are gone., choices: [present, absent], default: present}
  boot_timeout: {description: Seconds until every host must answer by ssh., type: int, default: 300}
"""

import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

CGROUPS = Path("/sys/fs/cgroup")
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
GROUP = "ctr-lab"
STOP_TIMEOUT_S = 30
PERIOD_US = 100_000
# What a group has without being given a weight (version 2), or shares (version 1).
WEIGHT, SHARES = 100, 1_024
INIT = "/usr/local/sbin/lab-init"


class LabError(Exception):
    """It cannot be done; the message is a sentence for the user."""


def run(*command: str) -> str:
    """A command's output.

    Raises:
        LabError: It failed.
    """
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        raise LabError(f"`{' '.join(command)}` failed: {ended.stderr.strip()}")
    return ended.stdout


class Cgroup:
    """A host's control group, in every hierarchy of version 1 or the one of version 2."""

    def __init__(self, name: str) -> None:
        """Name it; nothing is made yet."""
        unified = (CGROUPS / "cgroup.controllers").exists()
        self.roots = [CGROUPS] if unified else [p for p in CGROUPS.iterdir() if p.is_dir()]
        self.unified = unified
        self.name = name

    def folders(self) -> list[Path]:
        """Its folder in each hierarchy."""
        return [root / GROUP / self.name for root in self.roots]

    def make(self, memory_mb: int, cpus: float, cpu_weight: int) -> None:
        """Make it with its limits."""
        for folder in self.folders():
            folder.mkdir(parents=True, exist_ok=True)
            if self.unified:
                for above in (CGROUPS, CGROUPS / GROUP):
                    (above / "cgroup.subtree_control").write_text("+cpu +memory +pids +io")
            elif folder.parent.parent.name == "cpuset":
                for part in (folder.parent, folder):
                    for file in ("cpuset.cpus", "cpuset.mems"):
                        (part / file).write_text((folder.parent.parent / file).read_text())
            for file, value in self._limits(memory_mb, cpus, cpu_weight).items():
                if (folder / file).exists():
                    (folder / file).write_text(value)

    def _limits(self, memory_mb: int, cpus: float, cpu_weight: int) -> dict[str, str]:
        quota = int(cpus * PERIOD_US)
        limits: dict[str, str] = {}
        if self.unified:
            limits["cpu.weight"] = str(cpu_weight)
        else:
            limits["cpu.shares"] = str(cpu_weight * SHARES // WEIGHT)
        if memory_mb:
            name = "memory.max" if self.unified else "memory.limit_in_bytes"
            limits[name] = str(memory_mb * 2**20)
        if cpus and self.unified:
            limits["cpu.max"] = f"{quota} {PERIOD_US}"
        elif cpus:
            limits |= {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota)}
        return limits

    def enter(self) -> None:
        """Bring this process in; runs between fork and exec."""
        for folder in self.folders():
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def processes(self) -> set[int]:
        """Everything that runs in it."""
        return {
            int(line)
            for folder in self.folders()
            for procs in folder.rglob("cgroup.procs")
            for line in procs.read_text().split()
        }

    def remove(self) -> None:
        """Remove it; nothing runs in it any more."""
        for folder in self.folders():
            for path, _, _ in sorted(os.walk(folder), reverse=True):
                Path(path).rmdir()


class Host:
    """One host: a folder with its layer, its process and its console."""

    def __init__(self, folder: Path, spec: dict) -> None:
        """Name it; nothing is made yet."""
        self.name = spec["name"]
        self.spec = spec
        self.folder = folder / "hosts" / self.name
        self.root = self.folder / "root"
        self.upper = self.folder / "upper"
        self.link = Path("/sys/class/net", f"vb-{self.name}")
        self.cgroup = Cgroup(self.name)

    def leader(self) -> int | None:
        """The process id of its systemd-nspawn, while that runs."""
        try:
            pid = int((self.folder / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_text()
        except (OSError, ValueError):
            return None
        return pid if f"--machine={self.name}" in command.split("\0") else None

    def boot(self, base: Path, bridge: str, network: str, public_key: str) -> None:
        """Start it; it answers a few seconds later."""
        self.remove_leftovers()
        for path in (self.upper, self.folder / "work", self.root):
            path.mkdir(parents=True, exist_ok=True)
        if not (self.upper / "etc/hostname").exists():
            self._seed(network, public_key)
        options = f"lowerdir={base},upperdir={self.upper},workdir={self.folder / 'work'}"
        run("mount", "-t", "overlay", f"{GROUP}-{self.name}", "-o", options, str(self.root))
        self.cgroup.make(self.spec["memory_mb"], self.spec["cpus"], self.spec["cpu_weight"])
        with (self.folder / "console.log").open("wb") as console:
            process = subprocess.Popen(
                [
                    "systemd-nspawn",
                    "--quiet",
                    "--register=no",
                    "--keep-unit",
                    f"--directory={self.root}",
                    f"--machine={self.name}",
                    f"--hostname={self.name}",
                    f"--network-bridge={bridge}",
                    "--resolv-conf=off",
                    "--timezone=off",
                    "--link-journal=no",
                    "--kill-signal=SIGRTMIN+3",
                    INIT,
                ],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                preexec_fn=self.cgroup.enter,  # noqa: PLW1509 - there are no threads
            )
        (self.folder / "pid").write_text(str(process.pid))

    def _seed(self, network: str, public_key: str) -> None:
        """What is its own, and what it takes from this machine: the way to the packages."""
        gateway = gateway_of(network)
        address = f"{self.spec['address']}/{gateway.network.prefixlen}"
        self._write("etc/hostname", f"{self.name}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n{self.spec['address']} {self.name}\n")
        self._write(
            "etc/systemd/network/10-host0.network",
            f"[Match]\nName=host0\n[Network]\nAddress={address}\nGateway={gateway.ip}\n"
            "LinkLocalAddressing=no\nIPv6AcceptRA=no\n",
        )
        self._write("root/.ssh/authorized_keys", f"{public_key}\n", 0o600)
        (self.upper / "root").chmod(0o700)
        (self.upper / "root/.ssh").chmod(0o700)
        key = self.upper / "etc/ssh/ssh_host_ed25519_key"
        key.parent.mkdir(parents=True, exist_ok=True)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.name, "-f", str(key))
        shutil.copy("/etc/resolv.conf", self.upper / "etc/resolv.conf")
        for theirs in ("etc/apt/apt.conf.d", "usr/local/share/ca-certificates", "etc/ssl/certs"):
            if Path("/", theirs).is_dir():
                shutil.copytree(Path("/", theirs), self.upper / theirs, symlinks=True)

    def _write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.upper / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def answers(self) -> bool:
        """Whether its sshd says who it is."""
        try:
            with socket.create_connection((self.spec["address"], 22), timeout=1) as ssh:
                return ssh.recv(4) == b"SSH-"
        except OSError:
            return False

    def said(self) -> str:
        """The last line of its console."""
        console = self.folder / "console.log"
        lines = console.read_text(errors="replace").split("\n") if console.exists() else []
        return next((line for line in reversed(lines) if line.strip()), "its console is empty")

    def stop(self) -> None:
        """Power it off; what does not go by itself is killed."""
        leader = self.leader()
        if leader is not None:
            os.kill(leader, signal.SIGTERM)
            wait(lambda: self.leader() is None)
        for pid in self.cgroup.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if not wait(lambda: not self.cgroup.processes()):
            raise LabError(f"Processes of {self.name} do not end: {self.cgroup.processes()}.")

    def remove_leftovers(self) -> None:
        """Bring down what is left of a host that does not run: processes, mount, control group."""
        self.stop()
        # The kernel takes the interface away some time after the last process.
        if not wait(lambda: not self.link.exists()):
            run("ip", "link", "delete", self.link.name)
        while os.path.ismount(self.root):
            if not wait(self._unmounted):
                run("umount", "--lazy", str(self.root))
        self.cgroup.remove()

    def _unmounted(self) -> bool:
        ended = subprocess.run(["umount", self.root], capture_output=True, check=False)
        return ended.returncode == 0

    def remove(self) -> None:
        """Remove it and all that it held."""
        self.remove_leftovers()
        shutil.rmtree(self.folder)


def wait(holds: object, timeout_s: float = STOP_TIMEOUT_S) -> bool:
    """Wait until a condition holds; whether it did in time."""
    end = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def gateway_of(network: str) -> ipaddress.IPv4Interface:
    """This machine's address on the bridge: the first of the network."""
    addresses = ipaddress.IPv4Network(network)
    return ipaddress.IPv4Interface(f"{addresses[1]}/{addresses.prefixlen}")


def bridge_exists(bridge: str) -> bool:
    """Whether there is such an interface."""
    return Path("/sys/class/net", bridge).exists()


def make_bridge(folder: Path, bridge: str, network: str) -> bool:
    """Make the bridge, and let this machine route; whether anything changed.

    Raises:
        LabError: Something else has these addresses.
    """
    if bridge_exists(bridge):
        return False
    wanted = ipaddress.IPv4Network(network)
    for line in run("ip", "-o", "-4", "address").splitlines():
        name, address = line.split()[1], line.split()[3]
        if ipaddress.ip_interface(address).network.overlaps(wanted):
            raise LabError(
                f"The lab's addresses {wanted} are in use on {name} ({address}): "
                "choose others by lab_host_network and the addresses of the inventory."
            )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ip_forward").write_text(FORWARDING.read_text())
    run("ip", "link", "add", bridge, "type", "bridge")
    run("ip", "address", "add", str(gateway_of(network)), "dev", bridge)
    run("ip", "link", "set", bridge, "up")
    FORWARDING.write_text("1")
    return True


def remove_bridge(folder: Path, bridge: str) -> bool:
    """Remove the bridge, and route again or not as before; whether anything changed."""
    before = folder / "ip_forward"
    if before.exists():
        FORWARDING.write_text(before.read_text())
        before.unlink()
    if not bridge_exists(bridge):
        return False
    run("ip", "link", "delete", bridge)
    for root in Cgroup("").roots:
        if (root / GROUP).is_dir():
            (root / GROUP).rmdir()
    return True


def present(options: dict, hosts: list[Host], *, check: bool) -> list[str]:
    """Boot what does not run; what changed.

    Raises:
        LabError: A host does not answer.
    """
    folder = Path(options["folder"])
    missing = [host for host in hosts if host.leader() is None]
    changes = [f"booted {host.name}" for host in missing]
    if check:
        return changes
    if make_bridge(folder, options["bridge"], options["network"]):
        changes.append(f"made {options['bridge']}")
    for host in missing:
        host.boot(
            Path(options["base"]), options["bridge"], options["network"], options["public_key"]
        )
    deadline = time.monotonic() + options["boot_timeout"]
    for host in hosts:
        left = max(0.0, deadline - time.monotonic())
        if not wait(lambda host=host: host.answers() or host.leader() is None, left):
            raise LabError(
                f"{host.name} does not answer by ssh within {options['boot_timeout']} s; "
                f"its console is in {host.folder / 'console.log'}."
            )
        if host.leader() is None:
            raise LabError(f"{host.name} did not boot: {host.said()}")
    return changes


def absent(options: dict, hosts: list[Host], *, check: bool) -> list[str]:
    """Remove hosts, and the bridge with the last one; what changed."""
    folder = Path(options["folder"])
    existing = [host for host in hosts if host.folder.exists()]
    changes = [f"removed {host.name}" for host in existing]
    if check:
        return changes
    for host in existing:
        leader = host.leader()
        if leader is not None:
            os.kill(leader, signal.SIGTERM)
    for host in existing:
        host.remove()
    left = folder / "hosts"
    if (not left.exists() or not any(left.iterdir())) and remove_bridge(folder, options["bridge"]):
        changes.append(f"removed {options['bridge']}")
    return changes


def main() -> None:
    """Run as a module of Ansible."""
    host = {
        "name": {"type": "str", "required": True},
        "address": {"type": "str"},
        "memory_mb": {"type": "int", "default": 0},
        "cpus": {"type": "float", "default": 0},
        "cpu_weight": {"type": "int", "default": 100},
    }
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "base": {"type": "path"},
            "bridge": {"type": "str", "required": True},
            "network": {"type": "str"},
            "public_key": {"type": "str"},
            "hosts": {"type": "list", "elements": "dict", "options": host},
            "state": {"choices": ["present", "absent"], "default": "present"},
            "boot_timeout": {"type": "int", "default": 300},
        },
        required_if=[("state", "present", ("base", "network", "public_key", "hosts"))],
        supports_check_mode=True,
    )
    options = module.params
    folder = Path(options["folder"])
    specs = options["hosts"]
    if specs is None:
        specs = [{"name": path.name} for path in sorted(folder.glob("hosts/*"))]
    hosts = [Host(folder, spec) for spec in specs]
    change = present if options["state"] == "present" else absent
    try:
        changes = change(options, hosts, check=module.check_mode)
    except (LabError, OSError) as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=bool(changes), changes=changes)


if __name__ == "__main__":
    main()
