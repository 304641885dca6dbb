"""TAT, Tencent's run-command: its calls as functions, its answers as values.

When to call is for ``volact.transports.run_command``; what a status means is in
``run_command``.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from volact.cloud.calls import Value
from volact.cloud.tencent.calls import PAGE, Calls, CountedPage, filters_of

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


class _Agents(CountedPage, frozen=True):
    automation_agent_set: tuple[Agent, ...] | None = None


class _Tasks(CountedPage, frozen=True):
    invocation_task_set: tuple[Task, ...] | None = None


class _Started(Value, frozen=True):
    invocation_id: str


class _Done(Value, frozen=True):
    request_id: str


async def run_command(
    calls: Calls, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
) -> str:
    """Start a ``.bat`` on instances; the invocation's id.  All of them or none."""
    asked = {
        "Content": base64.b64encode(script).decode("ascii"),
        "InstanceIds": list(instances),
        "CommandName": name,
        "CommandType": "BAT",
        "Timeout": timeout_s,
        # Nothing in a script is a parameter, even if it holds braces.
        "EnableParameter": False,
        "SaveCommand": False,
    }
    return (await calls.ask("tat", "RunCommand", asked, _Started, safe=False)).invocation_id


async def agents(calls: Calls, instances: Sequence[str]) -> dict[str, Agent]:
    """The agents of instances; one without an agent is not among them."""
    asked = {"InstanceIds": list(instances), "Limit": PAGE}
    answer = await calls.ask("tat", "DescribeAutomationAgentStatus", asked, _Agents, safe=True)
    return {agent.instance_id: agent for agent in answer.automation_agent_set or ()}


async def tasks_of(calls: Calls, invocations: Sequence[str]) -> tuple[Task, ...]:
    """Every task of a few invocations, with its output."""
    asked = {"Filters": filters_of({"invocation-id": invocations}), "HideOutput": False}
    return await calls.all_of(
        "tat", "DescribeInvocationTasks", asked, _Tasks, lambda p: p.invocation_task_set or ()
    )


async def tasks(calls: Calls, ids: Sequence[str]) -> tuple[Task, ...]:
    """Tasks by their ids, at most ``MAX_IDS``, with their output."""
    asked = {"InvocationTaskIds": list(ids), "Limit": PAGE, "HideOutput": False}
    found = await calls.ask("tat", "DescribeInvocationTasks", asked, _Tasks, safe=True)
    return found.invocation_task_set or ()


async def cancel(calls: Calls, invocation: str, instances: Sequence[str]) -> None:
    """End the tasks of some instances; asking twice does no harm."""
    asked = {"InvocationId": invocation, "InstanceIds": list(instances)}
    await calls.ask("tat", "CancelInvocation", asked, _Done, safe=True)
