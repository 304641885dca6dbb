"""A run-command as a transport: one instance, and what it shares with others of its scope."""

from __future__ import annotations

import asyncio

from volact.errors import TransportError
from volact.model.text import say
from volact.transports.base import Raw, SharedScript
from volact.transports.run_command.batcher import Batcher
from volact.transports.run_command.gather import Background
from volact.transports.run_command.invocation import CommandInvocation, script_refusal

# How long cancelling may take beyond a deadline.
_GRACE_S = 5.0


class RunCommandTransport(SharedScript):
    """The transport to one instance.  There is no connection: nothing is to be closed.

    Args:
        batcher: of the scope that the instance is in.
        instance: its id.
        salt: the same for all servers of a run.
    """

    def __init__(self, batcher: Batcher, instance: str, salt: str) -> None:
        self.salt = salt
        self._batcher = batcher
        self._instance = instance
        self._background = Background()

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Have the script run once, together with equal ones for other instances."""
        refusal = script_refusal(script, self._batcher.limits)
        if refusal is not None:
            raise refusal
        invocation = CommandInvocation(self._instance, name=name, time_s=deadline_s)
        self._batcher.send(invocation, script)
        try:
            async with asyncio.timeout(deadline_s):
                return await invocation.result()
        except TimeoutError as error:
            raise _late(invocation, deadline_s) from error
        finally:
            if not invocation.over:
                await self._end(invocation)

    async def close(self) -> None:
        """Nothing is open."""

    async def _end(self, invocation: CommandInvocation) -> None:
        """Cancel what is left; it goes on by itself when it takes too long."""
        ending = self._background.run(self._batcher.give_up(invocation))
        await asyncio.wait({ending}, timeout=_GRACE_S)
        if ending.done() and not ending.cancelled():
            # Not being able to cancel changes nothing about the result.
            ending.exception()


def _late(invocation: CommandInvocation, deadline_s: float) -> TransportError:
    trouble = invocation.trouble
    last = (
        say("; the last look at it failed: {message}", message=trouble.message) if trouble else ""
    )
    return TransportError(
        "timeout",
        say(
            "the server did not finish within {seconds} s (the task is {status}){last}",
            seconds=f"{deadline_s:.3g}",
            status=invocation.status,
            last=last,
        ),
        say("raise --deadline, or find out what its processes wait for"),
    )
