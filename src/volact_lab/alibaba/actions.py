"""The actions of ECS, version 2014-05-26: parameters of the query in, JSON out."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from volact_lab.alibaba.estate import IMAGES
from volact_lab.alibaba.signature import Account
from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.tasks import Invocations, Order, Task

Asked = Mapping[str, str]
Answer = dict[str, Any]
MAX_IDS, MAX_COMMAND, MAX_FILE = 100, 24 * 1024, 32 * 1024
STATUSES = {
    "PENDING": "Pending",
    "DELIVERING": "Pending",
    "RUNNING": "Running",
    "CANCELLING": "Stopping",
    "SUCCESS": "Success",
    "FAILED": "Failed",
    "TIMEOUT": "Timeout",
    "START_FAILED": "Error",
    "CANCELLED": "Cancelled",
    "TERMINATED": "Terminated",
}
_FILTERS: dict[str, Callable[[Instance], str]] = {
    "VpcId": lambda one: one.vpc,
    "Status": lambda one: one.state.capitalize(),
    "InstanceName": lambda one: one.name,
    "ImageId": lambda one: one.image,
    "ZoneId": lambda one: f"{one.region}-a",
}


class Ecs:
    """Runs commands on the instances of an estate, and lists them."""

    def __init__(self, estate: Estate, invocations: Invocations) -> None:
        self._estate = estate
        self._invocations = invocations
        self.most = 100  # rows of a page
        self.actions = {
            "RunCommand": self._run,
            "SendFile": self._send,
            "DescribeInvocationResults": self._results,
            "StopInvocation": self._stop,
            "DescribeCloudAssistantStatus": self._agents,
            "DescribeInstances": self._instances,
            "DescribeImages": self._images,
        }

    def _run(self, asked: Asked, caller: Account) -> Answer:
        if asked.get("Type") != "RunPowerShellScript" or asked.get("ContentEncoding") != "Base64":
            raise ApiFault("InvalidParameter", "A limit of the lab: other types are not modelled.")
        if asked.get("EnableParameter") not in (None, "false", "False"):
            raise ApiFault("InvalidParameter", "Parameters are not modelled.")
        script = _decoded(asked.get("CommandContent", ""), MAX_COMMAND)
        timeout = int(asked.get("Timeout", "60"))
        if not 10 <= timeout <= 86_400:
            raise ApiFault("InvalidParameter.Timeout", "The timeout is out of range.")
        targets = self._targets(asked, caller, MAX_IDS)
        slots = {instance.id: self._estate.slot(instance.id) for instance in targets}
        invocation = self._invocations.start(Order(script, timeout), slots)
        return {"InvokeId": invocation, "CommandId": f"c-{invocation[2:]}"}

    def _send(self, asked: Asked, caller: Account) -> Answer:
        data = _decoded(asked.get("Content", ""), MAX_FILE)
        path = f"{asked['TargetDir']}\\{asked['Name']}"
        for instance in self._targets(asked, caller, 50):
            slot = self._estate.slot(instance.id)
            if slot is not None and slot.line != "hang":
                slot.machine.files.write(path, data)
        return {"InvokeId": "f-lab"}

    def _targets(self, asked: Asked, caller: Account, most: int) -> list[Instance]:
        """All instances, or the refusal of them all because of one."""
        ids = _ids(asked, most)
        if not ids or len(set(ids)) != len(ids):
            raise ApiFault("InvalidParameter.InstanceId", "Instance ids are missing or repeated.")
        return [self._target(instance_id, asked["RegionId"], caller) for instance_id in ids]

    def _target(self, instance_id: str, region: str, caller: Account) -> Instance:
        instance = self._estate.find(instance_id)
        if instance is None or instance.region != region:
            raise ApiFault("InvalidInstance.NotFound", "The instance does not exist.")
        if instance.environment != "Windows":
            raise ApiFault("InvalidInstance.NotMatch", "The command is not for its system.")
        slot = self._estate.slot(instance_id)
        if instance_id in caller.denied or (slot is not None and slot.line == "auth"):
            raise ApiFault("Forbidden.RAM", f"not authorized to operate instance/{instance_id}")
        if instance.state != "RUNNING":
            raise ApiFault("IncorrectInstanceStatus", "The instance is not running.")
        return instance

    def _results(self, asked: Asked, _caller: Account) -> Answer:
        if asked.get("ContentEncoding") != "Base64":
            raise ApiFault("InvalidParameter", "A limit of the lab: Base64 only.")
        tasks = self._of(asked)
        page, more = self._page(tasks, asked, 50)
        rows = [_row(task) for task in page]
        return {"Invocation": {"InvocationResults": {"InvocationResult": rows}, **more}}

    def _stop(self, asked: Asked, _caller: Account) -> Answer:
        ids = _ids(asked, 50)
        for task in self._of(asked):
            running = task.status in ("PENDING", "DELIVERING", "RUNNING")
            if running and (not ids or task.instance in ids):
                task.status = "CANCELLING" if task.status == "RUNNING" else task.status
                task.cancelled.set()
        return {}

    def _of(self, asked: Asked) -> list[Task]:
        tasks = self._invocations.of(asked.get("InvokeId", ""))
        found = [t for t in tasks if self._estate.region_of(t.instance) == asked["RegionId"]]
        if not found:
            raise ApiFault("InvalidInvoke.NotFound", "The invocation does not exist.")
        return found

    def _agents(self, asked: Asked, _caller: Account) -> Answer:
        rows = [
            {
                "InstanceId": instance.id,
                "CloudAssistantStatus": "true" if instance.agent == "Online" else "false",
                "LastHeartbeatTime": "2026-01-31T08:00:00Z" if instance.agent else "",
                "OSType": instance.environment,
            }
            for instance in self._estate.in_region(asked["RegionId"], _ids(asked, MAX_IDS))
        ]
        return {"InstanceCloudAssistantStatusSet": {"InstanceCloudAssistantStatus": rows}}

    def _instances(self, asked: Asked, _caller: Account) -> Answer:
        tags = _numbered(asked, r"Tag\.(\d+)\.Key"), _numbered(asked, r"Tag\.(\d+)\.Value")
        rows = [
            instance
            for instance in self._estate.in_region(asked["RegionId"])
            if all(_FILTERS[n](instance) == v for n, v in asked.items() if n in _FILTERS)
            and all(instance.tags.get(name) == tags[1].get(n) for n, name in tags[0].items())
        ]
        page, more = self._page(rows, asked, 100)
        return {"Instances": {"Instance": [_instance_row(one) for one in page]}, **more}

    def _images(self, asked: Asked, _caller: Account) -> Answer:
        size, number = int(asked.get("PageSize", "10")), int(asked.get("PageNumber", "1"))
        if asked.get("OSType") != "windows" or not 1 <= size <= 100:
            raise ApiFault("InvalidParameter", "A limit of the lab: images of Windows.")
        rows = [
            {"ImageId": name, "ImageOwnerAlias": owner, "OSType": "windows", "LicenseType": word}
            for name, (owner, word) in IMAGES.items()
        ]
        start = (number - 1) * size
        return {"Images": {"Image": rows[start : start + size]}, "TotalCount": len(rows)}

    def _page(self, rows: Sequence[Any], asked: Asked, most: int) -> tuple[Sequence[Any], Answer]:
        """The rows that ``NextToken`` and ``MaxResults`` name."""
        size, start = int(asked.get("MaxResults", "10")), int(asked.get("NextToken") or 0)
        if not 1 <= size <= most:
            raise ApiFault("InvalidParameter.MaxResults", "MaxResults is out of range.")
        end = start + min(size, self.most)
        return rows[start:end], {"NextToken": str(end)} if end < len(rows) else {}


def _decoded(content: str, most: int) -> bytes:
    if len(content) > most:
        raise ApiFault("CmdContent.ExceedLimit", f"The content is longer than {most} bytes.")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiFault("CmdContent.DecodeError", "The content is not Base64.") from error


def _numbered(asked: Asked, form: str) -> dict[str, str]:
    matches = ((re.fullmatch(form, name), value) for name, value in asked.items())
    return {match[1]: value for match, value in matches if match}


def _ids(asked: Asked, most: int) -> list[str]:
    ids = list(_numbered(asked, r"InstanceId\.(\d+)").values())
    if len(ids) > most:
        raise ApiFault("InvalidInstanceIds.ExceedLimit", f"At most {most} instances are taken.")
    return ids


def _row(task: Task) -> Answer:
    ended = task.status in ("SUCCESS", "FAILED", "TIMEOUT", "TERMINATED")
    return {
        "InvokeId": task.invocation,
        "InstanceId": task.instance,
        "InvocationStatus": STATUSES.get(task.status, task.status),
        "ErrorCode": "",
        "ErrorInfo": task.error,
        "ExitCode": task.exit_code,
        "Output": base64.b64encode(task.output).decode() if ended else "",
        "Dropped": task.dropped,
    }


def _instance_row(instance: Instance) -> Answer:
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "Status": instance.state.capitalize(),
        "ImageId": instance.image,
        "OSType": instance.environment.lower(),
        "OSNameEn": instance.os_name,
        "ZoneId": f"{instance.region}-a",
        "VpcAttributes": {
            "VpcId": instance.vpc,
            "PrivateIpAddress": {"IpAddress": [instance.address]},
        },
        "Tags": {"Tag": [{"TagKey": k, "TagValue": v} for k, v in instance.tags.items()]},
    }
