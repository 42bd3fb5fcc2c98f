"""Preflight refuses a fleet that cannot work, and never passes one that it has not judged."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
JUDGE = ("--skip-tags", "preflight_look")
# What preflight gathers, and the plays that follow do not gather again.
FACTS = {"distribution", "nodename", "virtualization_role", "virtualization_type"}


def host(look: dict[str, Any] | None = None, **variables: object) -> dict[str, Any]:
    """Variables of a host that preflight has looked at, and that is as it should be."""
    now = time.time()
    seen = {
        "asked": now,
        "time": now,
        "user": "root",
        "machine": "x86_64",
        "memory_mb": 16_000,
        "free_mb": {"/opt": 50_000, "/var": 50_000},
        "ports": {},
        "systemd": True,
        "units": [],
        "unresolved": [],
        "there": [],
    }
    facts = {
        "ansible_distribution": "Debian",
        "ansible_distribution_version": "12.11",
        "ansible_distribution_major_version": "12",
    }
    return {
        "ansible_host": "10.0.0.1",
        "preflight_login": {"ansible_facts": facts},
        "preflight_look": seen | (look or {}),
    } | variables


def inventory(hosts: dict[str, dict[str, Any]], **variables: object) -> dict[str, Any]:
    """All groups on the hosts whose names begin as the group does; others are in all of them."""
    groups = ["kafka", "zookeeper", "flink_jobmanager", "flink_taskmanager", "clickhouse"]
    groups += ["object_store", "monitoring", "loadtest"]
    members = {
        group: [
            name for name in hosts if name.startswith(group) or not name.startswith(tuple(groups))
        ]
        for group in groups
    }
    common: dict[str, object] = {"clickhouse_source": "distribution", "ansible_connection": "local"}
    # On one host its usual port is that of the controllers.
    common |= {"alertmanager_port": 9193}
    common |= {"ansible_python_interpreter": sys.executable, "ansible_become": False}
    return {
        "all": {
            "hosts": hosts,
            "vars": common | variables,
            "children": {
                group: {"hosts": dict.fromkeys(names)} for group, names in members.items()
            },
        }
    }


def run(folder: Path, content: dict[str, Any], *options: str, **environment: str) -> str:
    """Run preflight.yml; what it says to the first host, empty for a pass."""
    path = folder / "inventory.json"
    path.write_text(json.dumps(content))
    cache = folder / "cache" / "artifacts"
    cache.mkdir(parents=True, exist_ok=True)
    for name in ("kafka", "zookeeper", "object-store", "flink-connectors"):
        (cache / f"{name}-0123456789ab.tar").touch()
    ended = subprocess.run(  # noqa: S603 - a list of words, no shell reads them
        [PLAYBOOK, "-i", path, ROOT / "ansible" / "preflight.yml", *options],
        cwd=ROOT,
        env=os.environ
        | {"ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "CTR_CACHE": str(folder / "cache")}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(ended.stdout[ended.stdout.index("{") :])
    verdicts = answer["plays"][-1]["tasks"][-1]["hosts"]
    said = "\n".join(
        verdict["msg"] if isinstance(verdict["msg"], str) else "\n".join(verdict["msg"])
        for verdict in verdicts.values()
        if verdict.get("failed")
    )
    assert bool(said) == bool(ended.returncode), ended.stdout + ended.stderr
    return said


def problems(said: str) -> list[str]:
    first, *sentences = said.splitlines()
    assert first == "Nothing was changed, since:"
    return sentences


def test_a_fleet_that_is_as_it_should_be_passes(tmp_path: Path) -> None:
    ports = {
        "9092": {"process": "java", "unit": "kafka.service"},
        "9249": {"process": "java", "unit": "flink-taskmanager.service"},
        "9250": {"process": "java", "unit": "flink-jobmanager.service"},
        "8123": {"process": "clickhouse", "unit": ""},
        "22": {"process": "sshd", "unit": "ssh.service"},
    }
    look = {"ports": ports, "units": ["clickhouse-server.service"]}
    fleet = inventory({"one": host(look, kafka_node_id=1, zookeeper_id=1)})
    assert run(tmp_path, fleet, *JUDGE) == ""


def test_each_problem_is_a_sentence(tmp_path: Path) -> None:
    now = time.time()
    other = {"process": "python3", "unit": "backup.service"}
    unknown = {"process": "nc", "unit": ""}
    hosts = {
        "kafka1": host({"memory_mb": 1000}, kafka_node_id=1, kafka_heap="1.5g"),
        "kafka2": host({"ports": {"9192": other}}, kafka_node_id=1, kafka_port=9192),
        "zookeeper1": host({"ports": {"3888": unknown}}, zookeeper_id=1),
        "zookeeper2": host({"user": "admin", "systemd": False}),
        "flink_jobmanager1": host({"machine": "aarch64", "ports": {"9249": unknown}}),
        "flink_taskmanager1": host({"unresolved": ["store.example.com"]}),
        "clickhouse1": host(
            {"asked": now, "time": now - 60}, ctr_loader_port=9000, ctr_schema_retention_days=7
        ),
        "object_store1": host({"free_mb": {"/opt": 9000, "/var": 12}}),
        "monitoring1": host({"time": time.time() + 3600}),
        "loadtest1": host(
            preflight_login={"failed": True, "failed_modules": {"setup": {"msg": "no\npython"}}}
        ),
        "loadtest2": host(preflight_login={"unreachable": True, "msg": "No route"}),
        "loadtest3": host(ansible_host="192.0.2.1"),
        "loadtest4": host({"failed": True, "msg": "ss is missing: install it."}),
        "loadtest5": {"ansible_host": "10.0.0.9"},
    }
    fleet = inventory(hosts, clickhouse_source="vendor")
    said = problems(run(tmp_path, fleet, *JUDGE, PATH="/nonexistent", CTR_CACHE="/nonexistent"))
    expected = [
        r"zookeeper2 has no zookeeper_id: .*",
        r"Two hosts of the group kafka have the same kafka_node_id: .*",
        r"ClickHouse shall come from its vendor .* is not set: .*",
        r"ctr_schema_retention_days on clickhouse1 is 7: .*",
        r"Maven \(mvn\), which fetches what hosts get, is missing on this machine, .*",
        r"Port 9000 on clickhouse1 is set for clickhouse-server and for ctr-loader: .*",
        r"The clock of clickhouse1 differs from this machine's by 60 s: .*",
        r"flink_jobmanager1 is a machine of the architecture aarch64: .*",
        r"Port 9249 on flink_jobmanager1, which flink-jobmanager needs, is taken by nc: .*",
        r"flink_taskmanager1 does not know store\.example\.com: .*",
        r"kafka1 has 1000 MB of memory, and its groups need 2336 MB as they are set: .*",
        r"Port 9192 on kafka2, which kafka needs, is taken by backup\.service: .*",
        r"loadtest1 answers, but Ansible cannot work on it: .* \(python\)\.",
        r"loadtest2 cannot be reached by ssh as the present user at 10\.0\.0\.1: No route",
        r"loadtest3 still has the example's address 192\.0\.2\.1: .*",
        r"loadtest4 cannot be looked at: ss is missing: install it\.",
        r"The clock of monitoring1 differs from this machine's by 3\d\d\d s: .*",
        r"object_store1 has 12 MB free on the disk of /var, and needs 5000 MB\.",
        r"Port 3888 on zookeeper1, which zookeeper needs, is taken by nc: .*",
        r"zookeeper2 is not run by systemd, .*",
        r"zookeeper2 is reached as admin, who is not root: .*",
    ]
    unexpected = [line for line in said if not any(re.fullmatch(one, line) for one in expected)]
    assert unexpected == []
    assert [one for one in expected if not any(re.fullmatch(one, line) for line in said)] == []


def taskmanager(secret: str, key: str = "ctr") -> dict[str, Any]:
    """What preflight has read on a host of Flink."""
    settings = f"s3.access-key: {key}\ns3.secret-key: {secret}\n"
    return {"content": base64.b64encode(settings.encode()).decode()}


def test_hosts_that_are_installed_are_not_given_other_secrets(tmp_path: Path) -> None:
    drawn = tmp_path / ".secrets"
    drawn.mkdir()
    (drawn / "clickhouse-admin").write_text("a\n")
    (drawn / "store").write_text("new\n")
    there = {"there": ["/etc/ctr/endpoints-loader.json", "/etc/flink/config.yaml"]}
    key = {"endpoints_store_secret_key": "new", "endpoints_store_access_key": "ctr-2"}
    hosts = {
        "kafka1": host(kafka_node_id=1),
        "zookeeper1": host(zookeeper_id=1),
        "flink_jobmanager1": host(),
        "object_store1": host(object_store_former_keys={"ctr": "old"}),
        "clickhouse1": host(there),
        "clickhouse2": host(),
        "clickhouse3": host(there, endpoints_clickhouse_passwords={"admin": "b"}),
        "flink_taskmanager1": host(there, preflight_flink=taskmanager("old")),
        "flink_taskmanager2": host(there, preflight_flink=taskmanager("old"), **key),
        "flink_taskmanager3": host(there, preflight_flink=taskmanager("new", "ctr-2"), **key),
        "flink_taskmanager4": host(there, preflight_flink=taskmanager("new")),
        "flink_taskmanager5": host(preflight_flink={"failed": True, "msg": "not found"}),
        "flink_taskmanager6": host(there, preflight_flink=taskmanager("older"), **key),
    }
    said = problems(run(tmp_path, inventory(hosts), *JUDGE))
    missing = f"is installed already, by secrets that are not on this machine: copy {drawn} from"
    taken = "runs by a key that the object store would take no more"
    assert [line.partition(": ")[0] for line in said] == [
        f"clickhouse1 {missing.partition(': ')[0]}",
        f"Flink on flink_taskmanager1 {taken}, and its job could not go on from its checkpoints",
        f"Flink on flink_taskmanager6 {taken}, and its job could not go on from its checkpoints",
    ]
    assert missing in said[0]
    assert "endpoints_clickhouse_passwords" in said[0]


def test_what_is_undefined_is_no_pass(tmp_path: Path) -> None:
    blind = host(kafka_node_id=1, zookeeper_id=1)
    del blind["preflight_look"]["time"]
    assert "has no attribute 'time'" in run(tmp_path, inventory({"one": blind}), *JUDGE)


def test_a_limit_hides_no_problem_of_a_host_within_it(tmp_path: Path) -> None:
    hosts: dict[str, dict[str, Any]] = {
        "one": {"ansible_host": "192.0.2.1"},
        "two": {"ansible_host": "192.0.2.2"},
    }
    for number, variables in enumerate(hosts.values(), 1):
        variables |= {"kafka_node_id": number, "zookeeper_id": number}
    said = problems(run(tmp_path, inventory(hosts), "--limit", "two"))
    assert len(said) == 1
    assert said[0].startswith("two still has the example's address 192.0.2.2: ")


def test_the_facts_that_roles_use_are_gathered_by_preflight() -> None:
    used = {
        name
        for folder in ("ansible", "roles")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".yml", ".j2"} and not {"lab_host", "molecule"} & set(path.parts)
        for name in re.findall(r"ansible_facts(?:\['|\.)(\w+)", path.read_text())
        if not name.startswith("ansible_")
    }
    assert used <= FACTS


def test_a_host_says_who_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "ansible" / "library" / "host_look.py"
    spec = importlib.util.spec_from_file_location("host_look", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cgroups = {"7": "0::/system.slice/kafka.service\n"}
    monkeypatch.setattr(module, "cgroup_of", cgroups.__getitem__)
    assert module.listening(
        'LISTEN 0 50 *:9092 *:* users:(("java",pid=7,fd=1),("java",pid=8,fd=1))\n'
        "LISTEN 0 128 [::1]:631 [::]:*\n"
    ) == {
        "9092": {"process": "java", "unit": "kafka.service"},
        "631": {"process": "", "unit": ""},
    }
    nested = "1:name=systemd:/a.slice/nspawn@k.service/payload/system.slice/kafka.service/x\n"
    assert module.unit_of(nested) == "kafka.service"
    assert module.unit_of("0::/user.slice/session-1.scope\n") == ""
    assert module.memory_mb("MemTotal:       2048000 kB\nMemFree: 1 kB\n") == 2000
    assert module.free_mb("/nonexistent/folder") == module.free_mb("/")
