"""One command over an SSH channel: its output as bytes, within bounds.

No decoding: a server's code page is its own affair.  What the output means is
decided in ``volact.agent``.
"""

from __future__ import annotations

import asyncio
import time
from typing import cast

from volact.errors import TransportError
from volact.model.text import say
from volact.transports.base import MAX_OUTPUT, Raw
from volact.transports.ssh_library import asyncssh

_MAX_STDERR = 64 * 1024
# What may be on its way when reading ends.
_WINDOW = 256 * 1024


class _Collector(asyncssh.SSHClientSession[bytes]):
    """Gathers a command's output and reports when its channel is closed."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.answered = 0.0
        self._count = 0  # of both streams
        self.too_much = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """Keep the channel, to be able to close it."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Take output in, up to the bound."""
        self._count += len(data)
        if self._count > MAX_OUTPUT:
            self._end()
        elif datatype == asyncssh.EXTENDED_DATA_STDERR:
            self.stderr += data[: _MAX_STDERR - len(self.stderr)]
        else:
            self.answered = time.time()
            self.stdout += data

    def _end(self) -> None:
        if not self.too_much and self._channel is not None:
            self.too_much = True
            self._channel.abort()

    def eof_received(self) -> bool:
        """The command is done writing; stay open, its exit status comes after."""
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, by either side."""
        if self.closed.done():
            return
        if exc is None:
            self.closed.set_result(None)
        else:
            self.closed.set_exception(exc)
            self.closed.exception()  # retrieved, even where no task waits any more


async def run_command(connection: asyncssh.SSHClientConnection, command: str) -> Raw:
    """Execute one command line with nothing on its standard input."""
    asked = time.time()
    channel, made = await connection.create_session(
        _Collector, command, encoding=None, window=_WINDOW
    )
    session = cast(_Collector, made)
    try:
        # A shell that waits for a line must see that none will come.
        channel.write_eof()
        await session.closed
    finally:
        channel.close()
    if session.too_much:
        raise TransportError(
            "protocol", say("the server wrote more than {limit} bytes", limit=MAX_OUTPUT)
        )
    return Raw(
        stdout=bytes(session.stdout),
        stderr=bytes(session.stderr),
        exit_status=channel.get_exit_status(),
        asked=asked,
        answered=session.answered or time.time(),
    )
