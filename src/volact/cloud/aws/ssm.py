"""SSM, the run-command of AWS: its calls as functions, its answers as values.

When to call is for ``volact.transports.run_command``; what a status means is in
``run_command``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from volact.agent.wrap import packed_powershell
from volact.cloud.aws.calls import Calls, TokenPage
from volact.cloud.calls import Value

MAX_INSTANCES = 50  # of one SendCommand or CancelCommand
PAGE = 50
MAX_OUTPUT = 24_000  # characters of GetCommandInvocation
LONGEST_S = 172_800  # executionTimeout of AWS-RunPowerShellScript
_LEAST_WAIT_S = 30  # TimeoutSeconds: how long the command may wait for its start
_LEAST_TIME_S = 5  # executionTimeout: for less the agent takes its default, an hour


class Agent(Value, frozen=True):
    """The SSM agent of an instance."""

    instance_id: str
    ping_status: str | None = None
    platform_type: str | None = None
    last_ping_date_time: datetime | None = None


class Task(Value, frozen=True):
    """One instance's part of a command."""

    command_id: str
    instance_id: str
    status: str
    status_details: str | None = None


class Output(Value, frozen=True):
    """What came of a task."""

    status: str | None = None
    response_code: int | None = None
    standard_output_content: str | None = None
    standard_error_content: str | None = None


class _Agents(TokenPage, frozen=True):
    instance_information_list: tuple[Agent, ...]  # also when it is empty: else it is no answer


class _Tasks(TokenPage, frozen=True):
    command_invocations: tuple[Task, ...]


class _Command(Value, frozen=True):
    command_id: str


class _Sent(Value, frozen=True):
    command: _Command


class _Done(Value, frozen=True):
    pass


async def send_command(
    calls: Calls, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
) -> str:
    """Start a ``.bat`` on instances; the command's id.  All of them or none."""
    asked = {
        "DocumentName": "AWS-RunPowerShellScript",
        "InstanceIds": list(instances),
        "Comment": name[:100],
        "TimeoutSeconds": max(_LEAST_WAIT_S, timeout_s),
        # One that fails must not end the command for those that have not begun.
        "MaxErrors": "100%",
        "MaxConcurrency": "100%",
        "Parameters": {
            "commands": packed_powershell(script).splitlines(),
            "executionTimeout": [str(max(_LEAST_TIME_S, timeout_s))],
        },
    }
    return (await calls.ask("ssm", "SendCommand", asked, _Sent, safe=False)).command.command_id


async def agents(calls: Calls, instances: Sequence[str]) -> dict[str, Agent]:
    """The agents of instances; one without an agent is not among them."""
    asked = {
        "Filters": [{"Key": "InstanceIds", "Values": list(instances)}],
        "MaxResults": PAGE,
    }
    found = await calls.all_of(
        "ssm", "DescribeInstanceInformation", asked, _Agents, lambda p: p.instance_information_list
    )
    return {agent.instance_id: agent for agent in found}


async def tasks_of(calls: Calls, command: str) -> tuple[Task, ...]:
    """Every task of a command, without its output."""
    asked = {"CommandId": command, "MaxResults": PAGE}
    return await calls.all_of(
        "ssm", "ListCommandInvocations", asked, _Tasks, lambda p: p.command_invocations
    )


async def output_of(calls: Calls, task: Task) -> Output:
    """The output of a task that has ended; a list has the first 2,500 characters only."""
    asked = {"CommandId": task.command_id, "InstanceId": task.instance_id}
    return await calls.ask("ssm", "GetCommandInvocation", asked, Output, safe=True)


async def cancel(calls: Calls, command: str, instances: Sequence[str]) -> None:
    """End the tasks of some instances; asking twice does no harm."""
    asked = {"CommandId": command, "InstanceIds": list(instances)}
    await calls.ask("ssm", "CancelCommand", asked, _Done, safe=True)
