"""SSM as a ``RunCommand``: whether instances are ready, what is started, what came of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence

from volact.cloud.aws import ssm
from volact.cloud.aws.calls import Calls
from volact.cloud.base import ApiError, CommandLimits, RunCommand, TaskOutput, TaskState
from volact.cloud.ends import OUT_OF_TIME, UNSTARTED, error_of_end, other_system, undelivered
from volact.cloud.failures import Meaning
from volact.errors import TransportError, one_line
from volact.model.text import say

LIMITS = CommandLimits(
    service="SSM",
    start_batch=ssm.MAX_INSTANCES,
    readiness_batch=ssm.PAGE,
    cancel_batch=ssm.MAX_INSTANCES,
    invocations_per_poll=1,
    script_bytes=48 * 1024,  # before it is packed; a document may have 64 KB
    output_bytes=ssm.MAX_OUTPUT,
    longest_s=ssm.LONGEST_S,
)
_UNFINISHED = frozenset({"Pending", "InProgress", "Delayed", "Cancelling"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"Success", "Failed"})
# The details of those states where there is a script's end: ``Failed`` has others, too.
_ENDED_SO = frozenset({"", "Success", "Failed"})
# What the agent writes at the end of what it has cut: two dashes in the output of one plugin,
# three in that of a whole command (amazon-ssm-agent, runpluginutil and iohandler).
_CUT = re.compile(r"-{2,3}output truncated-{2,3}\s*\Z", re.IGNORECASE)

_UNDELIVERED = undelivered(say("is the service AmazonSSMAgent running?"))
# By the details of the status; the console shows the same words.
_ENDS: Mapping[str, Meaning] = {
    "Delivery Timed Out": _UNDELIVERED,
    "Undeliverable": _UNDELIVERED,
    "Execution Timed Out": OUT_OF_TIME,
    "Cancelled": Meaning("connect", say("the script was cancelled")),
    "Terminated": UNSTARTED,
    "Access Denied": Meaning("auth", say("the credentials may not do this")),
    "Invalid Platform": Meaning("agent", say("the instance is no Windows server")),
}


class SsmCommand(RunCommand):
    """The run-command of one region."""

    limits = LIMITS

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    async def readiness(self, instances: Sequence[str]) -> Mapping[str, TransportError | None]:
        """Whether the agents of instances are online."""
        agents = await ssm.agents(self._calls, instances)
        return {name: unfit(agents.get(name)) for name in instances}

    async def start(
        self, instances: Sequence[str], script: bytes, *, name: str, timeout_s: int
    ) -> str:
        """Start a ``.bat`` on all instances."""
        return await ssm.send_command(
            self._calls, instances, script, name=name, timeout_s=timeout_s
        )

    async def tasks_of(self, open_tasks: Mapping[str, Sequence[str]]) -> Sequence[TaskState]:
        """Every task of a few commands; outputs are fetched of those that are awaited."""
        states: list[TaskState] = []
        for command, instances in open_tasks.items():
            tasks = await ssm.tasks_of(self._calls, command)
            awaited = [task for task in tasks if task.instance_id in set(instances)]
            states += await asyncio.gather(*map(self._state, awaited))
        return states

    async def cancel(self, invocation: str, instances: Sequence[str]) -> None:
        """End a script on some instances."""
        await ssm.cancel(self._calls, invocation, instances)

    async def _state(self, task: ssm.Task) -> TaskState:
        result: TaskOutput | TransportError | None = None
        if task.status in _ENDED and (task.status_details or "") in _ENDED_SO:
            try:
                got = await ssm.output_of(self._calls, task)
                # A list may be ahead of the output, which is empty until then.
                result = None if got.status in _UNFINISHED else output(got)
            except ApiError as error:
                # The next poll asks again where that may help.
                result = error if error.again == "never" else None
        elif task.status not in _UNFINISHED:
            result = ended(task)
        return TaskState(
            invocation=task.command_id,
            instance=task.instance_id,
            status=status_of(task),
            result=result,
        )


def unfit(agent: ssm.Agent | None) -> TransportError | None:
    """Why an instance cannot be asked; ``None`` when it seems that it can."""
    if agent is None:
        return TransportError(
            "connect",
            say("no SSM agent is known on the instance"),
            say(
                "check id and region; does it run, with the SSM agent and an instance role for SSM?"
            ),
        )
    if agent.platform_type not in (None, "Windows"):
        return other_system(agent.platform_type)
    if agent.ping_status == "Online":
        return None
    status = one_line(agent.ping_status or "unknown", 40)
    return TransportError(
        "connect",
        say(
            "the SSM agent is {status} (last ping {what})",
            status=status,
            what=agent.last_ping_date_time or "never",
        ),
        say("is the server up, and its service AmazonSSMAgent running?"),
    )


def output(got: ssm.Output) -> TaskOutput:
    """What a script wrote.  How much the agent has cut it does not say."""
    text = got.standard_output_content or ""
    cut = _CUT.search(text) is not None or len(text) > ssm.MAX_OUTPUT
    # Text that no encoding takes is what JSON can hold.
    stdout, stderr = (
        said.encode("utf-8", "replace") for said in (text, got.standard_error_content or "")
    )
    return TaskOutput(stdout, stderr, got.response_code, -1 if cut else 0)


def ended(task: ssm.Task) -> TransportError:
    """What the end of a task means that brought no output."""
    end = _ENDS.get((task.status_details or "").strip()) or _ENDS.get(_spaced(task))
    return error_of_end(end, status_of(task))


def _spaced(task: ssm.Task) -> str:
    """``DeliveryTimedOut``, which some answers have, as the documentation writes it."""
    text = task.status_details or task.status
    return "".join(f" {c}" if c.isupper() and i else c for i, c in enumerate(text))


def status_of(task: ssm.Task) -> str:
    """Where a task stands, in the API's own words."""
    return one_line(task.status_details or task.status, 60)
