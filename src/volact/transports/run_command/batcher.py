"""One scope of one account: who is ready, what is started together, what came of it.

ready    can a script be started on the instance?  asked for many at once
send     equal scripts are started together; a bad instance costs itself
give_up  what is no longer awaited is cancelled together
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from volact.cloud.base import ApiError, CommandLimits, RunCommand, Timing
from volact.cloud.batches import split_failing
from volact.errors import TransportError
from volact.transports.run_command.gather import Gatherer, PendingResult
from volact.transports.run_command.invocation import CommandInvocation
from volact.transports.run_command.poller import Poller


class _Batch(msgspec.Struct, frozen=True):
    """What instances must have in common to be started in one call."""

    group: str
    script: bytes


Readiness = PendingResult[str, None]
Cancellation = PendingResult[CommandInvocation, None]


class Batcher:
    """Everything that is asked of one scope's run-command.

    Args:
        command: the cloud's run-command.
        timing: instead of what the cloud declares.
        clock: Unix time.
    """

    def __init__(
        self,
        command: RunCommand,
        timing: Timing | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._command = command
        self._clock = clock
        limits, timing = command.limits, timing or command.limits.timing
        window = timing.window_s
        self._poller = Poller(command, timing.poll, clock=clock)
        self._readiness = Gatherer[str, Readiness](
            self._ask_readiness, window_s=window, most=limits.readiness_batch
        )
        self._batches = Gatherer[_Batch, CommandInvocation](
            self._start_batch, window_s=window, most=limits.start_batch
        )
        self._cancels = Gatherer[str, Cancellation](
            self._cancel, window_s=window / 4, most=limits.cancel_batch
        )

    @property
    def limits(self) -> CommandLimits:
        """What the cloud takes in one call."""
        return self._command.limits

    async def ready(self, instance: str) -> None:
        """``TransportError`` when no script can be started on the instance."""
        readiness = Readiness(instance)
        self._readiness.add(self._command.group(instance), readiness)
        await readiness.result()

    def send(self, invocation: CommandInvocation, script: bytes) -> None:
        """Start a script soon; the result comes to the invocation."""
        group = self._command.group(invocation.value)
        self._batches.add(_Batch(group, script), invocation)

    async def give_up(self, invocation: CommandInvocation) -> None:
        """Cancel a script that is no longer awaited."""
        invocation.given_up = True
        await invocation.sent.wait()
        if invocation.id:
            cancellation = Cancellation(invocation)
            self._cancels.add(invocation.id, cancellation)
            await cancellation.result()

    async def _ask_readiness(self, _group: str, asked: Sequence[Readiness]) -> None:
        names = tuple(dict.fromkeys(item.value for item in asked))
        found: dict[str, TransportError | None] = {}

        async def ask(some: Sequence[str]) -> None:
            found.update(await self._command.readiness(some))

        await split_failing(names, ask, found.__setitem__)
        for item in asked:
            item.set(found.get(item.value))

    async def _start_batch(self, batch: _Batch, invocations: Sequence[CommandInvocation]) -> None:
        """Start one script on all; an instance that is there twice waits for its turn."""
        awaited = [item for item in invocations if not item.given_up]
        first = {item.value: item for item in reversed(awaited)}
        later = [item for item in awaited if first[item.value] is not item]
        try:
            if first:
                await split_failing(
                    tuple(first.values()),
                    lambda some: self._start(some, batch.script),
                    CommandInvocation.refuse,
                )
        finally:
            for item in invocations:
                if item not in later:
                    item.sent.set()
        for item in later:
            self._batches.add(batch, item)

    async def _start(self, invocations: Sequence[CommandInvocation], script: bytes) -> None:
        asked = self._clock()
        longest_s = self.limits.longest_s
        id_ = await self._command.start(
            [item.value for item in invocations],
            script,
            name=invocations[0].name,
            timeout_s=max(item.left_s(longest_s) for item in invocations),
        )
        for item in invocations:
            item.id, item.asked = id_, asked
            item.sent.set()
        self._poller.watch(id_, invocations)

    async def _cancel(self, id_: str, cancellations: Sequence[Cancellation]) -> None:
        async def ask(some: Sequence[Cancellation]) -> None:
            await self._command.cancel(id_, [item.value.value for item in some])

        def fail(item: Cancellation, error: ApiError) -> None:
            item.set(error)  # one that has ended meanwhile needs no cancelling

        await split_failing(cancellations, ask, fail)
        for item in cancellations:
            item.set(None)
