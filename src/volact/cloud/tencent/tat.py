"""TAT, Tencent's run-command: its calls as functions, its answers as values.

When to call is for ``volact.transports.run_command``; what a status means is in
``run_command``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from tencentcloud.tat.v20201028 import models

from volact.cloud.calls import Value
from volact.cloud.tencent.calls import PAGE, Calls, all_pages

MAX_INSTANCES = 200  # of one RunCommand
MAX_IDS = 100  # of one call of any other action
MAX_FILTER_VALUES = 5
MAX_CONTENT = 64 * 1024  # of Base64
MAX_OUTPUT = 24 * 1024
MAX_TIMEOUT_S = 86400


class Agent(Value, frozen=True):
    """The TAT agent of an instance."""

    instance_id: str
    agent_status: str | None = None
    version: str | None = None
    last_heartbeat_time: str | None = None
    environment: str | None = None


class TaskResult(Value, frozen=True):
    """What came of a task; ``output`` is Base64, ``dropped`` the bytes that are missing."""

    exit_code: int | None = None
    output: str | None = None
    dropped: int | None = None


class Task(Value, frozen=True):
    """One instance's part of an invocation."""

    invocation_id: str
    invocation_task_id: str
    instance_id: str
    task_status: str
    error_info: str | None = None
    task_result: TaskResult | None = None


class _Agents(Value, frozen=True):
    automation_agent_set: tuple[Agent, ...] | None = None
    total_count: int = 0


class _Tasks(Value, frozen=True):
    invocation_task_set: tuple[Task, ...] | None = None
    total_count: int = 0


class _Started(Value, frozen=True):
    invocation_id: str


class _Done(Value, frozen=True):
    request_id: str


async def run_command(
    calls: Calls, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
) -> str:
    """Start a ``.bat`` on instances; the invocation's id.  All of them or none."""
    request = models.RunCommandRequest()
    request.Content = base64.b64encode(script).decode("ascii")
    request.InstanceIds = list(instances)
    request.CommandName = name
    request.CommandType = "BAT"
    request.Timeout = timeout_s
    # Nothing in a script is a parameter, even if it holds braces.
    request.EnableParameter = False
    request.SaveCommand = False
    started = await calls.ask(calls.tat, "RunCommand", request, _Started, safe=False)
    return started.invocation_id


async def agents(calls: Calls, instances: Sequence[str]) -> dict[str, Agent]:
    """The agents of instances; one without an agent is not among them."""
    request = models.DescribeAutomationAgentStatusRequest()
    request.InstanceIds = list(instances)
    request.Limit = PAGE
    action = "DescribeAutomationAgentStatus"
    answer = await calls.ask(calls.tat, action, request, _Agents, safe=True)
    return {agent.instance_id: agent for agent in answer.automation_agent_set or ()}


async def tasks_of(calls: Calls, invocations: Sequence[str]) -> tuple[Task, ...]:
    """Every task of a few invocations, with its output."""
    chosen = models.Filter()
    chosen.Name = "invocation-id"
    chosen.Values = list(invocations)

    async def page(offset: int) -> _Tasks:
        request = models.DescribeInvocationTasksRequest()
        request.Filters = [chosen]
        request.Offset = offset
        return await _tasks(calls, request)

    return await all_pages(page, lambda p: p.invocation_task_set or (), lambda p: p.total_count)


async def tasks(calls: Calls, ids: Sequence[str]) -> tuple[Task, ...]:
    """Tasks by their ids, at most ``MAX_IDS``, with their output."""
    request = models.DescribeInvocationTasksRequest()
    request.InvocationTaskIds = list(ids)
    return (await _tasks(calls, request)).invocation_task_set or ()


async def _tasks(calls: Calls, request: object) -> _Tasks:
    request.Limit = PAGE  # type: ignore[attr-defined]  # the SDK's request has no types
    request.HideOutput = False  # type: ignore[attr-defined]
    return await calls.ask(calls.tat, "DescribeInvocationTasks", request, _Tasks, safe=True)


async def cancel(calls: Calls, invocation: str, instances: Sequence[str]) -> None:
    """End the tasks of some instances; asking twice does no harm."""
    request = models.CancelInvocationRequest()
    request.InvocationId = invocation
    request.InstanceIds = list(instances)
    await calls.ask(calls.tat, "CancelInvocation", request, _Done, safe=True)
