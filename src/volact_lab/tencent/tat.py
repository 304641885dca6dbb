"""The actions of TAT, version 2020-10-28."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from volact_lab.instances.estate import Estate, Instance
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.tasks import UNSTARTED, Invocations, Order, Task
from volact_lab.tencent.action import Action, Answer, Caller
from volact_lab.tencent.parameters import Parameters

VERSION = "2020-10-28"
MAX_INSTANCES, MAX_IDS, MAX_CONTENT = 200, 100, 64 * 1024
_COMMAND_NAME = re.compile(r"[A-Za-z0-9_.\-\u4e00-\u9fff]+")
_TYPES = {"BAT": "Windows", "POWERSHELL": "Windows", "SHELL": "Linux"}
_AGENT_FILTERS = ("agent-status", "environment", "instance-id")
_TASK_FILTERS = {
    "invocation-task-id": "id",
    "invocation-id": "invocation",
    "instance-id": "instance",
    "command-id": "invocation",
}


class Tat:
    """Runs commands on the instances of an estate."""

    def __init__(self, estate: Estate, invocations: Invocations) -> None:
        self._estate = estate
        self._invocations = invocations
        self.actions: dict[str, Action] = {
            "RunCommand": self._run_command,
            "DescribeAutomationAgentStatus": self._agents,
            "DescribeInvocationTasks": self._tasks,
            "CancelInvocation": self._cancel,
        }

    def _run_command(self, asked: Parameters, caller: Caller) -> Answer:
        content = asked.need("Content", str)
        ids = asked.words("InstanceIds", MAX_INSTANCES, "InvalidParameterValue.LimitExceeded")
        kind = asked.get("CommandType", str, "SHELL")
        timeout_s = asked.get("Timeout", int, 60)
        parameters = asked.get("EnableParameter", bool, False)
        asked.get("SaveCommand", bool, False)
        _check_name(asked.get("CommandName", str, "a"))
        asked.done()
        script = _decoded(content)
        if not 1 <= timeout_s <= 86400:
            raise ApiFault("InvalidParameterValue.Range", "`Timeout` is out of range.")
        if kind not in _TYPES:
            raise ApiFault("InvalidParameterValue", "`CommandType` is not supported.")
        if parameters and b"{{" in script:
            raise ApiFault("InvalidParameterValue.LackOfParameters", "No parameters are given.")
        targets = self._targets(ids, kind, caller)
        slots = {instance.id: self._estate.slot(instance.id) for instance in targets}
        invocation = self._invocations.start(Order(script, timeout_s), slots)
        return {"CommandId": invocation.replace("inv", "cmd"), "InvocationId": invocation}

    def _targets(self, ids: Sequence[str], kind: str, caller: Caller) -> list[Instance]:
        """All instances, or the refusal of them all because of one."""
        if not ids or len(set(ids)) != len(ids):
            raise ApiFault("InvalidParameterValue", "`InstanceIds` is empty or not distinct.")
        targets = [self._target(instance_id, caller) for instance_id in ids]
        if len({target.kind for target in targets}) > 1:
            raise ApiFault(
                "InvalidParameterValue.InconsistentInstance", "CVM and Lighthouse are mixed."
            )
        if any(target.environment != _TYPES[kind] for target in targets):
            raise ApiFault(
                "InvalidParameterValue.AgentUnsupportedCommandType",
                "The command type is not supported by the agent.",
            )
        return targets

    def _target(self, instance_id: str, caller: Caller) -> Instance:
        if not re.fullmatch(r"(ins|lhins|rins)-[a-z0-9]+", instance_id):
            raise ApiFault("InvalidParameterValue.InvalidInstanceId", "The id is malformed.")
        instance = self._estate.find(instance_id)
        if instance is None or instance.region != caller.region:
            raise ApiFault("ResourceNotFound.InstanceNotFound", "The instance does not exist.")
        slot = self._estate.slot(instance_id)
        if instance_id in caller.account.denied or (slot is not None and slot.line == "auth"):
            raise ApiFault(
                "UnauthorizedOperation.CamAuthFailed",
                "You are not authorized to perform the operation (tat:RunCommand).",
            )
        if instance.state != "RUNNING":
            raise ApiFault(
                "ResourceUnavailable.InstanceStateNotRunning", "The instance is not running."
            )
        if instance.agent != "Online":
            code = "AgentStatusNotOnline" if instance.agent else "AgentNotInstalled"
            raise ApiFault(f"ResourceUnavailable.{code}", "The agent is not there to be asked.")
        return instance

    def _agents(self, asked: Parameters, caller: Caller) -> Answer:
        ids = asked.words("InstanceIds", MAX_IDS, "InvalidParameterValue.LimitExceeded")
        filters = asked.filters(_AGENT_FILTERS)
        _one_of(ids, filters)
        rows = [
            _agent_row(instance)
            for instance in self._estate.in_region(caller.region, ids)
            if instance.agent and _agent_fits(instance, filters)
        ]
        page = asked.page(rows)
        asked.done()
        return {"AutomationAgentSet": page, "TotalCount": len(rows)}

    def _tasks(self, asked: Parameters, caller: Caller) -> Answer:
        ids = asked.words("InvocationTaskIds", MAX_IDS, "InvalidParameterValue.LimitExceeded")
        filters = asked.filters(_TASK_FILTERS)
        _one_of(ids, filters)
        hide = asked.get("HideOutput", bool, True)
        found = [
            task
            for task in self._invocations.chosen(ids, filters.get("invocation-id"))
            if self._is_in(task, caller.region)
            and all(
                getattr(task, _TASK_FILTERS[name]) in values for name, values in filters.items()
            )
        ]
        page = asked.page(found)
        asked.done()
        rows = [_task_row(task, hide_output=hide) for task in page]
        return {"InvocationTaskSet": rows, "TotalCount": len(found)}

    def _cancel(self, asked: Parameters, caller: Caller) -> Answer:
        invocation = asked.need("InvocationId", str)
        ids = asked.words("InstanceIds", MAX_IDS, "InvalidParameterValue.LimitExceeded")
        asked.done()
        tasks = [t for t in self._invocations.of(invocation) if self._is_in(t, caller.region)]
        if not tasks:
            raise ApiFault("ResourceNotFound.InvocationNotFound", "There is no such invocation.")
        if not set(ids) <= {task.instance for task in tasks}:
            raise ApiFault(
                "InvalidParameterValue.InstanceIsNotRelatedToInvocation",
                "An instance has no part in the invocation.",
            )
        for task in tasks:
            if (not ids or task.instance in ids) and task.status in {*UNSTARTED, "RUNNING"}:
                if task.status == "RUNNING":
                    task.status = "CANCELLING"
                task.cancelled.set()
        return {}

    def _is_in(self, task: Task, region: str) -> bool:
        return self._estate.region_of(task.instance) == region


def _decoded(content: str) -> bytes:
    if len(content) > MAX_CONTENT:
        raise ApiFault("InvalidParameterValue.TooLong", "`Content` is longer than 64 KB.")
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ApiFault(
            "InvalidParameterValue.CommandContentInvalid", "`Content` is not Base64."
        ) from error


def _check_name(name: str) -> None:
    if len(name.encode()) > 60 or not _COMMAND_NAME.fullmatch(name):
        raise ApiFault("InvalidParameterValue.InvalidCommandName", "`CommandName` is invalid.")


def _one_of(ids: Sequence[str], filters: dict[str, list[str]]) -> None:
    if ids and filters:
        raise ApiFault("InvalidParameter.ConflictParameter", "Ids and `Filters` are both given.")


def _task_row(task: Task, *, hide_output: bool) -> Answer:
    output = "" if hide_output else base64.b64encode(task.output).decode("ascii")
    return {
        "InvocationId": task.invocation,
        "InvocationTaskId": task.id,
        "InstanceId": task.instance,
        "TaskStatus": task.status,
        "ErrorInfo": task.error,
        "TaskResult": {"ExitCode": task.exit_code, "Output": output, "Dropped": task.dropped},
    }


def _agent_row(instance: Instance) -> Answer:
    return {
        "InstanceId": instance.id,
        "Version": "1.1.9",
        "LastHeartbeatTime": "2026-01-31T08:00:00Z",
        "AgentStatus": instance.agent,
        "Environment": instance.environment,
        "SupportFeatures": [],
    }


def _agent_fits(instance: Instance, filters: dict[str, list[str]]) -> bool:
    own = {
        "agent-status": instance.agent,
        "environment": instance.environment,
        "instance-id": instance.id,
    }
    return all(own[name] in values for name, values in filters.items())
