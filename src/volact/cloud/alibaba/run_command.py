"""Cloud Assistant as a ``RunCommand``: who is ready, what is started, what came of it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from volact.agent.wrap import NOT_ARRIVED
from volact.cloud.alibaba import assistant
from volact.cloud.alibaba.assistant import Agent, Task
from volact.cloud.alibaba.calls import Calls
from volact.cloud.base import CommandLimits, RunCommand, TaskOutput, TaskState
from volact.cloud.ends import (
    OUT_OF_TIME,
    STOPPED,
    UNSTARTED,
    error_of_end,
    other_system,
    undelivered,
)
from volact.cloud.failures import Meaning
from volact.errors import TransportError, one_line
from volact.model.text import say

LIMITS = CommandLimits(
    service="Cloud Assistant",
    start_batch=assistant.MAX_INSTANCES,
    readiness_batch=assistant.PAGE,
    cancel_batch=assistant.MAX_INSTANCES,
    invocations_per_poll=1,
    script_bytes=48 * 1024,  # before it is packed
    output_bytes=assistant.MAX_OUTPUT,
    longest_s=assistant.LONGEST_S,
)
_UNFINISHED = frozenset({"Pending", "Scheduled", "Running", "Stopping"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"Success", "Failed"})
_SERVICE = say("is the service AliyunService running there?")
_ENDS: Mapping[str, Meaning] = {
    "Invalid": Meaning(
        "agent", say("the command does not fit the instance"), say("is it a Windows Server?")
    ),
    "Aborted": undelivered(_SERVICE),
    "Error": Meaning("agent", say("the Cloud Assistant agent could not run the script")),
    "Timeout": OUT_OF_TIME,
    "Cancelled": UNSTARTED,
    "Terminated": STOPPED,
}


class AssistantCommand(RunCommand):
    """The run-command of one region."""

    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether the agents of instances are online."""
        agents = await assistant.agents(self._calls, instances)
        return {name: unfit(agents.get(name)) for name in instances}

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on all instances."""
        return await assistant.run(self._calls, instances, script, name=name, timeout_s=timeout_s)

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """Every task of a few invocations."""
        found = [await assistant.tasks_of(self._calls, name) for name in open_tasks]
        return [_state(task) for tasks in found for task in tasks]

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script on some instances."""
        await assistant.stop(self._calls, invocation, instances)


def _state(task: Task) -> TaskState:
    return TaskState(
        invocation=task.invoke_id,
        instance=task.instance_id,
        status=status_of(task),
        result=None if task.invocation_status in _UNFINISHED else outcome(task),
    )


def unfit(agent: Agent | None) -> TransportError | None:
    """Why an instance cannot be asked; ``None`` when it seems that it can."""
    if agent is None:
        return TransportError(
            "connect",
            say("there is no such instance"),
            say("check id, region and account"),
        )
    if (agent.os_type or "Windows").lower() != "windows":
        return other_system(agent.os_type or "")
    if (agent.cloud_assistant_status or "").lower() == "true":
        return None
    beat = one_line(agent.last_heartbeat_time or "never", 40)
    return TransportError(
        "connect",
        say("the Cloud Assistant agent is not online (last heartbeat {beat})", beat=beat),
        _SERVICE,
    )


def outcome(task: Task) -> TaskOutput | TransportError:
    """What a finished task brought.  Standard output and errors come through one pipe."""
    if task.invocation_status in _ENDED:
        try:
            stdout = base64.b64decode(task.output or "", validate=True)
        except (binascii.Error, ValueError):
            return TransportError("protocol", say("the output of the task is not Base64"))
        if NOT_ARRIVED in stdout:
            return TransportError(
                "connect",
                say(
                    "the script's file did not arrive within {seconds} s",
                    seconds=assistant.WAIT_S,
                ),
                _SERVICE,
            )
        return TaskOutput(stdout, b"", task.exit_code, task.dropped or 0)
    return error_of_end(_ENDS.get(task.invocation_status), status_of(task))


def status_of(task: Task) -> str:
    """Where a task stands, in the API's own words."""
    said = (task.invocation_status, task.error_code, task.error_info)
    return one_line(": ".join(word for word in said if word))
