"""TAT as a ``RunCommand``: whether instances are ready, what is started, what came of it.

Of a task's end the API's own words are kept: the cloud's console shows the same.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from contextlib import suppress

from volact.cloud.base import ApiError, CommandLimits, TaskOutput, TaskState
from volact.cloud.batches import split_failing
from volact.cloud.ends import OUT_OF_TIME, STOPPED, UNSTARTED, error_of_end, undelivered
from volact.cloud.failures import Meaning
from volact.cloud.tencent import cvm, tat
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.tat import Agent, Task
from volact.errors import TransportError, one_line
from volact.model.text import say

UNFINISHED = frozenset({"PENDING", "DELIVERING", "DELIVER_DELAYED", "RUNNING", "CANCELLING"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"SUCCESS", "FAILED"})
_ENDS: Mapping[str, Meaning] = {
    "DELIVER_FAILED": undelivered(say("is the service tatsvc running there?")),
    "START_FAILED": Meaning("agent", say("the TAT agent could not start the script")),
    "TIMEOUT": OUT_OF_TIME,
    "TASK_TIMEOUT": Meaning(
        "timeout",
        say("the TAT agent fell silent"),
        say("did the server restart, or its service tatsvc? look again with check"),
    ),
    "CANCELLED": UNSTARTED,
    "TERMINATED": STOPPED,
}


def finished(task: Task) -> bool:
    """Whether nothing more will happen to a task."""
    return task.task_status not in UNFINISHED


def outcome(task: Task) -> TaskOutput | TransportError:
    """What a finished task brought."""
    if task.task_status in _ENDED:
        return _output(task)
    return error_of_end(_ENDS.get(task.task_status), status_of(task))


def status_of(task: Task) -> str:
    """Where a task stands, in the API's own words."""
    return one_line(": ".join(word for word in (task.task_status, task.error_info) if word))


def unfit(agent: Agent | None, state: str | None) -> TransportError | None:
    """Why an instance cannot be asked; ``None`` when it seems that it can.

    ``state`` is ``None`` where it is not known.
    """
    if state is not None and state != "RUNNING":
        told = one_line(state, 40) or "unknown"
        return TransportError(
            "connect", say("the instance is not running (its state is {told})", told=told)
        )
    if agent is None:
        return TransportError(
            "connect",
            say("no TAT agent is known on the instance"),
            say("check id and region; install the agent, or reach the server by ssh"),
        )
    if agent.environment == "Linux":
        return TransportError("agent", say("the instance is a Linux server"))
    if agent.agent_status == "Online":
        return None
    status = one_line(agent.agent_status or "unknown", 40)
    beat = one_line(agent.last_heartbeat_time or "never", 40)
    return TransportError(
        "connect",
        say("the TAT agent is {status} (last heartbeat {beat})", status=status, beat=beat),
        say("is the server up, and its service tatsvc running?"),
    )


def _output(task: Task) -> TaskOutput | TransportError:
    result = task.task_result
    if result is None or result.output is None:
        return TransportError(
            "protocol", say("the task brought no output ({status})", status=status_of(task))
        )
    try:
        stdout = base64.b64decode(result.output, validate=True)
    except (binascii.Error, ValueError):
        return TransportError("protocol", say("the output of the task is not Base64"))
    # Standard output and standard error come through one pipe.
    return TaskOutput(stdout, b"", result.exit_code, result.dropped or 0)


LIMITS = CommandLimits(
    service="TAT",
    start_batch=tat.MAX_INSTANCES,
    readiness_batch=tat.MAX_IDS,
    cancel_batch=tat.MAX_IDS,
    invocations_per_poll=tat.MAX_FILTER_VALUES,
    tasks_per_poll=tat.MAX_IDS,
    script_bytes=tat.MAX_CONTENT,
    script_in_base64=True,
    output_bytes=tat.MAX_OUTPUT,
    longest_s=tat.MAX_TIMEOUT_S,
)
# The state of an instance only explains why its agent is not there.
_STATES_S = 10.0
_CVM = "ins"


class TatCommand:
    """The run-command of one region; fulfils ``cloud.base.RunCommand``."""

    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._may_list = True

    def group(self, instance: str) -> str:
        """``ins``, ``lhins``, ...: CVM and Lighthouse may not be mixed."""
        return instance.partition("-")[0]

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether the instances run and their agents are online."""
        agents: dict[str, tat.Agent] = {}
        refused: dict[str, ApiError] = {}

        async def ask(some: Sequence[str]) -> None:
            agents.update(await tat.agents(self._calls, some))

        asking = split_failing(instances, ask, refused.__setitem__)
        states, _ = await asyncio.gather(self._states(instances), asking)
        return {
            name: refused.get(name) or unfit(agents.get(name), states.get(name))
            for name in instances
        }

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on all instances."""
        return await tat.run_command(self._calls, instances, script, name=name, timeout_s=timeout_s)

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """Every task of a few invocations."""
        return [_state(task) for task in await tat.tasks_of(self._calls, tuple(open_tasks))]

    async def tasks(self, ids: Sequence[str]) -> Sequence[TaskState]:
        """Tasks by their ids."""
        return [_state(task) for task in await tat.tasks(self._calls, ids)]

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script on some instances."""
        await tat.cancel(self._calls, invocation, instances)

    async def _states(self, instances: Sequence[str]) -> dict[str, str]:
        """The states of CVM instances, as far as these credentials may know them.

        Credentials that may run commands need not be allowed to list
        instances, so no answer is no reason to stop.
        """
        states: dict[str, str] = {}

        async def ask(some: Sequence[str]) -> None:
            try:
                states.update(await cvm.states(self._calls, some))
            except ApiError as error:
                if error.kind != "auth":
                    raise
                self._may_list = False

        if self._may_list and instances and self.group(instances[0]) == _CVM:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STATES_S):
                    await split_failing(instances, ask, lambda _name, _error: None)
        return states


def _state(task: tat.Task) -> TaskState:
    return TaskState(
        invocation=task.invocation_id,
        instance=task.instance_id,
        id=task.invocation_task_id,
        status=status_of(task),
        result=outcome(task) if finished(task) else None,
    )
