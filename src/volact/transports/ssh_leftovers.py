"""What an execution over SSH left on the server, and its removal over SFTP.

Only what bears an execution's own unguessable name is touched.  When to remove is ``ssh``'s.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import cast

from volact.transports.remote import PROFILE, SHARED, SYSTEM
from volact.transports.ssh_library import asyncssh

# Entries of a folder that are read.  Temporary folders of old servers have a hundred thousand,
# sorted by name; there the script itself is found by its name, and seldom anything else is.
_MOST = {SYSTEM: 5_000, PROFILE: 1_000, SHARED: 1_000}
# What reading them may cost: some 256 bytes an entry.
LISTINGS = sum(_MOST.values()) * 256


async def remove_leftovers(sftp: asyncssh.SFTPClient, stem: str, *, ended: bool) -> None:
    """Remove a script's file, and the folder that it made with what is in it.

    Args:
        sftp: of the server.
        stem: the file's name without its suffix.
        ended: whether the script certainly runs no longer.  One that may run removes
            itself at its end, a lock and raised limits too, but not without its file:
            ``cmd`` opens it anew for each line.  So nothing is removed while it has a
            file in use.
    """
    found = await _named(sftp, SYSTEM, f"{stem}-")
    if not ended:
        found = found or await _named(sftp, PROFILE, f"{stem}-")
        if await _in_use(sftp, found, stem):
            return
    for folder in (PROFILE, SHARED):
        await _remove(sftp, f"{folder}/{stem}.bat")
    for path in found:
        await _remove(sftp, path)
    for folder in (PROFILE, SHARED):
        for path in await _named(sftp, folder, stem):
            await _remove(sftp, path)


async def _named(sftp: asyncssh.SFTPClient, folder: str, start: str) -> list[str]:
    """What is in a folder under names that start so: with a dash, the script's own folder."""
    found: list[str] = []
    read = 0
    try:
        listing = cast(AsyncGenerator[asyncssh.SFTPName], sftp.scandir(folder))
        async with aclosing(listing) as entries:
            async for entry in entries:
                read += 1
                if read > _MOST[folder]:
                    break
                if str(entry.filename).startswith(start):
                    found.append(f"{folder}/{entry.filename!s}")
    except asyncssh.SFTPError:
        return found  # no such folder, or not to be read
    return found


async def _in_use(sftp: asyncssh.SFTPClient, folders: Iterable[str], stem: str) -> bool:
    """Whether Windows refuses to remove the file that the script engine's errors go to."""
    for folder in folders:
        try:
            await sftp.remove(f"{folder}/{stem}.err")
        except asyncssh.SFTPNoSuchFile:
            continue
        except asyncssh.SFTPError:
            return True
    return False


async def _remove(sftp: asyncssh.SFTPClient, path: str) -> None:
    """Remove a file, or the folder of a script with what is in it."""
    try:
        if await sftp.isdir(path):
            for entry in await sftp.listdir(path):
                if str(entry) not in (".", ".."):
                    await sftp.remove(f"{path}/{entry}")
            await sftp.rmdir(path)
        else:
            await sftp.remove(path)
    except asyncssh.SFTPError:
        # In use by a process that still runs; the others may go.
        return
