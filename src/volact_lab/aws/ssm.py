"""The actions of SSM, version 2014-11-06: JSON in, JSON out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from volact_lab.aws.signature import Signed
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.tasks import Invocations, Order, Task

Asked = Mapping[str, Any]
Answer = dict[str, Any]
MAX_IDS, MAX_OUTPUT, MAX_REQUEST = 50, 24_000, 64 * 1024
CUT = "--output truncated--"
_LEAST_TIME_S = 5
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
# The life of a task: what a list has as Status, and as StatusDetails.
STATUSES = {
    "PENDING": ("Pending", "Pending"),
    "DELIVERING": ("InProgress", "InProgress"),
    "RUNNING": ("InProgress", "InProgress"),
    "CANCELLING": ("Cancelling", "Cancelling"),
    "SUCCESS": ("Success", "Success"),
    "FAILED": ("Failed", "Failed"),
    "START_FAILED": ("Failed", "Failed"),
    "TIMEOUT": ("TimedOut", "ExecutionTimedOut"),
    "CANCELLED": ("Cancelled", "Cancelled"),
    "TERMINATED": ("Cancelled", "Cancelled"),
}


def new_id(number: int) -> str:
    """The id of a command, by its number."""
    return str(uuid.UUID(int=number))


class Ssm:
    """Runs commands on the instances of an estate."""

    def __init__(self, estate: Estate, invocations: Invocations) -> None:
        self.most = MAX_IDS  # rows of a page, or fewer
        self._estate = estate
        self._invocations = invocations
        self.actions = {
            "SendCommand": self._send,
            "DescribeInstanceInformation": self._agents,
            "ListCommandInvocations": self._list,
            "GetCommandInvocation": self._get,
            "CancelCommand": self._cancel,
        }

    def _send(self, asked: Asked, caller: Signed) -> Answer:
        ids = _ids(asked)
        if asked.get("DocumentName") != "AWS-RunPowerShellScript":
            raise ApiFault("InvalidDocument", "The document does not exist.")
        parameters = asked.get("Parameters", {})
        script = "\n".join(parameters.get("commands", ()))
        if set(parameters) - {"commands", "executionTimeout", "workingDirectory"} or not script:
            raise ApiFault("InvalidParameters", "The parameters are not those of the document.")
        if len(script) > MAX_REQUEST:
            raise ApiFault("MaxDocumentSizeExceeded", "The size limit of a document is 64 KB.")
        if "{{" in script:
            raise ApiFault("InvalidParameters", "A parameter of the document is not given.")
        limits = (asked.get("MaxErrors"), asked.get("MaxConcurrency"))
        if not all(re.fullmatch(r"[1-9]\d?%|100%", limit or "") for limit in limits):
            raise ApiFault("ValidationException", "A limit of the lab: others are not modelled.")
        (timeout,) = parameters.get("executionTimeout", ["3600"])
        if not 1 <= int(timeout) <= 172_800:
            raise ApiFault("InvalidParameters", "executionTimeout is out of range.")
        if not ids or len(set(ids)) != len(ids):
            raise ApiFault("DuplicateInstanceId", "Instance ids must be distinct.")
        targets = {instance_id: self._target(instance_id, caller) for instance_id in ids}
        slots = {name: self._estate.slot(name) for name in targets}
        # The agent takes its default for what is too short for it.
        seconds = int(timeout) if int(timeout) >= _LEAST_TIME_S else 3600
        command = self._invocations.start(Order(script.encode(), seconds), slots)
        return {"Command": {"CommandId": command, "Status": "Pending", "InstanceIds": ids}}

    def _target(self, instance_id: str, caller: Signed) -> Instance:
        instance = self._known(instance_id, caller.region)
        if instance.environment != "Windows":
            raise ApiFault("UnsupportedPlatformType", "The document is for Windows.")
        slot = self._estate.slot(instance_id)
        if instance_id in caller.account.denied or (slot is not None and slot.line == "auth"):
            raise ApiFault(
                "AccessDeniedException",
                "User: arn:aws:iam::123456789012:user/lab is not authorized to perform: "
                f"ssm:SendCommand on resource: arn:aws:ec2:{caller.region}:123456789012:"
                f"instance/{instance_id}",
            )
        return instance

    def _known(self, instance_id: str, region: str) -> Instance:
        instance = self._estate.find(instance_id)
        usable = instance is not None and instance.agent and instance.state == "RUNNING"
        if instance is None or instance.region != region or not usable:
            raise ApiFault(
                "InvalidInstanceId", f"Instances [[{instance_id}]] not in a valid state for account"
            )
        return instance

    def _agents(self, asked: Asked, caller: Signed) -> Answer:
        ids: list[str] = []
        for item in asked.get("Filters", []):
            if item["Key"] != "InstanceIds" or not 1 <= len(item["Values"]) <= 100:
                raise ApiFault("InvalidFilterKey", "The filter is not known.")
            ids += item["Values"]
        rows = [
            {
                "InstanceId": instance.id,
                "PingStatus": "Online" if instance.agent == "Online" else "ConnectionLost",
                "LastPingDateTime": 1769846400.123,
                "AgentVersion": "3.3.987.0",
                "PlatformType": instance.environment,
                "PlatformName": instance.os_name,
                "ResourceType": "EC2Instance",
            }
            for instance in self._estate.in_region(caller.region, ids)
            if instance.agent and instance.state == "RUNNING"
        ]
        return self._page(rows, asked, "InstanceInformationList", least=5)

    def _list(self, asked: Asked, caller: Signed) -> Answer:
        rows = [
            _row(task)
            for task in self._of(asked, caller)
            if asked.get("InstanceId") in (None, task.instance)
        ]
        return self._page(rows, asked, "CommandInvocations", least=1)

    def _get(self, asked: Asked, caller: Signed) -> Answer:
        tasks = [t for t in self._of(asked, caller) if t.instance == asked.get("InstanceId")]
        if not tasks:
            raise ApiFault("InvocationDoesNotExist", "The command did not go to the instance.")
        (task,) = tasks
        ended = STATUSES.get(task.status, ("", ""))[0] in ("Success", "Failed")
        text = task.output.decode() if ended else ""
        if len(text) > MAX_OUTPUT:
            text = text[: MAX_OUTPUT - len(CUT)] + CUT
        return {
            **_row(task),
            "PluginName": "aws:runPowerShellScript",
            "ResponseCode": -1 if task.exit_code is None else task.exit_code,
            "StandardOutputContent": text,
            "StandardErrorContent": task.errors.decode("utf-8", "replace")[:8000] if ended else "",
        }

    def _cancel(self, asked: Asked, caller: Signed) -> Answer:
        ids = _ids(asked)
        for task in self._of(asked, caller):
            running = task.status in ("PENDING", "DELIVERING", "RUNNING")
            if running and (not ids or task.instance in ids):
                task.status = "CANCELLING" if task.status == "RUNNING" else task.status
                task.cancelled.set()
        return {}

    def _page(self, rows: Sequence[Answer], asked: Asked, name: str, *, least: int) -> Answer:
        """The rows that ``NextToken`` and ``MaxResults`` name, or fewer."""
        size, start = asked.get("MaxResults", 50), int(asked.get("NextToken") or 0)
        if not least <= size <= MAX_IDS:
            raise ApiFault("ValidationException", "MaxResults is out of range.")
        end = start + min(size, self.most)
        more = {"NextToken": str(end)} if end < len(rows) else {}
        return {name: list(rows[start:end]), **more}

    def _of(self, asked: Asked, caller: Signed) -> list[Task]:
        command = asked.get("CommandId", "")
        tasks = self._invocations.of(command)
        found = [t for t in tasks if self._estate.region_of(t.instance) == caller.region]
        if not re.fullmatch(r"[0-9a-f-]{36}", command) or not found:
            raise ApiFault("InvalidCommandId", "The command does not exist.")
        return found


def _ids(asked: Asked) -> list[str]:
    ids = list(asked.get("InstanceIds", []))
    if len(ids) > MAX_IDS:
        raise ApiFault("ValidationException", "At most 50 instance ids are taken.")
    if not all(_INSTANCE.fullmatch(instance_id) for instance_id in ids):
        raise ApiFault("ValidationException", "An instance id is malformed.")
    return ids


def _row(task: Task) -> Answer:
    status, details = STATUSES.get(task.status, (task.status, task.error or task.status))
    return {
        "CommandId": task.invocation,
        "InstanceId": task.instance,
        "DocumentName": "AWS-RunPowerShellScript",
        "Status": status,
        "StatusDetails": details,
    }
