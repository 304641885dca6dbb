r"""The agent over WinRM: one shell for a server, one command for an execution.

The command takes the script from its standard input, so that an execution
costs three requests: command, input, output.  What blocks runs in the
connection's own thread; here are its deadline and what is left to be tidied.

The script does not fit into a command line (8,191 characters), and cmd can
neither decode nor copy a console's input into a file.  But ``findstr "^"``
copies every line of its standard input as it is, on every release since 2008,
and the input of a WinRM command is a stream of its own without that limit.  So
one command writes the file and, when it has exactly the size that was sent,
runs it.  No line begins with a quote, so that it means the same whether or not
the service puts quotes around it for ``cmd /c``.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable

from volact.errors import TransportError
from volact.model.text import say
from volact.threads import BlockingCalls
from volact.transports.base import Raw, ended_itself, require_name, too_late
from volact.transports.winrm.failures import before_script, translated
from volact.transports.winrm.shell import CommandStop, RemoteShell

_FOLDER = "%TEMP%"
_COPY = '%SystemRoot%\\System32\\findstr.exe "^"'
LONGEST_LINE = 8191
# Printed with the size that arrived when it is not the one that was sent.
INCOMPLETE = "VOLACT-INCOMPLETE"
# How long tidying up and saying goodbye may take beyond a deadline; the
# thread may be in the middle of a request for output.  The last of it is for
# ending the command that removes files.
_GRACE_S = 5.0
_ENDING_S = 2.0


# Runs a call that logs in, within the time for it.
LogIn = Callable[[Callable[[], None]], Awaitable[None]]


class WinRmTransport:
    """An open remote shell on one server."""

    def __init__(
        self,
        shell: RemoteShell,
        worker: BlockingCalls,
        log_in: LogIn,
        *,
        grace_s: float | None = None,
    ) -> None:
        self._shell = shell
        self._worker = worker
        self._log_in = log_in
        self._grace_s = _GRACE_S if grace_s is None else grace_s

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Send, execute once, and remove what a clean end did not remove."""
        require_name(name)
        if self._shell.stale:  # a server may have waited for minutes for an activation slot
            with before_script():
                await self._log_in(self._shell.renew)
        stop, clean = CommandStop(time.monotonic() + deadline_s), False
        try:
            raw = await self._within(script, name, stop, deadline_s)
            _require_whole(raw, len(script))
            clean = ended_itself(raw)
        finally:
            if not clean:
                stop.now()
                await self._tidy(name)
        return raw

    async def close(self) -> None:
        """Close the shell; a server that does not answer is left standing."""
        try:
            await self._quietly(self._shell.close)
        finally:
            # Also when the goodbye took too long: then its request ends here, and so
            # the thread does.
            self._worker.end()
            self._shell.abort()

    def abandon(self) -> None:
        """Close the shell, should it have opened after all, and do not wait for it.

        What does not end by itself within the time for a goodbye is ended.
        """
        self._worker.end(lambda: _silently(self._shell.close))
        asyncio.get_running_loop().call_later(self._grace_s, self._shell.abort)

    async def _within(self, script: bytes, name: str, stop: CommandStop, deadline_s: float) -> Raw:
        line = run_line(name, len(script))
        deadline = asyncio.timeout(deadline_s)
        try:
            with translated():
                async with deadline:
                    raw = await self._worker.run(lambda: self._shell.run(line, script, stop))
        except TransportError as error:
            # An answer that stalled is another time-out: no longer deadline helps there.
            raise (too_late(deadline_s) if deadline.expired() else error) from error
        if raw is None:
            raise too_late(deadline_s)
        return raw

    async def _tidy(self, name: str) -> None:
        """End what still runs and remove its files, as far as possible.

        Only what bears the run's own unguessable name is touched.
        """

        def tidy() -> None:
            self._shell.terminate()
            stop = CommandStop(time.monotonic() + self._grace_s - _ENDING_S)
            self._shell.run(tidy_line(name), b"", stop)
            self._shell.terminate()

        await self._quietly(tidy)

    async def _quietly(self, call: Callable[[], None]) -> None:
        """Do something that is not worth an error of its own."""
        try:
            with translated():
                async with asyncio.timeout(self._grace_s):
                    await self._worker.run(call)
        except TransportError:
            # The connection is gone or stuck: the server ends an idle shell by itself.
            return


def _silently(call: Callable[[], None]) -> None:
    with contextlib.suppress(TransportError), translated():
        call()


def _require_whole(raw: Raw, size: int) -> None:
    """``TransportError`` when the script was not run because a part of it was missing."""
    said = re.search(rf"{INCOMPLETE} (\d*)".encode(), raw.stdout)
    if said is not None:
        came = said[1].decode("ascii") or "0"
        raise TransportError(
            "protocol",
            say("{came} bytes of the script arrived, not {size}", size=size, came=came),
        )


def run_line(name: str, size: int) -> str:
    """Write standard input to a new file, then run the file if all of it came."""
    file = _file(f"{name}.bat")
    say = f"echo {INCOMPLETE} %~zI&exit 9"
    taken = f"(if exist {file} (echo {INCOMPLETE}&exit 9))"
    check = f'for %I in ({file}) do @if "%~zI"=="{size}" (call {file}) else ({say})'
    return f"{taken}&{_COPY} >{file}&{check}"


def tidy_line(name: str) -> str:
    """Remove what bears that name."""
    folders = " ".join(f'"{folder}\\{name}-*"' for folder in (_FOLDER, "%SystemRoot%"))
    files = f"del /q /f {_file(f'{name}*')} >nul 2>nul"
    return f'{files}&for /d %I in ({folders}) do @rmdir /s /q "%I" >nul 2>nul'


def _file(name: str) -> str:
    return f'"{_FOLDER}\\{name}"'
