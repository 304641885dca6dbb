"""The agent over SSH: upload by SFTP, one execution, and nothing left behind.

Round trips are kept few: the start folder and the new file are asked for
together, and the connection with its SFTP channel stays open between a probe
and the apply of one server.  Names and commands are in ``remote``, logging in
is ``login``'s, what the output means is ``volact.agent``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import re

import asyncssh

from volact.errors import TransportError
from volact.transports.base import Raw
from volact.transports.failures import translated
from volact.transports.remote import COMMANDS, Place, absolute, profile_place, shared_place
from volact.transports.session import run_command

# An answer, and anything at all that shows the script was run.
_ANSWER = b"VOLACT1 "
_SIGN_OF_LIFE = b"VOLACT"
_NAME = re.compile(r"[a-z0-9-]{8,64}")
# How long tidying up and saying goodbye may take beyond a deadline.
_GRACE_S = 3.0
# Every server must take 32 KB in one SFTP packet; a probe is one or two of them.
_BLOCK = 32 * 1024


class SshTransport:
    """An open SSH connection to one server."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._sftp: asyncssh.SFTPClient | None = None
        self._file: asyncssh.SFTPClientFile | None = None  # one that is being written
        self._home: str | None = None
        self._commands: tuple[str, ...] = COMMANDS

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Upload, execute once, and remove what a clean end did not remove."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a file name for a script: {name!r}")
        clean = False
        try:
            with translated():
                async with asyncio.timeout(deadline_s):
                    raw = await self._execute(await self._upload(script, f"{name}.bat"))
            clean = _clean(raw)
        except TransportError as error:
            raise _with_deadline(error, deadline_s) from error
        finally:
            if not clean:
                await self._tidy(name)
        return raw

    async def close(self) -> None:
        """Say goodbye; a server that does not answer is left standing."""
        self._connection.close()
        try:
            async with asyncio.timeout(_GRACE_S):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()

    async def _upload(self, script: bytes, name: str) -> Place:
        if self._sftp is None:
            self._sftp = await self._connection.start_sftp_client()
        place, file = await self._create(self._sftp, name)
        # Closed by hand: after a failure even that may take for ever (``_tidy``).
        self._file = file
        await file.write(script)
        await file.close()
        self._file = None
        return place

    async def _create(
        self, sftp: asyncssh.SFTPClient, name: str
    ) -> tuple[Place, asyncssh.SFTPClientFile]:
        """A new file in the account's own temporary folder, else in the system's."""
        place = profile_place(name)
        home, file = await asyncio.gather(
            self._start_folder(sftp), _new(sftp, place), return_exceptions=True
        )
        if isinstance(home, BaseException):
            raise home
        full = absolute(place, home)
        if isinstance(file, BaseException):
            if not isinstance(file, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath):
                raise file
        elif full is not None:
            return full, file
        else:
            await file.close()
            await sftp.remove(place.upload)
        return shared_place(name), await _new(sftp, shared_place(name))

    async def _start_folder(self, sftp: asyncssh.SFTPClient) -> str:
        if self._home is None:
            self._home = str(await sftp.realpath("."))
        return self._home

    async def _execute(self, place: Place) -> Raw:
        """Run the script by the first form of command that the shell takes.

        A form counts as not taken only when nothing spoke and the script, which
        removes itself, is still there.
        """
        for form in self._commands[:-1]:
            raw = await run_command(self._connection, form.format(path=place.path))
            if _SIGN_OF_LIFE in raw.stdout or not await self._is_there(place):
                self._commands = (form,)
                return raw
        last = self._commands[-1]
        raw = await run_command(self._connection, last.format(path=place.path))
        if _SIGN_OF_LIFE in raw.stdout:
            self._commands = (last,)
        return raw

    async def _is_there(self, place: Place) -> bool:
        assert self._sftp is not None
        return await self._sftp.exists(place.upload)

    async def _tidy(self, stem: str) -> None:
        """Remove the script and what it wrote beside itself, as far as possible.

        Only what bears the run's own unguessable name is touched.
        """
        if self._sftp is None:
            return
        try:
            async with asyncio.timeout(_GRACE_S):
                await self._let_go()
                for place in (profile_place(stem), shared_place(stem)):
                    await _remove_all(self._sftp, place)
        except (OSError, asyncssh.Error):
            # The connection is gone or stuck: the agent removes itself when it ends.
            return


    async def _let_go(self) -> None:
        """Close a file that was not written to its end: Windows removes no open file."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(asyncssh.SFTPError):
                await file.close()


async def _new(sftp: asyncssh.SFTPClient, place: Place) -> asyncssh.SFTPClientFile:
    # Exclusive: a file that is already there was put there by somebody else.
    return await sftp.open(place.upload, "xb", block_size=_BLOCK)


async def _remove_all(sftp: asyncssh.SFTPClient, place: Place) -> None:
    try:
        entries = await sftp.listdir(place.folder)
    except asyncssh.SFTPError:
        return  # no such folder, or not to be read
    for entry in entries:
        if str(entry).startswith(place.name):
            await _remove(sftp, f"{place.folder}/{entry}")


async def _remove(sftp: asyncssh.SFTPClient, path: str) -> None:
    try:
        await sftp.remove(path)
    except asyncssh.SFTPError:
        # In use by a process that still runs; the others may go.
        return


def _clean(raw: Raw) -> bool:
    """Whether the script came to its own end, at which it removes itself."""
    line = raw.stdout.rpartition(_ANSWER)[2]
    return raw.exit_status is not None and line.endswith(b"\n")


def _with_deadline(error: TransportError, deadline_s: float) -> TransportError:
    if error.kind != "timeout":
        return error
    return TransportError(
        "timeout",
        f"the server did not finish within {deadline_s:.3g} s",
        "raise --deadline, or look at what its processes wait for",
    )
