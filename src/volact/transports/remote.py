r"""Names on the server's side: where the script goes and how it is started.  Pure.

A Windows account starts in its profile folder, both over SFTP and in its
shell, and the profile's own temporary folder is closed to other accounts.
Where the profile's path is known the command names the script in full, so
that it does not matter where the shell starts; where it is not (a server that
shows SFTP another tree) the path stays relative to the start folder.

Every ``DefaultShell``, be it cmd, PowerShell, an MSYS bash or a bash of WSL,
takes ``cmd.exe /c "<path>"`` alike as long as the path holds none of the
characters that one of them reads as its own.  MSYS alone may turn the ``/c``
into a path; for it there is a second form.
"""

from __future__ import annotations

import re

import msgspec

COMMANDS = ('cmd.exe /c "{path}"', 'cmd.exe //c "{path}"')

# Where something of a script may lie, for SFTP: its file in an account's or the system's
# temporary folder, the folder that it makes in Windows' own or in the account's.
PROFILE = "AppData/Local/Temp"
SHARED = "C:/Windows/Temp"
SYSTEM = "C:/Windows"
_DRIVE = re.compile(r"/?([A-Za-z]:)(/.*)?")
# Read by cmd, PowerShell or bash inside double quotes, or by cmd's own rule
# for the outer pair of quotes.
_TROUBLE = frozenset("\"%&^$`!()@<>|;='\r\n")


class RemotePlace(msgspec.Struct, frozen=True):
    """One file: its folder and name for SFTP, its path for a Windows shell."""

    folder: str
    name: str
    path: str

    @property
    def upload(self) -> str:
        """The path for SFTP."""
        return f"{self.folder}/{self.name}"


def profile_place(name: str) -> RemotePlace:
    """The account's own temporary folder, relative to where it starts."""
    return RemotePlace(PROFILE, name, _backslashes(f"{PROFILE}/{name}"))


def shared_place(name: str) -> RemotePlace:
    """The system's temporary folder, when the account has none of its own."""
    return RemotePlace(SHARED, name, _backslashes(f"{SHARED}/{name}"))


def absolute(place: RemotePlace, home: str) -> RemotePlace | None:
    """The place with its full Windows path, given the start folder as SFTP sees it.

    ``None`` when that path would not survive a shell.  A start folder without
    a drive letter is not a Windows path: the place stays relative.
    """
    match = _DRIVE.fullmatch(home)
    if match is None:
        return place
    folder = f"{match[1]}{(match[2] or '').rstrip('/')}"
    if _TROUBLE & set(folder):
        return None
    return msgspec.structs.replace(place, path=_backslashes(f"{folder}/{place.upload}"))


def _backslashes(path: str) -> str:
    return path.replace("/", "\\")
