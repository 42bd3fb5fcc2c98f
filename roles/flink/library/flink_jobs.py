#!/usr/bin/python
"""Ansible module: which jobs of a Flink cluster serve."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flink_jobs
short_description: Wait a while until all jobs serve, and say which do
description:
  - A job serves when all of its tasks run; it is safe when it has a young checkpoint as well.
    Jobs that have ended are not told. Changes nothing, and does not fail for what it finds.
options:
  rest: {description: Flink's REST interface., type: str, required: true}
  within: {description: Seconds to wait until all jobs are safe., type: int, default: 60}
  young: {description: Seconds that a checkpoint may be old., type: int, default: 60}
"""

import json
import time
import urllib.request

from ansible.module_utils.basic import AnsibleModule

ENDED = {"FINISHED", "CANCELED", "FAILED", "SUSPENDED"}


def serves(job: dict) -> bool:
    """Whether all tasks of a job run, by its line in the overview."""
    return job["state"] == "RUNNING" and job["tasks"]["running"] == job["tasks"]["total"] > 0


def is_young(checkpoints: dict, now_ms: float, young_s: int) -> bool:
    """Whether the newest completed checkpoint is young enough."""
    newest = checkpoints["latest"]["completed"]
    return newest is not None and now_ms - newest["latest_ack_timestamp"] <= young_s * 1_000


def ask(url: str) -> dict:
    """An answer of the REST interface."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def look(rest: str, young_s: int) -> dict[str, list[str]]:
    """Ids of the jobs that live: all, those that serve, and of these those that are safe."""
    live = [job for job in ask(f"{rest}/jobs/overview")["jobs"] if job["state"] not in ENDED]
    serving = [job["jid"] for job in live if serves(job)]
    safe = [
        job
        for job in serving
        if is_young(ask(f"{rest}/jobs/{job}/checkpoints"), time.time() * 1_000, young_s)
    ]
    return {"live": [job["jid"] for job in live], "serving": serving, "safe": safe}


def main() -> None:
    """Run as a module of Ansible."""
    module = AnsibleModule(
        argument_spec={
            "rest": {"type": "str", "required": True},
            "within": {"type": "int", "default": 60},
            "young": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    end = time.monotonic() + module.params["within"]
    while True:
        try:
            found = look(module.params["rest"], module.params["young"])
            if found["safe"] == found["live"] or time.monotonic() > end:
                module.exit_json(changed=False, **found)
        except OSError as problem:
            if time.monotonic() > end:
                module.fail_json(msg=f"{module.params['rest']} does not answer: {problem}")
        time.sleep(1)


if __name__ == "__main__":
    main()
