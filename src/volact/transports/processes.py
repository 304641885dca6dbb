"""Connections in processes of their own, so that a large fleet uses more than one core.

Such a process (``process_child``) opens servers and runs scripts there, nothing else.
Facts, plans, rules of a rollout, secrets, the store and progress stay in this process.
"""

from __future__ import annotations

import asyncio
import pickle
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any
from zlib import crc32

from volact.child_process import own_group, python_command, python_environment
from volact.errors import TransportError, VolactError
from volact.model.server import Credential, Server
from volact.model.text import say
from volact.transports.base import Opener, Raw, Transport
from volact.transports.connect import TransportOpener
from volact.transports.ssh_config import SshConfig

LENGTH = struct.Struct("!I")
# Number of a connection, a word, and what belongs to it.
ChildMessage = tuple[int, str, Any]

_START_S, _END_S = 30.0, 10.0
# A run-command sends one script to many servers at once: those stay together, here.
_SCHEMES = frozenset({"ssh", "winrm", "winrms"})
# What may lead to a jump host is in the user's SSH settings.
_JUMPS = ("proxyjump", "include")


def frame(message: ChildMessage) -> bytes:
    """A message as it goes through the pipe, between processes of one account alone."""
    body = pickle.dumps(message)
    return LENGTH.pack(len(body)) + body


def sendable(error: Exception) -> Exception:
    """An error that can be sent: one that is not ours may hold anything."""
    if isinstance(error, VolactError):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")


@asynccontextmanager
async def in_processes(
    opener: Opener, number: int
) -> AsyncIterator[tuple[Opener, Callable[[], float]]]:
    """What opens servers in so many processes, which end with the block.

    Yields it with a function that says how late their event loops run, in seconds.
    With one process, and for an opener of the caller's own, it is ``opener`` itself.
    """
    if number < 2 or not isinstance(opener, TransportOpener):
        yield opener, lambda: 0.0
        return
    processes = _Processes(opener, number)
    try:
        yield processes.open, processes.late_s
    finally:
        await processes.end()


class _Processes:
    """The processes of a run; servers of one that ended are opened here."""

    def __init__(self, opener: TransportOpener, number: int) -> None:
        self._here = opener
        self._config = SshConfig(opener.options.config)
        self._children = [asyncio.ensure_future(_started(opener)) for _ in range(number)]

    @asynccontextmanager
    async def open(self, server: Server) -> AsyncIterator[Transport]:
        """A transport to a server, in the process that its address leads to."""
        child = await self._child_of(server)
        if child is None:
            async with self._here(server) as transport:
                yield transport
            return
        connection = child.connection()
        try:
            await connection.ask("open", server)
            yield connection
        finally:
            await connection.close()

    async def _child_of(self, server: Server) -> _Child | None:
        """Always the same for one address and for all behind one jump host."""
        if server.address.scheme not in _SCHEMES:
            return None
        index = crc32(self._shared(server).encode()) % len(self._children)
        child = await asyncio.shield(self._children[index])
        return None if child is None or child.is_over else child

    def _shared(self, server: Server) -> str:
        """What must not be used by two processes: a jump host, else the address."""
        if server.ssh.jump:
            return str(server.ssh.jump[0])
        if server.ssh.jump is None and self._config.mentions(server, _JUMPS):
            return ""
        return f"{server.address.host}:{server.address.port}"

    def late_s(self) -> float:
        """How late the latest of their event loops runs."""
        children = (task.result() for task in self._children if _is_done(task))
        return max((c.late_s for c in children if c is not None and not c.is_over), default=0.0)

    async def end(self) -> None:
        """End them; one that does not end by itself is killed."""
        for task in self._children:
            if not task.done():
                task.cancel()
        await asyncio.wait(self._children)
        children = (task.result() for task in self._children if _is_done(task))
        await asyncio.gather(*(child.end() for child in children if child is not None))


def _is_done(task: asyncio.Future[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


async def _started(opener: TransportOpener) -> _Child | None:
    """A process that has answered; ``None`` where none can be started."""
    try:
        process = await asyncio.create_subprocess_exec(
            *python_command("volact.transports.process_child"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=python_environment(),
            **own_group(),
        )
    except (OSError, RuntimeError):  # the second: this event loop starts no programs
        return None
    child = _Child(process, opener)
    try:
        async with asyncio.timeout(_START_S):
            await child.answered.wait()
    except BaseException as error:
        await child.end()
        if isinstance(error, TimeoutError):
            return None
        raise
    return child


class _Child:
    """One process, and the connections in it."""

    def __init__(self, process: asyncio.subprocess.Process, opener: TransportOpener) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.answered = asyncio.Event()
        self.late_s = 0.0
        self._process, self._in, self._out = process, process.stdin, process.stdout
        self._secrets = opener.secrets
        self._connections: dict[int, _Connection] = {}
        self._numbers = count(1)
        self._asked: set[asyncio.Task[None]] = set()
        self._reading = asyncio.ensure_future(self._read())
        self.send((0, "begin", opener.options))

    @property
    def is_over(self) -> bool:
        """Whether the process has ended, or was told to."""
        return self._reading.done()

    def connection(self) -> _Connection:
        """A new connection, not opened yet."""
        number = next(self._numbers)
        self._connections[number] = _Connection(self, number)
        return self._connections[number]

    def drop(self, number: int) -> None:
        """Forget a connection that has ended."""
        self._connections.pop(number, None)

    def send(self, message: ChildMessage) -> None:
        """Send a message, without waiting; to a process that has ended it goes nowhere."""
        if not self.is_over and not self._in.is_closing():
            self._in.write(frame(message))

    async def _read(self) -> None:
        """Take messages until the process ends; what it was doing then is lost."""
        try:
            while True:
                (length,) = LENGTH.unpack(await self._out.readexactly(LENGTH.size))
                # From a process of our own, which sends no bytes of a server but in Raw.
                self._take(*pickle.loads(await self._out.readexactly(length)))  # noqa: S301
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.answered.set()
            for connection in tuple(self._connections.values()):
                connection.take("ended", None)

    def _take(self, number: int, word: str, value: Any) -> None:
        if word == "late":
            self.late_s = value
            self.answered.set()
        elif word == "secret":
            task = asyncio.ensure_future(self._tell(number, value))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)
        elif number in self._connections:
            self._connections[number].take(word, value)

    async def _tell(self, number: int, credential: Credential) -> None:
        """A password, at the last moment; each source is asked once by all processes."""
        try:
            secret = await self._secrets.password(credential)
            answer: Any = None if secret is None else secret.reveal()
        except Exception as error:
            answer = sendable(error)
        self.send((number, "secret", answer))

    async def end(self) -> None:
        """Let it close what is open; kill it if it takes too long."""
        for task in self._asked:
            task.cancel()
        self._in.close()
        try:
            async with asyncio.timeout(_END_S):
                await self._process.wait()
        except BaseException as error:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            if not isinstance(error, TimeoutError):
                raise
        finally:
            await self._reading


class _Connection:
    """A transport whose connection is in another process."""

    def __init__(self, child: _Child, number: int) -> None:
        self._child = child
        self._number = number
        self._reply: asyncio.Future[Any] | None = None
        self._opened = False
        self._ended = asyncio.Event()

    async def ask(self, word: str, value: object) -> Any:
        """The answer to a question; raises what was raised there."""
        if self._child.is_over:
            raise self._loss()
        self._reply = asyncio.get_running_loop().create_future()
        self._send(word, value)
        try:
            answer = await self._reply
        except asyncio.CancelledError:
            self._send("cancel")
            raise
        self._opened = True
        return answer

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """As ``Transport`` says."""
        answer: Raw = await self.ask("run", (script, name, deadline_s))
        return answer

    async def close(self) -> None:
        """Disconnect, and wait until what has to be tidied up there is tidied up."""
        if not self._child.is_over:
            self._send("close")
            with suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await self._ended.wait()
        self._child.drop(self._number)

    def take(self, word: str, value: Any) -> None:
        """What the process says about this connection."""
        if word == "ended":
            self._ended.set()
            word, value = "failed", self._loss()  # where an answer is still awaited
        if self._reply is not None and not self._reply.done():
            if word == "failed":
                self._reply.set_exception(value)
            else:
                self._reply.set_result(value)

    def _send(self, word: str, value: object = None) -> None:
        self._child.send((self._number, word, value))

    def _loss(self) -> TransportError:
        """Before the connection was open, nothing was sent to the server."""
        return TransportError(
            "connect",
            say("the process of volact that had the connection has ended"),
            say("run check to see the result") if self._opened else "",
            passing="never" if self._opened else "unsent",
        )
