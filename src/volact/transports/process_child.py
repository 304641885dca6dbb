"""The process that ``processes`` starts: opens servers and runs scripts, as it is asked.

It reads messages from its standard input and ends with it; passwords are asked for.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, BinaryIO

from volact.bounded.memory import Secret, keep_memory_private
from volact.child_process import forget_path
from volact.event_loop import new_runner
from volact.model.server import Credential, Server
from volact.transports.base import Opener, Transport
from volact.transports.connect import make_opener
from volact.transports.processes import LENGTH, ChildMessage, frame, sendable

_LATE_EVERY_S, _GOODBYE_S = 0.25, 6.0
Send = Callable[[ChildMessage], None]


class _AskedSecrets:
    """The passwords of the process that started this one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._numbers = count(1)
        self._waiting: dict[int, asyncio.Future[str | None]] = {}

    async def password(self, credential: Credential) -> Secret | None:
        """Ask for it."""
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send((number, "secret", credential))
        try:
            value = await answer
        finally:
            del self._waiting[number]
        return None if value is None else Secret(value)

    def take(self, number: int, answer: str | Exception | None) -> None:
        """The answer to a question."""
        waiting = self._waiting.get(number)
        if waiting is None or waiting.done():
            return
        if isinstance(answer, Exception):
            waiting.set_exception(answer)
        else:
            waiting.set_result(answer)


class _Connection:
    """One server, from its opening to its closing."""

    def __init__(self, opener: Opener, server: Server, send: Callable[[str, Any], None]) -> None:
        self._send = send
        self._scripts: asyncio.Queue[tuple[bytes, str, float] | None] = asyncio.Queue()
        self.task = asyncio.ensure_future(self._hold(opener, server))

    def take(self, word: str, value: Any) -> None:
        """A script to be run, or the end."""
        if word == "cancel":
            self.task.cancel()
        else:
            self._scripts.put_nowait(value if word == "run" else None)

    async def _hold(self, opener: Opener, server: Server) -> None:
        try:
            async with opener(server) as transport:
                self._send("done", None)
                while (asked := await self._scripts.get()) is not None:
                    await self._run(transport, *asked)
        except Exception as error:
            self._send("failed", sendable(error))

    async def _run(self, transport: Transport, script: bytes, name: str, time_s: float) -> None:
        try:
            raw = await transport.run(script, name=name, deadline_s=time_s)
        except Exception as error:
            self._send("failed", sendable(error))
        else:
            self._send("done", raw)


async def _serve(pipe: BinaryIO, send: Send) -> None:
    """Do what is asked until the pipe ends."""
    messages: asyncio.Queue[ChildMessage | None] = asyncio.Queue()
    # A thread, because asyncio reads no pipe of this kind on Windows.
    loop = asyncio.get_running_loop()

    def put(message: ChildMessage | None) -> None:
        loop.call_soon_threadsafe(messages.put_nowait, message)

    threading.Thread(target=_read, args=(pipe, put), daemon=True).start()
    secrets = _AskedSecrets(send)
    opener: Opener | None = None
    connections: dict[int, _Connection] = {}
    telling = asyncio.ensure_future(_tell_late(send))
    while (message := await messages.get()) is not None:
        number, word, value = message
        if word == "begin":
            opener = make_opener(secrets, value)
        elif word == "secret":
            secrets.take(number, value)
        elif word == "open":
            assert opener is not None
            tell = partial(_tell, send, number)
            connections[number] = connection = _Connection(opener, value, tell)
            # Not its own last act: a task that is cancelled before it begins does nothing.
            connection.task.add_done_callback(partial(_ended, connections, number, tell))
        elif number in connections:
            connections[number].take(word, value)
    telling.cancel()
    tasks = [connection.task for connection in connections.values()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_GOODBYE_S)


def _ended(
    connections: dict[int, _Connection],
    number: int,
    tell: Callable[[str, Any], None],
    _: asyncio.Future[None],
) -> None:
    connections.pop(number, None)
    tell("ended", None)


def _tell(send: Send, number: int, word: str, value: object) -> None:
    send((number, word, value))


async def _tell_late(send: Send) -> None:
    """Say how late the event loop runs; the first time that it runs."""
    loop = asyncio.get_running_loop()
    late_s = 0.0
    while True:
        send((0, "late", late_s))
        due = loop.time() + _LATE_EVERY_S
        await asyncio.sleep(_LATE_EVERY_S)
        late_s = loop.time() - due


def _read(pipe: BinaryIO, put: Callable[[ChildMessage | None], object]) -> None:
    """In a thread: messages as they come, ``None`` at their end."""
    with suppress(RuntimeError):  # the loop has ended before
        while len(head := pipe.read(LENGTH.size)) == LENGTH.size:
            # From the process that started this one.
            put(pickle.loads(pipe.read(LENGTH.unpack(head)[0])))  # noqa: S301
        put(None)


def main() -> None:
    """Serve; standard output is for messages alone."""
    # A signal is for the process that started this one, which closes the pipe.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_IGN)
    forget_path()
    keep_memory_private()
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)

    def send(message: ChildMessage) -> None:
        with suppress(OSError):  # the other end is closed
            left = memoryview(frame(message))
            while left:
                left = left[out.write(left) :]

    with new_runner() as runner:
        runner.run(_serve(sys.stdin.buffer, send))


if __name__ == "__main__":
    main()
