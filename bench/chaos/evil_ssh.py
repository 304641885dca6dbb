"""SSH servers that send without end: before the login, in it, and from a command."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager

import asyncssh

_BLOCK = bytes(32 * 1024)


class _Open(asyncssh.SSHServer):
    """Every login is accepted."""

    def begin_auth(self, username: str) -> bool:
        return False


class _SftpServer(_Open):
    """Its SFTP answers without end, and what was never asked."""

    def session_requested(self) -> asyncssh.SSHServerSession[bytes]:
        return _SftpFlood()


class _SftpFlood(asyncssh.SSHServerSession[bytes]):
    _paused = False

    def connection_made(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        self._channel = chan

    def subsystem_requested(self, subsystem: str) -> bool:
        return True

    def session_started(self) -> None:
        self._flood = asyncio.ensure_future(self._send())

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False

    async def _send(self) -> None:
        self._channel.write(struct.pack(">IBI", 5, 2, 3))  # the version, and then names
        names = struct.pack(">IBI", 9, 104, 1) + bytes(4)
        with contextlib.suppress(OSError, asyncssh.Error):
            while not self._channel.is_closing():
                if not self._paused:
                    self._channel.write(names * 2000)
                await asyncio.sleep(0)


class _Greeter(asyncssh.SSHServer):
    """A login that never gets past its greetings."""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.conn = conn

    async def begin_auth(self, username: str) -> bool:
        with contextlib.suppress(OSError, asyncssh.Error):
            while not self.conn.is_closed():
                self.conn.send_auth_banner("by the law " * 1000)
                await asyncio.sleep(0)
        return False


async def _stderr(process: asyncssh.SSHServerProcess[bytes]) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while not process.is_closing():
            process.stderr.write(_BLOCK)
            await process.stderr.drain()


async def _stdout(process: asyncssh.SSHServerProcess[bytes]) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while not process.is_closing():
            process.stdout.write(_BLOCK)
            await process.stdout.drain()


async def _trickling(process: asyncssh.SSHServerProcess[bytes]) -> None:
    with contextlib.suppress(OSError, asyncssh.Error):
        while not process.is_closing():
            process.stdout.write(b"V")
            await asyncio.sleep(0.02)


async def _ignored(process: asyncssh.SSHServerProcess[bytes]) -> None:
    connection = process.channel.get_connection()
    with contextlib.suppress(OSError, asyncssh.Error):
        while not connection.is_closed():
            for _ in range(100):
                connection.send_packet(2, bytes(8))  # SSH_MSG_IGNORE
            await asyncio.sleep(0)


async def _lines(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while True:
            writer.write(b"welcome\r\n" * 1000)
            await writer.drain()


class _Sftp(asyncssh.SFTPServer):
    """A file system with room for everything."""

    def realpath(self, path: bytes) -> bytes:
        return b"/C:/Users/Administrator"

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return object()

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        return len(data)

    def close(self, file_obj: object) -> None:
        """Nothing was kept."""


@asynccontextmanager
async def _listening() -> AsyncIterator[dict[str, int]]:
    key = asyncssh.generate_private_key("ssh-ed25519")
    async with contextlib.AsyncExitStack() as stack:
        ports: dict[str, int] = {}
        plain = await asyncio.start_server(_lines, "127.0.0.1", 0)
        stack.callback(plain.close)
        ports["ssh-lines"] = plain.sockets[0].getsockname()[1]
        for name, server, process, sftp in (
            ("ssh-greetings", _Greeter, None, _Sftp),
            ("ssh-stderr", _Open, _stderr, _Sftp),
            ("ssh-stdout", _Open, _stdout, _Sftp),
            ("ssh-ignore", _Open, _ignored, _Sftp),
            ("ssh-trickling", _Open, _trickling, _Sftp),
            ("ssh-sftp", _SftpServer, None, None),
        ):
            acceptor = await asyncssh.create_server(
                server,
                "127.0.0.1",
                0,
                server_host_keys=[key],
                process_factory=process,
                sftp_factory=sftp,
                encoding=None,
            )
            stack.callback(acceptor.close)
            ports[name] = acceptor.get_port()
        yield ports


@contextlib.contextmanager
def evil_ssh() -> Iterator[dict[str, int]]:
    """Such servers in a thread of their own: names and ports."""
    ready: Future[tuple[dict[str, int], Callable[[], object]]] = Future()

    async def serve() -> None:
        over = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with _listening() as ports:
            ready.set_result((ports, lambda: loop.call_soon_threadsafe(over.set)))
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    ports, end = ready.result(30)
    try:
        yield ports
    finally:
        end()
        thread.join(30)
