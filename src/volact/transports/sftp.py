"""Just enough of SFTP to put one file there, with nothing waited for in between.

asyncssh has a whole SFTP client; it waits for an answer after each step and
costs a task and a dozen objects for each.  Here the requests of version 3 (the
one that OpenSSH speaks) are written in a row and their answers awaited
together.  What is done after a failure is left to asyncssh's client.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import cast

from volact.errors import one_line
from volact.model.text import say
from volact.transports.ssh_library import asyncssh

# Packet types of draft-ietf-secsh-filexfer-02, which is version 3.
_INIT, _VERSION, _OPEN, _CLOSE, _WRITE, _REMOVE, _REALPATH = 1, 2, 3, 4, 6, 13, 16
_STATUS, _HANDLE, _NAME = 101, 102, 104
_SPOKEN = 3
# Write, create, and fail where there is a file already.
_NEW_FILE = 0x02 | 0x08 | 0x20
# Every server takes a packet of 34,000 bytes.
_BLOCK = 32 * 1024
# No answer to anything that is asked here comes near this.
_LARGEST = 64 * 1024
# Of text in the place of SFTP.
_MOST_SAID = 512

_ERRORS: dict[int, Callable[[str], asyncssh.SFTPError]] = {
    2: asyncssh.SFTPNoSuchFile,
    3: asyncssh.SFTPPermissionDenied,
    5: asyncssh.SFTPBadMessage,
    6: asyncssh.SFTPNoConnection,
    7: asyncssh.SFTPConnectionLost,
    8: asyncssh.SFTPOpUnsupported,
    12: asyncssh.SFTPWriteProtect,
    14: asyncssh.SFTPNoSpaceOnFilesystem,
    15: asyncssh.SFTPQuotaExceeded,
}

_Reply = tuple[int, memoryview]
Waiting = asyncio.Future[_Reply]


class NotSftpError(asyncssh.SFTPConnectionLost):
    """Something else than SFTP answers: what it says."""

    def __init__(self, said: bytes) -> None:
        super().__init__(one_line(said.decode("utf-8", "replace"), 160) or "nothing")


class Sftp(asyncssh.SSHClientSession[bytes]):
    """One SFTP channel.  Requests are sent at once; each gives a future of its answer."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._unsent = bytearray(struct.pack(">IBI", 5, _INIT, _SPOKEN))
        self._received = bytearray()
        self._greeted = False
        self._said = bytearray()  # on the error stream
        self._waiting: dict[int, Waiting] = {}
        self._number = 0

    # what is asked

    def start_folder(self) -> Waiting:
        """Where the account starts; read it with ``path_of``."""
        return self._ask(_REALPATH, _string(b"."))

    def create(self, path: str) -> Waiting:
        """A new file, opened for writing; read it with ``handle_of``."""
        return self._ask(_OPEN, _string(path.encode()) + struct.pack(">II", _NEW_FILE, 0))

    def write_all(self, handle: bytes, data: bytes) -> list[Waiting]:
        """Fill an open file and close it; ``done`` for each."""
        blocks = range(0, len(data), _BLOCK)
        asked = [self._write(handle, at, data[at : at + _BLOCK]) for at in blocks]
        return [*asked, self.close(handle)]

    def close(self, handle: bytes) -> Waiting:
        """Close an open file."""
        return self._ask(_CLOSE, _string(handle))

    def remove(self, path: str) -> Waiting:
        """Remove a file."""
        return self._ask(_REMOVE, _string(path.encode()))

    def send(self) -> None:
        """Send what was asked since: in one piece, so in as few packets as there can be."""
        if self._channel is not None and self._unsent:
            data, self._unsent = bytes(self._unsent), bytearray()
            self._channel.write(data)

    async def end(self) -> None:
        """Close the channel, and with it all that is open in it."""
        if self._channel is not None:
            channel = self._channel
            channel.close()
            await channel.wait_closed()

    def _write(self, handle: bytes, at: int, data: bytes) -> Waiting:
        return self._ask(_WRITE, _string(handle) + struct.pack(">Q", at) + _string(data))

    def _ask(self, kind: int, body: bytes) -> Waiting:
        self._number += 1
        self._unsent += struct.pack(">IBI", 5 + len(body), kind, self._number) + body
        waiting: Waiting = self._loop.create_future()
        self._waiting[self._number] = waiting
        return waiting

    # what asyncssh tells

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        """The channel is open; what was asked already follows the subsystem's request.

        asyncssh sends that request as soon as this has returned, so what is sent
        in the loop's next round comes after it and need not wait for its answer.
        """
        self._channel = chan
        self._loop.call_soon(self.send)

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:
        """Take answers in, each as soon as it is whole."""
        if datatype is not None:
            self._said += data[: _MOST_SAID - len(self._said)]
            return
        self._received += data
        while len(self._received) >= 4:
            size = int.from_bytes(self._received[:4], "big")
            if not 5 <= size <= _LARGEST:
                said = bytes(self._received[:_MOST_SAID])
                bad = asyncssh.SFTPBadMessage(say("an answer of an impossible size"))
                self._fail(bad if self._greeted else NotSftpError(said))
                return
            if len(self._received) < 4 + size:
                return
            packet = bytes(self._received[4 : 4 + size])
            del self._received[: 4 + size]
            self._answered(packet)

    def _answered(self, packet: bytes) -> None:
        number = int.from_bytes(packet[1:5], "big")
        if not self._greeted:
            self._greeted = True
            if packet[0] != _VERSION or number < _SPOKEN:
                self._fail(asyncssh.SFTPBadMessage(say("it does not speak version 3 of SFTP")))
            return
        waiting = self._waiting.pop(number, None)
        if waiting is None:
            self._fail(asyncssh.SFTPBadMessage(say("an answer to nothing that was asked")))
        elif not waiting.done():
            waiting.set_result((packet[0], memoryview(packet)[5:]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, by either side: there will be no answer."""
        self._channel = None
        if exc is None and not self._greeted:
            exc = NotSftpError(bytes(self._said or self._received[:_MOST_SAID]))
        self._fail(exc or asyncssh.SFTPConnectionLost(say("the SFTP channel was closed")))

    def _fail(self, error: Exception) -> None:
        waiting, self._waiting = self._waiting, {}
        for one in waiting.values():
            if not one.done():
                one.set_exception(error)
                one.exception()  # it may be one that no task waits for
        if self._channel is not None:
            self._channel.abort()


async def open_sftp(connection: asyncssh.SSHClientConnection, session: Sftp) -> None:
    """Open the channel for a session; what it was asked before goes along."""
    _, made = await connection.create_session(lambda: session, subsystem="sftp", encoding=None)
    assert cast(Sftp, made) is session


async def done(waiting: Waiting) -> None:
    """Wait for an answer that only confirms; its error otherwise."""
    kind, body = await waiting
    _refuse(kind, body)
    if kind != _STATUS:
        raise asyncssh.SFTPBadMessage(say("an answer of kind {kind}", kind=kind))


async def handle_of(waiting: Waiting) -> bytes:
    """The handle of a file that was opened."""
    kind, body = await waiting
    _refuse(kind, body)
    if kind != _HANDLE:
        raise asyncssh.SFTPBadMessage(say("an answer of kind {kind}", kind=kind))
    return _first_string(body)


async def path_of(waiting: Waiting) -> str:
    """The path that was asked for."""
    kind, body = await waiting
    _refuse(kind, body)
    if kind != _NAME or body[:4] != struct.pack(">I", 1):
        raise asyncssh.SFTPBadMessage(say("an answer of kind {kind}", kind=kind))
    try:
        return _first_string(body[4:]).decode()
    except UnicodeDecodeError as error:
        raise asyncssh.SFTPBadMessage(say("a path that is not UTF-8")) from error


def _refuse(kind: int, body: memoryview) -> None:
    """Raise the error of a status, unless it is success."""
    if kind != _STATUS:
        return
    if len(body) < 4:
        raise asyncssh.SFTPBadMessage(say("a status that is cut short"))
    code = int.from_bytes(body[:4], "big")
    if code:
        reason = _first_string(body[4:]).decode("utf-8", "replace") if len(body) > 8 else ""
        raise _error(code, reason or say("status {code}", code=code))


def _error(code: int, reason: str) -> asyncssh.SFTPError:
    return _ERRORS.get(code, asyncssh.SFTPFailure)(reason)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _first_string(body: memoryview) -> bytes:
    size = int.from_bytes(body[:4], "big")
    if len(body) < 4 + size:
        raise asyncssh.SFTPBadMessage(say("an answer that is cut short"))
    return bytes(body[4 : 4 + size])
