"""One region of one account: who is there, what is sent together, what came of it.

ready    is the instance running, its agent online?  100 in a call
send     equal scripts go out together, 200 in a call; a bad one costs itself
give_up  what nobody waits for any more is cancelled, 100 in a call
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from volact.cloud.tencent import cvm, tat
from volact.cloud.tencent.calls import Calls
from volact.cloud.tencent.failures import ApiError
from volact.errors import TransportError
from volact.transports.tat.bisect import bisect
from volact.transports.tat.errand import Errand
from volact.transports.tat.gather import Gatherer, Wanted
from volact.transports.tat.outcome import unfit
from volact.transports.tat.poller import Poller, Rhythm


class Timing(msgspec.Struct, frozen=True):
    """How long another one is waited for, and when results are looked for."""

    window_s: float = 0.2
    rhythm: Rhythm = Rhythm()


class _Batch(msgspec.Struct, frozen=True):
    """What instances must have in common to be asked in one call."""

    kind: str  # ins, lhins, ...: CVM and Lighthouse may not be mixed
    script: bytes


Standing = Wanted[str, None]
# What only explains is not waited for any longer.
_STATES_S = 10.0


class Region:
    """Everything that is asked of one region."""

    def __init__(
        self, calls: Calls, timing: Timing, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._may_list = True
        self._poller = Poller(calls, timing.rhythm, clock=clock)
        window = timing.window_s
        self._standings = Gatherer[str, Standing](self._look, window_s=window, most=tat.MAX_IDS)
        self._batches = Gatherer[_Batch, Errand](
            self._send, window_s=window, most=tat.MAX_INSTANCES
        )
        self._cancels = Gatherer[str, Wanted[Errand, None]](
            self._cancel, window_s=window / 4, most=tat.MAX_IDS
        )

    async def ready(self, instance: str) -> None:
        """``TransportError`` when the instance cannot be asked."""
        standing = Standing(instance)
        self._standings.add(_kind(instance), standing)
        await standing.result()

    def send(self, errand: Errand, script: bytes) -> None:
        """Take an errand on; its result comes to it."""
        self._batches.add(_Batch(_kind(errand.value), script), errand)

    async def give_up(self, errand: Errand) -> None:
        """See to it that a script nobody waits for does not go on."""
        errand.given_up = True
        await errand.sent.wait()
        if errand.invocation:
            wanted = Wanted[Errand, None](errand)
            self._cancels.add(errand.invocation, wanted)
            await wanted.result()

    async def _look(self, kind: str, standings: Sequence[Standing]) -> None:
        """Whether instances of one kind can be asked, in as few calls as there may be."""
        names = tuple(dict.fromkeys(standing.value for standing in standings))
        agents: dict[str, tat.Agent] = {}
        refused: dict[str, ApiError] = {}

        async def ask(some: Sequence[str]) -> None:
            agents.update(await tat.agents(self._calls, some))

        looks = bisect(names, ask, refused.__setitem__)
        states, _ = await asyncio.gather(self._states(kind, names), looks)
        for standing in standings:
            name = standing.value
            standing.settle(refused.get(name) or unfit(agents.get(name), states.get(name)))

    async def _states(self, kind: str, names: Sequence[str]) -> dict[str, str]:
        """The states of CVM instances, as far as these credentials may know them.

        They explain an agent that is not there.  Who may run commands need not
        be allowed to list instances, so no answer is no reason to stop.
        """
        states: dict[str, str] = {}

        async def ask(some: Sequence[str]) -> None:
            try:
                states.update(await cvm.states(self._calls, some))
            except ApiError as error:
                if error.kind != "auth":
                    raise
                self._may_list = False

        if kind == "ins" and self._may_list:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STATES_S):
                    await bisect(names, ask, lambda _name, _error: None)
        return states

    async def _send(self, batch: _Batch, errands: Sequence[Errand]) -> None:
        """Send one script to all; an instance that is there twice waits for its turn."""
        wanted = [errand for errand in errands if not errand.given_up]
        first = {errand.value: errand for errand in reversed(wanted)}
        later = [errand for errand in wanted if first[errand.value] is not errand]
        try:
            if first:
                await bisect(
                    tuple(first.values()),
                    lambda some: self._start(some, batch.script),
                    Errand.refuse,
                )
        finally:
            for errand in errands:
                if errand not in later:
                    errand.sent.set()
        for errand in later:
            self._batches.add(batch, errand)

    async def _start(self, errands: Sequence[Errand], script: bytes) -> None:
        asked = self._clock()
        invocation = await tat.run_command(
            self._calls,
            [errand.value for errand in errands],
            script,
            name=errands[0].name,
            timeout_s=max(errand.left_s for errand in errands),
        )
        for errand in errands:
            errand.invocation, errand.asked = invocation, asked
            errand.sent.set()
        self._poller.watch(invocation, errands)

    async def _cancel(self, invocation: str, wanted: Sequence[Wanted[Errand, None]]) -> None:
        async def ask(some: Sequence[Wanted[Errand, None]]) -> None:
            await tat.cancel(self._calls, invocation, [item.value.value for item in some])

        # One that has ended meanwhile needs no cancelling.
        await bisect(wanted, ask, lambda item, error: item.settle(error))
        for item in wanted:
            item.settle(None)


def _kind(instance: str) -> str:
    return instance.partition("-")[0]


def too_long(script: bytes) -> TransportError | None:
    """Why a script cannot travel."""
    size = -(-len(script) // 3) * 4
    if size <= tat.MAX_CONTENT:
        return None
    return TransportError(
        "protocol", f"the script is {size} bytes in Base64, more than TAT's {tat.MAX_CONTENT}"
    )
