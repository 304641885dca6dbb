"""What the end of a task means: output to be read, or an error kind.  Pure.

The API's own words are kept: the cloud's console shows the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from volact.cloud.base import TaskOutput
from volact.cloud.ends import OUT_OF_TIME, STOPPED, UNSTARTED, End, error_of_end, undelivered
from volact.cloud.tencent.tat import Agent, Task
from volact.errors import TransportError, one_line
from volact.model.text import say

UNFINISHED = frozenset({"PENDING", "DELIVERING", "DELIVER_DELAYED", "RUNNING", "CANCELLING"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"SUCCESS", "FAILED"})
_ENDS: Mapping[str, End] = {
    "DELIVER_FAILED": undelivered(say("is the service tatsvc running there?")),
    "START_FAILED": End("agent", say("the TAT agent could not start the script")),
    "TIMEOUT": OUT_OF_TIME,
    "TASK_TIMEOUT": End(
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
