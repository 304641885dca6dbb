"""Cloud Assistant, the run-command of Alibaba Cloud: its calls as functions.

When to call is for ``volact.transports.run_command``; what a status means is in
``run_command``.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from alibabacloud_ecs20140526 import models

from volact.agent.wrap import deflated, waiting_powershell
from volact.cloud.alibaba.calls import Calls
from volact.cloud.base import ApiError
from volact.cloud.calls import Value, all_pages
from volact.model.text import say

MAX_INSTANCES = 50  # of one SendFile or StopInvocation; RunCommand takes 100
PAGE = 50
MAX_FILE = 32 * 1024  # of Base64
MAX_OUTPUT = 24 * 1024
LONGEST_S = 86_400
_LEAST_S = 10
_FOLDER = "C:\\Windows\\Temp"
WAIT_S = 60  # how long the script waits for its file


class Agent(Value, frozen=True):
    """The agent of an instance."""

    instance_id: str
    cloud_assistant_status: str | None = None
    last_heartbeat_time: str | None = None
    os_type: str | None = msgspec.field(default=None, name="OSType")


class Task(Value, frozen=True):
    """One instance's part of an invocation; ``output`` is Base64."""

    invoke_id: str
    instance_id: str
    invocation_status: str
    error_code: str | None = None
    error_info: str | None = None
    exit_code: int | None = None
    output: str | None = None
    dropped: int | None = None


class _Agents(Value, frozen=True):
    instance_cloud_assistant_status: tuple[Agent, ...]  # also when it is empty


class _AgentSet(Value, frozen=True):
    instance_cloud_assistant_status_set: _Agents


class _Results(Value, frozen=True):
    invocation_result: tuple[Task, ...]


class _Invocation(Value, frozen=True):
    invocation_results: _Results
    next_token: str | None = None


class _Page(Value, frozen=True):
    invocation: _Invocation


class _Started(Value, frozen=True):
    invoke_id: str


class _Done(Value, frozen=True):
    request_id: str


async def run(
    calls: Calls, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
) -> str:
    """Start a ``.bat`` on instances; the invocation's id.  All of them or none.

    The script does not fit into a command: the command waits for a file and runs what is
    in it, and the file follows to the instances that the API has taken the command for.
    """
    content = base64.b64encode(deflated(script)).decode("ascii")
    if len(content) > MAX_FILE:
        code = "FileTooLarge"
        raise ApiError("protocol", say("the script is larger than a file may be"), code=code)
    file = f"volact-{secrets.token_hex(16)}.bin"
    size = len(content) // 4 * 3 - content.count("=")
    command = waiting_powershell(f"{_FOLDER}\\{file}", size=size, wait_s=WAIT_S)
    started = await _run_command(calls, instances, command, name=name, timeout_s=timeout_s)
    try:
        await _send_file(calls, instances, file, content)
    except ApiError as error:
        with suppress(ApiError):  # it waits for what will not come, and ends by itself
            await stop(calls, started, instances)
        if not error.may_have_begun:
            raise
        # The file may have come: nothing may be started a second time.
        raise ApiError(
            error.kind, error.message, error.hint, code=error.code, again="unsure"
        ) from error
    return started


async def _run_command(
    calls: Calls, instances: Sequence[str], command: str, *, name: str, timeout_s: int
) -> str:
    request = models.RunCommandRequest(
        type="RunPowerShellScript",
        name=name[:128],
        command_content=base64.b64encode(command.encode("ascii")).decode("ascii"),
        content_encoding="Base64",
        instance_id=list(instances),
        timeout=max(_LEAST_S, timeout_s),
        # Nothing in a script is a parameter, even if it holds braces.
        enable_parameter=False,
        keep_command=False,
    )
    return (await calls.ask("run_command", request, _Started, safe=False)).invoke_id


async def _send_file(calls: Calls, instances: Sequence[str], name: str, content: str) -> None:
    request = models.SendFileRequest(
        name=name,
        target_dir=_FOLDER,
        content=content,
        content_type="Base64",
        instance_id=list(instances),
        overwrite=True,
        timeout=WAIT_S,
    )
    # The same file under the same name may be sent twice.
    await calls.ask("send_file", request, _Started, safe=True)


async def agents(calls: Calls, instances: Sequence[str]) -> dict[str, Agent]:
    """The agents of instances."""
    request = models.DescribeCloudAssistantStatusRequest(instance_id=list(instances))
    answer = await calls.ask("describe_cloud_assistant_status", request, _AgentSet, safe=True)
    found = answer.instance_cloud_assistant_status_set.instance_cloud_assistant_status
    return {agent.instance_id: agent for agent in found}


async def tasks_of(calls: Calls, invocation: str) -> tuple[Task, ...]:
    """Every task of an invocation, with its output."""

    async def page(token: str) -> _Page:
        request = models.DescribeInvocationResultsRequest(
            invoke_id=invocation,
            content_encoding="Base64",
            max_results=PAGE,
            next_token=token or None,
        )
        return await calls.ask("describe_invocation_results", request, _Page, safe=True)

    return await all_pages(
        page,
        lambda p: p.invocation.invocation_results.invocation_result,
        lambda p, _count: p.invocation.next_token or None,
        "",
    )


async def stop(calls: Calls, invocation: str, instances: Sequence[str]) -> None:
    """End the tasks of some instances; asking twice does no harm."""
    request = models.StopInvocationRequest(invoke_id=invocation, instance_id=list(instances))
    await calls.ask("stop_invocation", request, _Done, safe=True)
