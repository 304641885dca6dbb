"""The agent on this very machine: a file of its own, one execution, nothing left behind.

For a Windows Server that looks after itself.  Whether the account may do what
is needed is a fact that the agent reports, not a question asked here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from volact.errors import InputError, TransportError
from volact.model.server import Server
from volact.model.text import say
from volact.transports.base import MAX_OUTPUT, Raw, Transport

# How long a process that was ended may take to be gone.
_GRACE_S = 5.0
_BLOCK = 64 * 1024


def system_cmd() -> tuple[str, ...]:
    """Windows' own cmd, without the commands that an account has it run at every start."""
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    return (rf"{root}\System32\cmd.exe", "/d", "/c")


def require_windows(servers: Iterable[Server], platform: str = sys.platform) -> None:
    """``InputError`` for the target ``local`` on a machine that is no Windows Server."""
    if platform != "win32" and any(server.address.scheme == "local" for server in servers):
        raise InputError(
            say("local works only on a Windows Server, and this machine is not Windows"),
            say("write ssh://user@host for a server elsewhere"),
        )


class LocalTransport:
    """This machine.  ``command`` runs the ``.bat`` whose name is appended to it."""

    def __init__(self, command: tuple[str, ...] | None = None) -> None:
        self._command = command or system_cmd()

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Write the script into a private folder, run it, remove both."""
        try:
            # Made anew, for this account alone; other accounts can put nothing there.
            with tempfile.TemporaryDirectory(prefix="volact-", ignore_cleanup_errors=True) as made:
                (Path(made) / f"{name}.bat").write_bytes(script)
                return await self._execute(Path(made), f"{name}.bat", deadline_s)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise TransportError(
                "agent", say("the script cannot be run here: {reason}", reason=reason)
            ) from error
        finally:
            _remove_folders(name)

    async def close(self) -> None:
        """There is nothing to let go of."""

    async def _execute(self, folder: Path, file: str, deadline_s: float) -> Raw:
        asked = time.time()
        process = await _started(self._command, folder, file)
        try:
            async with asyncio.timeout(deadline_s):
                stdout, stderr = await asyncio.gather(
                    _read(process, process.stdout), _read(process, process.stderr)
                )
                answered = time.time()
                status = await process.wait()
        except TimeoutError as error:
            raise TransportError(
                "timeout",
                say("the script did not finish within {seconds} s", seconds=f"{deadline_s:.3g}"),
                say("raise --deadline, or find out what its processes wait for"),
            ) from error
        finally:
            if process.returncode is None:
                await _end_and_wait(process)
        if len(stdout) > MAX_OUTPUT:
            raise TransportError(
                "protocol",
                say("the script wrote more than {limit} bytes", limit=MAX_OUTPUT),
            )
        return Raw(stdout=stdout, stderr=stderr, exit_status=status, asked=asked, answered=answered)


def _remove_folders(name: str) -> None:
    """The folder that a script made for itself, where it was ended before it could."""
    for place in (os.environ.get("SYSTEMROOT"), tempfile.gettempdir()):
        for folder in Path(place).glob(f"{name}-*") if place else ():
            shutil.rmtree(folder, ignore_errors=True)


async def _started(command: tuple[str, ...], folder: Path, file: str) -> Process:
    """The process of a script.  One that is abandoned while it starts is ended as a whole.

    asyncio alone would end only the first process, and wait for the pipes that
    those hold which that one has started.
    """
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            # Started in its folder under its bare name: no path for cmd to misread.
            f".\\{file}",
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            await _end_and_wait(await starting)
        raise


async def _read(process: Process, stream: asyncio.StreamReader | None) -> bytes:
    """All that a process writes; one that writes without end is ended."""
    assert stream is not None
    data = bytearray()
    while block := await stream.read(_BLOCK):
        if len(data) > MAX_OUTPUT:
            continue  # what comes after the end of a process that was ended
        data += block
        if len(data) > MAX_OUTPUT:
            await _end(process)
    return bytes(data)


async def _end(process: Process) -> None:
    """End a process with all that it started: cscript outlives its cmd otherwise."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return
    root = os.environ.get("SYSTEMROOT", r"C:\Windows")
    killer = await asyncio.create_subprocess_exec(
        rf"{root}\System32\taskkill.exe",
        *("/f", "/t", "/pid", str(process.pid)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await killer.wait()


async def _end_and_wait(process: Process) -> None:
    """End a process and see it gone, with its pipes."""
    await _end(process)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_S):
            for stream in (process.stdout, process.stderr):
                while stream is not None and await stream.read(_BLOCK):
                    pass
            await process.wait()


@asynccontextmanager
async def open_local(_: Server) -> AsyncIterator[Transport]:
    """This machine as a transport."""
    yield LocalTransport()
