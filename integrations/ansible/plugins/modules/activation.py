"""Activation of Windows Servers by volact, from an Ansible controller."""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: activation
short_description: Check or repair the activation of Windows Servers
description:
  - Runs C(volact) on the controller over servers of an inventory or over addresses, and
    returns what it found and did, a row for each server.
  - Servers are activated against the KMS host that their own provider licenses.
  - Run it once, on the controller (C(hosts: localhost) or C(delegate_to) with C(run_once)).
options:
  servers:
    description: Addresses, or names, tags and globs of O(inventory).
    type: list
    elements: str
    default: []
  inventory:
    description: An inventory of volact, or one of Ansible.
    type: path
  limit:
    description: Only these servers, by name, tag or glob; V(!NAME) leaves out.
    type: list
    elements: str
    default: []
  state:
    description:
      - V(activated) repairs, activates and verifies.
      - V(checked) changes nothing.
    type: str
    choices: [activated, checked]
    default: activated
  provider:
    description: Provider of the servers; by default each server's facts tell it.
    type: str
  kms_hosts:
    description: Own KMS hosts, instead of the provider's.
    type: list
    elements: str
    default: []
  user:
    description: User for the login, for addresses without one.
    type: str
  password_env:
    description: Name of the environment variable that has the password.
    type: str
  allow:
    description: Steps that need consent, as C(volact activate --allow) names them.
    type: list
    elements: str
    default: []
  replace_key:
    description: Replace a retail, MAK or OEM key with the KMS client key.
    type: bool
    default: false
  max_failures:
    description: Start no more servers after more than this number or share failed.
    type: str
  canary:
    description: This number or share of the servers first.
    type: str
  deadline:
    description: Time limit for one server, in seconds.
    type: int
  fail_on:
    description: Verdicts with which the task fails.
    type: list
    elements: str
    choices: [attention, failed, unreachable, not-started]
    default: [failed, unreachable]
  extra_arguments:
    description: Further options of C(volact).
    type: list
    elements: str
    default: []
  executable:
    description: The program.
    type: str
    default: volact
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = r"""
- name: Activate the web servers, two first
  volact.windows.activation:
    inventory: fleet.toml
    limit: [web]
    canary: "2"
  register: fleet

- name: Only look
  volact.windows.activation:
    servers: ["ssh://Administrator@10.0.0.5"]
    password_env: WINDOWS_PASSWORD
    state: checked
  environment:
    WINDOWS_PASSWORD: "{{ vault_password }}"
"""

RETURN = r"""
servers:
  description: A row for each server, as in C(volact --output json).
  returned: always
  type: list
  elements: dict
summary:
  description: How many servers have each verdict, and how many were changed.
  returned: always
  type: dict
run:
  description: Id of the run, for C(volact undo) and C(volact history).
  returned: always
  type: str
"""

_BY_VERDICT = (0, 3, 4)  # exit codes of a run that came to its end; fail_on decides


def main() -> None:
    """Run volact and translate its document."""
    module = AnsibleModule(
        argument_spec={
            "servers": {"type": "list", "elements": "str", "default": []},
            "inventory": {"type": "path"},
            "limit": {"type": "list", "elements": "str", "default": []},
            "state": {"choices": ["activated", "checked"], "default": "activated"},
            "provider": {},
            "kms_hosts": {"type": "list", "elements": "str", "default": []},
            "user": {},
            "password_env": {"no_log": False},
            "allow": {"type": "list", "elements": "str", "default": []},
            "replace_key": {"type": "bool", "default": False, "no_log": False},
            "max_failures": {},
            "canary": {},
            "deadline": {"type": "int"},
            "fail_on": {
                "type": "list",
                "elements": "str",
                "choices": ["attention", "failed", "unreachable", "not-started"],
                "default": ["failed", "unreachable"],
            },
            "extra_arguments": {"type": "list", "elements": "str", "default": []},
            "executable": {"default": "volact"},
        },
        required_one_of=[("servers", "inventory")],
        supports_check_mode=True,
    )
    code, out, err = module.run_command(command(module.params, check_mode=module.check_mode))
    document = _document(out)
    if document is None:
        module.fail_json(msg=err.strip() or "volact printed no document", rc=code)
    result = result_of(document, check_mode=module.check_mode)
    if code not in _BY_VERDICT:  # what it has done is in the result all the same
        module.fail_json(msg=err.strip() or f"volact ended with {code}", rc=code, **result)
    bad = [row for row in document["servers"] if row["verdict"] in module.params["fail_on"]]
    if bad:
        module.fail_json(msg="; ".join(map(_why, bad[:5])), **result)
    module.exit_json(**result)


def command(params: dict[str, Any], *, check_mode: bool) -> list[str]:
    """The command line; no part of it is a secret."""
    changing = params["state"] == "activated"
    verb = "activate" if changing else "check"
    words = [params["executable"], verb, "--output", "json", "--no-progress", "--lang", "en"]
    named = [("inventory", "--inventory"), ("provider", "--provider"), ("user", "--user")]
    named += [("password_env", "--password-env"), ("deadline", "--deadline")]
    several = [("limit", "--limit"), ("kms_hosts", "--kms-host")]
    if changing:  # a dry run takes the same options
        words.append("--dry-run" if check_mode else "--yes")
        several.append(("allow", "--allow"))
        words += ["--replace-key"] if params["replace_key"] else []
        named += [("canary", "--canary"), ("max_failures", "--max-failures")]
    for name, option in named:
        words += [f"{option}={params[name]}"] if params[name] not in (None, "") else []
    for name, option in several:
        words += [f"{option}={value}" for value in params[name]]
    return [*words, *params["extra_arguments"], "--", *params["servers"]]


def result_of(document: dict[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """What the task returns; in check mode a planned step is a change."""
    rows = document["servers"]
    changed = any(row["plan"] for row in rows) if check_mode else document["summary"]["changed"] > 0
    return {
        "changed": changed,
        "servers": rows,
        "summary": document["summary"],
        "run": document["run"],
        "diff": [diff for row in rows for diff in _diffs(row, planned=check_mode)],
    }


def _diffs(row: dict[str, Any], *, planned: bool) -> list[dict[str, Any]]:
    """What changed on one server, or would, as Ansible shows differences."""
    if planned:
        return [
            {"before_header": row["name"], "prepared": f"{row['name']}: {step['do']}\n"}
            for step in row["plan"]
        ]
    return [
        {
            "before_header": f"{row['name']} {step['do']}",
            "after_header": f"{row['name']} {step['do']}",
            "before": step.get("before") or {},
            "after": step.get("after") or {},
        }
        for step in row["results"]
        if step["changed"]
    ]


def _why(row: dict[str, Any]) -> str:
    """One line on a server that made the task fail."""
    error = row.get("error")
    causes = [finding["summary"] for finding in row["findings"] if finding["severity"] == "error"]
    reason = error["message"] if error else (causes or [row["verdict"]])[0]
    return f"{row['name']}: {reason}"


def _document(out: str) -> dict[str, Any] | None:
    try:
        document = json.loads(out)
    except ValueError:
        return None
    return document if isinstance(document, dict) and "servers" in document else None


if __name__ == "__main__":
    main()
