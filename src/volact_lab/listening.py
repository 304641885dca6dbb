"""Listeners of the lab that leave nothing behind when they stop.

A port that is kept during an outage, a listener that serves each connection in
a task, and how a server stops accepting.  What is sent on a connection is the
business of each listener.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

_HOST = "127.0.0.1"
_BACKLOG = 128
# A connection that the event loop has accepted has its transport one turn later,
# its protocol two turns later, and its task runs with the third.
_TURNS_OF_A_NEW_CONNECTION = 3

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class _Socket(Protocol):
    def fileno(self) -> int: ...


class _Server(Protocol):
    @property
    def sockets(self) -> Iterable[_Socket]: ...

    def close(self) -> None: ...


async def stop_accepting(server: _Server) -> None:
    """Close a server; connections that it had accepted by then are complete.

    ``asyncio.Server.close`` alone loses one that is accepted and has no
    transport yet: its socket stays open, known to none of them
    (https://github.com/python/cpython/issues/109564).
    """
    loop = asyncio.get_running_loop()
    for one in server.sockets:
        loop.remove_reader(one.fileno())
    for _ in range(_TURNS_OF_A_NEW_CONNECTION):
        await asyncio.sleep(0)
    server.close()


class Port:
    """A free loopback port that no other program gets, also while nothing listens on it."""

    def __init__(self) -> None:
        self._holder = _shared_socket(0)
        self.number = int(self._holder.getsockname()[1])

    def socket(self) -> socket.socket:
        """A socket bound to the port, for a server to listen on."""
        return _shared_socket(self.number)

    def release(self) -> None:
        """Give the port back."""
        self._holder.close()


def _shared_socket(port: int) -> socket.socket:
    """A bound socket; only sockets of the same user share its port."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((_HOST, port))
    return made


class StreamListener:
    """Serves every connection to one port in a task of its own.

    ``start`` after ``pause`` listens on the same port again; ``stop`` gives the
    port back.  Both end every connection.
    """

    def __init__(self, serve: Serve, *, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._port: Port | None = None
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Future[None], asyncio.StreamWriter] = {}
        self._greeting: set[asyncio.StreamWriter] = set()  # in the handshake of TLS

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def start(self) -> int:
        """Listen, and return the port."""
        self._port = self._port or Port()
        self._server = await asyncio.start_server(
            self._connected, sock=self._port.socket(), backlog=_BACKLOG
        )
        return self._port.number

    async def pause(self) -> None:
        """Stop listening and end every connection, as a server that goes down."""
        server, self._server = self._server, None
        if server is not None:
            await stop_accepting(server)
        await self.hang_up()

    async def hang_up(self) -> None:
        """End every connection, and go on listening."""
        ends = dict(self._open)
        # A writer whose handshake does not end is never told that it is closed.
        whole = [writer for writer in ends.values() if writer not in self._greeting]
        for task, writer in ends.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*ends, return_exceptions=True)
        closed = (writer.wait_closed() for writer in whole)
        await asyncio.gather(*closed, return_exceptions=True)

    async def stop(self) -> None:
        """The same, for good."""
        await self.pause()
        if self._port is not None:
            self._port.release()
            self._port = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Known before its task runs: one that is cancelled before never runs at all.
        task = asyncio.ensure_future(self._handled(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._ended)

    async def _handled(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A connection in its handshake, or in the end of TLS, is one to end too.
        try:
            if self._tls is not None:
                self._greeting.add(writer)
                try:
                    await writer.start_tls(self._tls)
                finally:
                    self._greeting.remove(writer)
            await self._serve(reader, writer)
        finally:
            writer.close()
        await writer.wait_closed()

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._open.pop(task).close()
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, OSError):
            task.get_loop().call_exception_handler(
                {"message": "a connection of the lab failed", "exception": error, "future": task}
            )
