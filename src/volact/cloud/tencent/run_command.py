"""TAT as a ``RunCommand``: whether instances are ready, what is started, what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from volact.cloud.base import ApiError, CommandLimits, TaskState
from volact.cloud.batches import split_failing
from volact.cloud.tencent import cvm, tat
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.outcome import finished, outcome, status_of, unfit
from volact.errors import TransportError

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
