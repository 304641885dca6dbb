"""One script for one instance, from being requested to its result."""

from __future__ import annotations

import asyncio
import math

from volact.cloud.base import ApiError, CommandLimits, TaskOutput, TaskState
from volact.errors import TransportError
from volact.model.text import Text, raw, say
from volact.transports.base import Raw
from volact.transports.run_command.gather import PendingResult


class CommandInvocation(PendingResult[str, Raw]):
    """``value`` is the instance's id.

    ``sent`` is set once it is known whether the cloud has taken the script
    on; then ``id`` is the id of that, ``""`` when it has not.
    """

    def __init__(self, instance: str, *, name: str, time_s: float) -> None:
        super().__init__(instance)
        self.name = name
        self.id = ""
        self.asked = 0.0
        self.task: TaskState | None = None
        self.trouble: ApiError | None = None  # of the last poll
        self.given_up = False
        self.sent = asyncio.Event()
        self._until = asyncio.get_running_loop().time() + time_s

    def refuse(self, error: ApiError) -> None:
        """The cloud has not taken the script on."""
        self.set(error)
        self.sent.set()

    @property
    def over(self) -> bool:
        """Whether nothing of it can be running in the cloud."""
        if self.task is not None:
            return self.task.result is not None
        return self.sent.is_set() and not self.id

    @property
    def status(self) -> str:
        """Where it stands, in the cloud's words."""
        return "not begun" if self.task is None else self.task.status

    def left_s(self, longest_s: int) -> int:
        """How long the cloud may let it run: what is left of its time, in its terms."""
        left = self._until - asyncio.get_running_loop().time()
        return min(longest_s, max(1, math.ceil(left)))


def script_refusal(script: bytes, limits: CommandLimits) -> TransportError | None:
    """Why a script cannot travel, ``None`` when it can."""
    size = limits.script_size(script)
    if size <= limits.script_bytes:
        return None
    form = " (Base64)" if limits.script_in_base64 else ""
    return TransportError(
        "protocol",
        say(
            "the script is {size} bytes{form}, more than {service}'s {most}",
            size=size,
            form=form,
            service=limits.service,
            most=limits.script_bytes,
        ),
    )


def raw_of(
    result: TaskOutput | TransportError, limits: CommandLimits, asked: float, answered: float
) -> Raw | TransportError:
    """What a finished task brought; output that is not whole is an error."""
    if isinstance(result, TransportError):
        return result
    if result.dropped or len(result.stdout) > limits.output_bytes:
        dropped = _size(result.dropped) if result.dropped > 0 else say("the rest")
        return TransportError(
            "protocol",
            say(
                "the answer is truncated: {service} keeps {kept} of output and dropped {dropped}",
                service=limits.service,
                kept=_size(limits.output_bytes),
                dropped=dropped,
            ),
        )
    return Raw(result.stdout, result.stderr, result.exit_status, asked, answered)


def _size(number: int) -> Text:
    return say("{n} bytes", n=number) if number % 1024 else raw(f"{number // 1024} KB")
