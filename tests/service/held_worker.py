"""A worker process with any version of the engine, to which no answer about steps comes.

What it sends is executed; it waits for the answer until it is killed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

import patient_worker

from volact.inventory import Inventory
from volact.model.server import Server
from volact.service.engine.live_run import opener_of
from volact.transports.base import Opener, Raw, Transport


class _Held:
    """A connection whose second script has no answer: the first one is the probe."""

    def __init__(self, transport: Transport, scripts: Counter[str], server: str) -> None:
        self._transport = transport
        self._scripts = scripts
        self._server = server

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        raw = await self._transport.run(script, name=name, deadline_s=deadline_s)
        self._scripts[self._server] += 1
        if self._scripts[self._server] > 1:
            await asyncio.Event().wait()
        return raw

    async def close(self) -> None:
        await self._transport.close()


def held_opener(inventory: Inventory) -> Opener:
    real, scripts = opener_of(inventory), Counter[str]()

    @asynccontextmanager
    async def opener(server: Server) -> AsyncIterator[Transport]:
        async with real(server) as transport:
            yield _Held(transport, scripts, server.name)

    return opener


def main(words: Sequence[str]) -> NoReturn:
    patient_worker.main(words, held_opener)
