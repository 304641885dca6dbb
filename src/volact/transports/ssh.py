"""The agent over SSH: upload by SFTP, one execution, and nothing left behind.

Round trips are kept few: the start folder and the new file are asked for
with the channel itself, the script is written and its file closed in one go,
and the connection with its SFTP channel stays open between a probe and the
apply of one server.  How a file is put there is ``sftp``'s, names and commands
are in ``remote``, logging in is ``login``'s, what the output means is
``volact.agent``'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from volact.errors import TransportError, one_line
from volact.model.text import say
from volact.transports import receive_budget
from volact.transports.base import Raw, ended_itself, require_name, too_late
from volact.transports.failures import translated
from volact.transports.jump import say_goodbye
from volact.transports.remote import (
    COMMANDS,
    RemotePlace,
    absolute,
    profile_place,
    shared_place,
)
from volact.transports.session import run_command
from volact.transports.sftp import Sftp, Waiting, done, handle_of, open_sftp, path_of
from volact.transports.ssh_leftovers import LISTINGS, remove_leftovers
from volact.transports.ssh_library import asyncssh

P = ParamSpec("P")
T = TypeVar("T")

_SIGN_OF_LIFE = b"VOLACT"  # anything at all that shows the script was run
# How long tidying up and saying goodbye may take beyond a deadline.
_GRACE_S = 3.0


class SshTransport:
    """An open SSH connection to one server.

    ``left`` names scripts that were put there, never begun, and could not be
    removed because the connection was gone; the next one removes them.
    """

    def __init__(
        self,
        connection: asyncssh.SSHClientConnection,
        left: list[str] | None = None,
        *,
        grace_s: float | None = None,
    ) -> None:
        self._connection = connection
        self._grace_s = _GRACE_S if grace_s is None else grace_s
        self._left = [] if left is None else left
        self._sftp: Sftp | None = None
        self._home: str | None = None
        self._commands: tuple[str, ...] = COMMANDS

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Upload, execute once, and remove what a clean end did not remove."""
        require_name(name)
        raw, begun = None, False
        receive_budget.grant(self._connection, receive_budget.EXECUTION)
        try:
            with translated():
                async with asyncio.timeout(deadline_s):
                    place = await self.upload(script, f"{name}.bat")
                    begun = True
                    raw = await self._execute(place)
        except TransportError as error:
            if error.kind != "timeout":
                raise
            raise too_late(deadline_s) from error
        finally:
            if raw is None or not ended_itself(raw):
                ended = not begun or (raw is not None and raw.exit_status is not None)
                tidied = self._sftp is None or await self._remove(name, ended=ended)
                if not tidied and not begun:
                    self._left.append(name)
        while self._left and await self._remove(self._left[-1], ended=True):
            self._left.pop()
        return raw

    async def close(self) -> None:
        """Close the connection; a server that does not answer is not waited for."""
        await say_goodbye(self._connection)

    async def upload(self, script: bytes, name: str) -> RemotePlace:
        """Put a file into the account's own temporary folder, else into the system's."""
        place = profile_place(name)
        fresh, sftp = self._sftp is None, self._sftp or Sftp()
        home = sftp.start_folder() if self._home is None else None
        created = sftp.create(place.upload)
        self._sftp = sftp
        if fresh:
            await open_sftp(self._connection, sftp)
        else:
            sftp.send()
        if home is not None:
            self._home = await path_of(home)
        assert self._home is not None
        full = await self._usable(sftp, place, created, self._home)
        if full is None:
            full = shared_place(name)
            created = sftp.create(full.upload)
            sftp.send()
        try:
            handle = await handle_of(created)
        except asyncssh.SFTPNoSuchFile as error:
            raise _no_windows(self._home) from error
        written = sftp.write_all(handle, script)
        sftp.send()
        for answer in written:
            await done(answer)
        return full

    async def _usable(
        self, sftp: Sftp, place: RemotePlace, created: Waiting, home: str
    ) -> RemotePlace | None:
        """The place as a shell finds it; ``None`` when there is no such folder, or it cannot."""
        full = absolute(place, home)
        try:
            handle = await handle_of(created)
        except asyncssh.SFTPNoSuchFile:
            return None
        if full is None:
            closed, removed = sftp.close(handle), sftp.remove(place.upload)
            sftp.send()
            await done(closed)
            await done(removed)
        return full

    async def _execute(self, place: RemotePlace) -> Raw:
        """Run the script by the first form of command that the shell takes.

        A form counts as not taken only when its command has ended, nothing spoke, and the
        script, which removes itself, is still there.  A channel that was closed without an
        exit status leaves open whether the script goes on.  Where none is taken the first
        one's output counts: it shows what the shell makes of commands.
        """
        first: Raw | None = None
        for form in self._commands[:-1]:
            raw = await run_command(self._connection, form.format(path=place.path))
            if _SIGN_OF_LIFE in raw.stdout or not await self._is_there(place):
                self._commands = (form,)
                return raw
            if raw.exit_status is None:
                return raw
            first = first or raw
        last = self._commands[-1]
        raw = await run_command(self._connection, last.format(path=place.path))
        if _SIGN_OF_LIFE in raw.stdout:
            self._commands = (last,)
            return raw
        return raw if raw.exit_status is None else first or raw

    async def _is_there(self, place: RemotePlace) -> bool:
        """Whether the file certainly is; a server without room for the question has run it."""
        try:
            async with self._connection.start_sftp_client() as sftp:
                return await sftp.exists(place.upload)
        except asyncssh.ChannelOpenError:
            return False

    async def _remove(self, stem: str, *, ended: bool) -> bool:
        """Remove a script and what it made; whether the server could be asked to."""
        used, self._sftp = self._sftp, None
        receive_budget.grant(self._connection, LISTINGS)
        try:
            async with asyncio.timeout(self._grace_s):
                # Windows removes no open file: what was being written is closed first.
                if used is not None:
                    await used.end()
                async with self._connection.start_sftp_client() as sftp:
                    await remove_leftovers(sftp, stem, ended=ended)
        except (OSError, asyncssh.Error):
            return False  # the connection is gone or stuck
        return True


def _no_windows(home: str) -> TransportError:
    """Neither temporary folder is there: what the folder shows in which SFTP starts."""
    message = say("the server has neither temporary folder of Windows")
    hint = (
        say("its SFTP shows a part of the disk (ChrootDirectory), or it is not a Windows server")
        if home == "/"
        else say(
            "its SFTP starts in {folder}: probably not a Windows server",
            folder=one_line(home, 80),
        )
    )
    return TransportError("protocol", message, hint)


class _Inline(ThreadPoolExecutor):
    """A pool of threads that puts the options of connections together on the spot.

    asyncssh does that in the loop's default executor, because options may name files to be
    read.  volact's name none: keys and known hosts are read before.  Handing a tenth of a
    millisecond's work to a thread and back costs more than the work.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it now, if it only puts options together; else in a thread."""
        if not (isinstance(fn, partial) and fn.func is asyncssh.SSHClientConnectionOptions):
            return super().submit(fn, *args, **kwargs)
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # handed over to the waiting task
            future.set_exception(error)
        return future


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, _Inline] = WeakKeyDictionary()


def use_inline() -> None:
    """Let the running loop do that work itself, also where others gave it another pool since.

    A loop has one such pool, for pools keep their threads.
    """
    loop = asyncio.get_running_loop()
    if loop not in _pools:
        _pools[loop] = _Inline()
    loop.set_default_executor(_pools[loop])
