"""How a task ends that brings no output: what clouds share of it.  Pure."""

from __future__ import annotations

from volact.cloud.failures import Meaning
from volact.errors import TransportError, one_line
from volact.model.text import say

OUT_OF_TIME = Meaning(
    "timeout",
    say("the script did not end in time and was ended"),
    say("raise --deadline, or look at what the server's processes wait for"),
)
UNSTARTED = Meaning("connect", say("the script was cancelled before it started"))
STOPPED = Meaning("agent", say("the script was ended while it ran"))


def undelivered(hint: str) -> Meaning:
    """The script did not reach the agent."""
    return Meaning("connect", say("the script could not be delivered"), hint)


def other_system(name: str) -> TransportError:
    """The instance runs another system than Windows."""
    told = say("the instance runs {platform_type}", platform_type=one_line(name, 40))
    return TransportError("agent", told)


def error_of_end(end: Meaning | None, status: str) -> TransportError:
    """The error of an end, ``None`` for one that is not known, and the API's own words."""
    what = one_line(status)
    if end is None:
        return TransportError(
            "protocol", say("the task ended in a way that is not known: {what}", what=what)
        )
    return TransportError(
        end.kind, say("{message} ({hint})", message=end.words, hint=what), end.hint
    )
