"""A gate between a client and one simulated server, which can break what passes.

It listens on the port that clients know and carries bytes to the server's own
port and back.  Stages in clear it sees itself; the server reports the others
(``reached``), and the gate does there and then what its trouble demands.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

from volact_lab.listening import StreamListener
from volact_lab.trouble.kinds import Act, Stage, Trouble
from volact_lab.trouble.watch import Watch

_CHUNK = 65536
_SLOW_S = 1.0
_FLOOD = b"volact lab: a line before the version, and no end of them\r\n" * 64


class Gate:
    """One server's gate.  ``trouble`` may be set and lifted at any time."""

    def __init__(self, backend: int, *, ssh: bool = True) -> None:
        self.backend = backend
        self.port = 0
        self.trouble: Trouble | None = None
        self._ssh = ssh
        self._listener = StreamListener(self._connected)
        self._pipes: dict[int, _Pipe] = {}  # by the port that the server sees

    async def open(self) -> None:
        """Listen; on the same port as before when it was closed meanwhile."""
        self.port = await self._listener.start()

    async def close(self) -> None:
        """Stop listening and end every connection, as a server that goes down."""
        await self._listener.pause()

    async def stop(self) -> None:
        """Close for good: the port is free for others."""
        await self._listener.stop()

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return self._listener.connections

    def reached(self, stage: Stage, peer: int) -> Act | None:
        """The server reports that a connection of its is at a stage: what happens there.

        ``peer`` is the port that the server sees at the other end.  What the
        gate can do to the bytes is done already; the rest is the server's.
        """
        trouble, pipe = self.trouble, self._pipes.get(peer)
        if trouble is None or pipe is None or not trouble.strikes(stage):
            return None
        pipe.suffer(trouble.act, trouble.seed)
        return trouble.act

    def refuses(self, stage: Stage) -> bool:
        """Whether a stage is one that is denied, before it is known whose connection it is."""
        trouble = self.trouble
        return trouble is not None and trouble.act == "deny" and trouble.strikes(stage)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        trouble = self.trouble
        if trouble is not None and trouble.strikes("accept"):
            await _greeted(trouble, reader, writer)
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.backend)
        peer = int(far_writer.get_extra_info("sockname")[1])
        pipe = _Pipe(self, (reader, writer), (far_reader, far_writer), watch=self._ssh)
        self._pipes[peer] = pipe
        try:
            await pipe.run()
        finally:
            del self._pipes[peer]
            far_writer.transport.abort()
            with contextlib.suppress(OSError):
                await far_writer.wait_closed()

    def passing(self, stage: Stage) -> Trouble | None:
        """The trouble that strikes a stage in clear."""
        trouble = self.trouble
        return trouble if trouble is not None and trouble.strikes(stage) else None


async def _greeted(
    trouble: Trouble, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """A connection that was accepted, with nothing behind it."""
    if trouble.act == "drop":
        return
    if trouble.act == "garbage":
        writer.write(random.Random(trouble.seed).randbytes(400))
        await writer.drain()
    await reader.read()  # until the client has enough
    while await reader.read(_CHUNK):
        pass


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Pipe:
    """One connection through a gate."""

    def __init__(self, gate: Gate, near: Ends, far: Ends, *, watch: bool) -> None:
        self._gate = gate
        self._near = near
        self._far = far
        self._watch = Watch() if watch else None
        self._act: Act | None = None
        self._chance = random.Random()

    async def run(self) -> None:
        """Carry bytes until both sides are done, or one is gone."""
        ways = [asyncio.ensure_future(self._there()), asyncio.ensure_future(self._back())]
        try:
            # In a hang the direction to the client never ends: the client closes.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def suffer(self, act: Act, seed: int) -> None:
        """From now on."""
        self._act = act
        self._chance = random.Random(seed)
        if act == "drop":
            self._near[1].transport.abort()
            self._far[1].transport.abort()
        elif act == "garbage":
            with contextlib.suppress(OSError):
                self._near[1].write(self._chance.randbytes(600))

    async def _there(self) -> None:
        """From the client to the server."""
        while data := await self._near[0].read(_CHUNK):
            if self._act != "hang":
                self._far[1].write(data)
                await self._far[1].drain()

    async def _back(self) -> None:
        """From the server to the client."""
        while data := await self._far[0].read(_CHUNK):
            if self._act == "hang":
                continue
            if self._watch is None or self._watch.encrypted:
                await self._send(data)
                continue
            for stage, piece in self._watch.pieces(data):
                await self._pass(stage, piece)
        if self._act == "hang":
            await asyncio.Event().wait()

    async def _pass(self, stage: Stage | None, piece: bytes) -> None:
        trouble = self._gate.passing(stage) if stage else None
        if trouble is None:
            if self._act != "hang":
                await self._send(piece)
            return
        if trouble.act == "flood":
            await self._flood()
        half = piece if stage == "new-keys" else piece[: len(piece) // 2]
        await self._send(half)
        await asyncio.sleep(0)
        self.suffer(trouble.act, trouble.seed)
        if trouble.act == "slow":
            await self._send(piece[len(half) :])

    async def _flood(self) -> None:
        """Lines without end, until the client has enough."""
        while True:
            self._near[1].write(_FLOOD)
            await self._near[1].drain()

    async def _send(self, data: bytes) -> None:
        writer = self._near[1]
        if self._act != "slow":
            writer.write(data)
            await writer.drain()
            return
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(_SLOW_S)
