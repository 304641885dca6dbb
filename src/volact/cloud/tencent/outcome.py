"""What the end of a task means: output to be read, or an error kind.  Pure.

The API's own words are kept: the cloud's console shows the same.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec

from volact.cloud.base import TaskOutput
from volact.cloud.tencent.tat import Agent, Task
from volact.errors import ErrorKind, TransportError, one_line
from volact.model.text import say

UNFINISHED = frozenset({"PENDING", "DELIVERING", "DELIVER_DELAYED", "RUNNING", "CANCELLING"})
# The script ran to its end.  Its output shows whether it answered; the two
# states differ in its exit code alone.
_ENDED = frozenset({"SUCCESS", "FAILED"})


class _End(msgspec.Struct, frozen=True):
    """How a task ended otherwise."""

    kind: ErrorKind
    words: str
    hint: str = ""


_ENDS: Mapping[str, _End] = {
    "DELIVER_FAILED": _End(
        "connect",
        say("the script could not be delivered"),
        say("is the service tatsvc running there?"),
    ),
    "START_FAILED": _End("agent", say("the TAT agent could not start the script")),
    "TIMEOUT": _End(
        "timeout",
        say("the script did not end in time and was ended"),
        say("raise --deadline, or look at what the server's processes wait for"),
    ),
    "TASK_TIMEOUT": _End(
        "timeout",
        say("the TAT agent fell silent"),
        say("did the server restart, or its service tatsvc? look again with check"),
    ),
    "CANCELLED": _End("connect", say("the script was cancelled before it started")),
    "TERMINATED": _End("agent", say("the script was ended while it ran")),
}


def finished(task: Task) -> bool:
    """Whether nothing more will happen to a task."""
    return task.task_status not in UNFINISHED


def outcome(task: Task) -> TaskOutput | TransportError:
    """What a finished task brought."""
    if task.task_status in _ENDED:
        return _output(task)
    end = _ENDS.get(task.task_status)
    if end is None:
        status = one_line(task.task_status, 40)
        return TransportError(
            "protocol", say("the task ended in a way that is not known: {status}", status=status)
        )
    return TransportError(
        end.kind, say("{message} ({hint})", message=end.words, hint=status_of(task)), end.hint
    )


def status_of(task: Task) -> str:
    """Where a task stands, in the API's own words."""
    info = one_line(task.error_info or "")
    return f"{task.task_status}: {info}" if info else task.task_status


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
