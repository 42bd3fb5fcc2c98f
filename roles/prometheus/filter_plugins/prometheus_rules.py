"""Ansible filter: the rule files of the repository with the times and limits of an inventory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from ansible.errors import AnsibleFilterError

LIMIT = "limit:"
Files = dict[str, dict[str, Any]]


def rules_in(files: Files) -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for content in files.values():
        for group in content["groups"]:
            yield from group["rules"]


def refuse_unknown(variable: str, given: Mapping[str, object], known: set[str]) -> None:
    """Stop where a variable names what no rule has.

    Raises:
        AnsibleFilterError: With the names that are wrong and those that are possible.
    """
    if wrong := sorted(given.keys() - known):
        raise AnsibleFilterError(
            f"{variable} names {', '.join(wrong)}, which no rule has. Possible are: "
            f"{', '.join(sorted(known))}."
        )


def prometheus_rules(
    files: Files,
    *,
    time: str = "",
    times: Mapping[str, str] | None = None,
    limits: Mapping[str, float] | None = None,
    runbooks: str = "",
) -> Files:
    """Give rules the times, limits and addresses of an inventory.

    Args:
        files: Content of each rule file by its name; it is not changed.
        time: How long a condition must hold before any alert fires; empty leaves the files' own.
        times: The same by the name of an alert, before `time`.
        limits: What alerts are held against, by the names of the series `limit:...`.
        runbooks: Address below which the runbooks are found; empty leaves their paths alone.

    Returns:
        The same files with what was asked for in them.

    Raises:
        AnsibleFilterError: An alert or limit is named that no rule has, or a limit is no number.
    """
    changed = deepcopy(files)
    rules = list(rules_in(changed))
    alerts = [rule for rule in rules if "alert" in rule]
    records = {rule["record"]: rule for rule in rules if "record" in rule}
    times, limits = times or {}, limits or {}
    refuse_unknown("prometheus_rule_times", times, {rule["alert"] for rule in alerts})
    possible = {name.removeprefix(LIMIT) for name in records if name.startswith(LIMIT)}
    refuse_unknown("prometheus_rule_limits", limits, possible)

    for rule in alerts:
        rule["for"] = times.get(rule["alert"]) or time or rule["for"]
        if runbooks:
            notes = rule["annotations"]
            notes["runbook_url"] = f"{runbooks.rstrip('/')}/{notes['runbook_url']}"
    for name, value in limits.items():
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"prometheus_rule_limits.{name} is {value!r}: write a number."
            ) from error
        records[LIMIT + name]["expr"] = f"vector({number:g})"
    return changed


class FilterModule:
    """What Ansible asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Files]]:
        """The filters by the names that templates call them by."""
        return {"prometheus_rules": prometheus_rules}
