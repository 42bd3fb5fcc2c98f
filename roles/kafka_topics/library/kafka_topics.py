#!/usr/bin/python
"""Ansible module: topics as they should be, by Kafka's own tools on a broker."""

from __future__ import annotations

DOCUMENTATION = r"""
module: kafka_topics
short_description: Make topics, add partitions, set what topics are configured with
description:
  - Topics that are not named are left alone, and nothing is ever removed. Replicas of a topic that
    is there are not changed, and partitions not taken away; where they differ, it fails.
options:
  bootstrap: {description: Servers to ask., type: str, required: true}
  topics: {description: "By name: partitions, replicas and config.", type: dict, required: true}
"""

import re
import subprocess

from ansible.module_utils.basic import AnsibleModule

DESCRIBED = re.compile(
    r"Topic: (\S+)\t.*PartitionCount: (\d+)\s+ReplicationFactor: (\d+)\s+Configs: ?(.*)"
)


class TopicsError(Exception):
    """It cannot be done; the message is a sentence for the user."""


def kafka(tool: str, bootstrap: str, *arguments: str) -> str:
    """The output of one of Kafka's tools.

    Raises:
        TopicsError: It failed.
    """
    command = [tool, "--bootstrap-server", bootstrap, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip().splitlines()
        raise TopicsError(f"`{' '.join(command)}` failed: {said[0] if said else 'no output'}")
    return ended.stdout


def described(output: str) -> dict:
    """Topics by name, as `kafka-topics --describe` prints them."""
    topics = {}
    for line in output.splitlines():
        found = DESCRIBED.match(line)
        if found:
            name, partitions, replicas, config = found.groups()
            pairs = [pair.partition("=") for pair in config.split(",") if pair]
            topics[name] = {
                "partitions": int(partitions),
                "replicas": int(replicas),
                "config": {key: value for key, _, value in pairs},
            }
    return topics


def texts(config: dict) -> dict:
    """Settings in Kafka's spelling."""
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in config.items()
    }


def steps(name: str, wanted: dict, there: dict | None) -> list[list[str]]:
    """The commands that bring one topic to what is wanted, without the servers.

    Raises:
        TopicsError: No command does.
    """
    config = texts(wanted["config"])
    partitions, replicas = int(wanted["partitions"]), int(wanted["replicas"])
    if there is None:
        command = ["kafka-topics", "--create", "--topic", name]
        command += ["--partitions", str(partitions), "--replication-factor", str(replicas)]
        for key, value in sorted(config.items()):
            command += ["--config", f"{key}={value}"]
        return [command]
    if partitions < there["partitions"]:
        raise TopicsError(
            f"Topic {name} has {there['partitions']} partitions and cannot go back to {partitions}."
        )
    if replicas != there["replicas"]:
        raise TopicsError(
            f"Topic {name} has {there['replicas']} replicas and not {replicas}: "
            "move them with kafka-reassign-partitions, then run this again."
        )
    commands = []
    if partitions > there["partitions"]:
        commands.append(
            ["kafka-topics", "--alter", "--topic", name, "--partitions", str(partitions)]
        )
    changed = {k: v for k, v in sorted(config.items()) if there["config"].get(k) != v}
    if changed:
        pairs = ",".join(f"{key}={value}" for key, value in changed.items())
        commands.append(
            [
                *("kafka-configs", "--alter", "--entity-type", "topics"),
                *("--entity-name", name, "--add-config", pairs),
            ]
        )
    return commands


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "bootstrap": {"type": "str", "required": True},
            "topics": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    bootstrap, topics = module.params["bootstrap"], module.params["topics"]
    try:
        there = described(kafka("kafka-topics", bootstrap, "--describe"))
        commands = [
            command
            for name, wanted in sorted(topics.items())
            for command in steps(name, wanted, there.get(name))
        ]
        if not module.check_mode:
            for tool, *arguments in commands:
                kafka(tool, bootstrap, *arguments)
    except (TopicsError, OSError) as problem:
        module.fail_json(msg=str(problem))
    module.exit_json(changed=bool(commands), commands=[" ".join(c) for c in commands])


if __name__ == "__main__":
    main()
