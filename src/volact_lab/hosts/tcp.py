"""A TCP listener on a free loopback port that really goes away when stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from volact_lab.listening import Port, stop_accepting


class TcpListener:
    """Listens, and remembers its connections so that none outlives it."""

    def __init__(self) -> None:
        self.connections: set[asyncio.Transport] = set()
        self._server: asyncio.Server | None = None
        self._port: Port | None = None

    async def start(self, factory: Callable[[], asyncio.Protocol]) -> int:
        """Listen on a free loopback port, on the same again after a pause, and return it."""
        loop = asyncio.get_running_loop()
        self._port = self._port or Port()
        self._server = await loop.create_server(factory, sock=self._port.socket())
        return self._port.number

    async def pause(self) -> None:
        """Close the listener and every connection; the port stays its own."""
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server)
        for transport in tuple(self.connections):
            transport.abort()
        await asyncio.sleep(0)  # let the transports tell their protocols

    async def stop(self) -> None:
        """The same, for good."""
        await self.pause()
        if self._port is not None:
            self._port.release()
            self._port = None


class Connection(asyncio.Protocol):
    """One connection of a listener: ``received`` gets all bytes not yet consumed."""

    def __init__(self, listener: TcpListener) -> None:
        self._listener = listener
        self.data = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the connection."""
        # An event loop need not derive its transports from the documented class.
        self.transport = cast(asyncio.Transport, transport)
        self._listener.connections.add(self.transport)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Forget the connection."""
        if self.transport:
            self._listener.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        """Answer, wait for more (``b""``) or hang up (None)."""
        assert self.transport is not None
        self.data += data
        answer = self.received()
        if answer is None:
            self.transport.close()
        elif answer:
            self.transport.write(answer)

    def received(self) -> bytes | None:
        """What to send for ``self.data``, which is to be cut by what was consumed."""
        raise LookupError("a connection needs to say what it answers")
