#!/usr/bin/env python3
"""Inventory of a role's molecule scenario: one lab host that is in every group.

The host is called after the role, and its address follows from the role's place among the others,
so that two scenarios can run side by side.
"""

import json
import os
import sys
from pathlib import Path

ROLES = Path(__file__).resolve().parents[2] / "roles"
GROUPS = (
    "kafka",
    "flink_jobmanager",
    "flink_taskmanager",
    "zookeeper",
    "clickhouse",
    "object_store",
    "monitoring",
    "loadtest",
)
# The lab's, of which its own hosts take the lower addresses.
NETWORK, FIRST_ADDRESS = "10.77.0", 100


def inventory(role: str) -> dict[str, object]:
    """The inventory as Ansible reads it from a script."""
    host = f"molecule-{role.replace('_', '-')}"
    others = sorted(path.name for path in ROLES.iterdir())
    variables = {
        "ansible_host": f"{NETWORK}.{FIRST_ADDRESS + others.index(role)}",
        "kafka_node_id": 1,
        "zookeeper_id": 1,
        "endpoints_secrets": os.environ["MOLECULE_EPHEMERAL_DIRECTORY"] + "/secrets",
    }
    return {
        **{group: {"hosts": [host]} for group in GROUPS},
        "_meta": {"hostvars": {host: variables}},
    }


if __name__ == "__main__":
    role_under_test = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]).name
    sys.stdout.write(json.dumps(inventory(role_under_test)))
