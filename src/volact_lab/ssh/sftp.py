"""SFTP over the simulated file system, as OpenSSH for Windows shows it.

Paths look like ``/C:/Users/…``; relative ones start in the account's profile.
Only what a client needs to put a script there and take it away again.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from asyncssh import SFTPAttrs, SFTPName

from volact.transports.ssh_library import asyncssh
from volact_lab import codes
from volact_lab.errors import LabError, WinFault
from volact_lab.ssh.slot import Slot
from volact_lab.windows.files import Node, normal

_DRIVE = re.compile(r"/?([A-Za-z]:)(/.*)?")
_FILE, _FOLDER = 0o100666, 0o040777


@dataclass(slots=True)
class _Open:
    """An open file: written back when it is closed."""

    path: str
    data: bytearray
    writes: bool
    append: bool


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except WinFault as fault:
        number = fault.code & 0xFFFF
        if number in {codes.FILE_NOT_FOUND, codes.PATH_NOT_FOUND}:
            raise asyncssh.SFTPNoSuchFile("No such file or directory") from fault
        if number == codes.ACCESS_DENIED:
            raise asyncssh.SFTPPermissionDenied("Permission denied") from fault
        raise asyncssh.SFTPFailure("Failure") from fault
    except LabError as error:
        raise asyncssh.SFTPFailure(error.line()) from error


class LabSftp(asyncssh.SFTPServer):
    """One SFTP session."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], slot: Slot) -> None:
        super().__init__(chan)
        self._slot = slot
        self._machine = slot.machine
        self._files = slot.machine.files

    def _path(self, path: bytes) -> str:
        self._slot.sftp_operations += 1
        text = path.decode("utf-8", "surrogateescape")
        match = _DRIVE.fullmatch(text)
        if match:
            return normal(f"{match[1]}{match[2] or '/'}")
        if text.startswith("/"):
            raise WinFault(0x80070000 | codes.PATH_NOT_FOUND, text)
        return normal(text, self._machine.home)

    def realpath(self, path: bytes) -> bytes:
        """The absolute path, whether or not anything is there."""
        with _translated():
            return ("/" + self._path(path).replace("\\", "/")).encode()

    def stat(self, path: bytes) -> SFTPAttrs:
        """Attributes of a file or folder."""
        with _translated():
            return _attributes(self._files.stat(self._path(path)))

    def lstat(self, path: bytes) -> SFTPAttrs:
        """As stat: there are no links."""
        return self.stat(path)

    def open(self, path: bytes, pflags: int, _attrs: SFTPAttrs) -> object:
        """Open or create a file."""
        with _translated():
            full = self._path(path)
            there = self._files.is_file(full)
            if there and pflags & asyncssh.FXF_EXCL:
                raise WinFault(0x80070000 | codes.FILE_EXISTS, full)
            writes = bool(pflags & asyncssh.FXF_WRITE)
            if not there and not (writes and pflags & asyncssh.FXF_CREAT):
                raise WinFault(0x80070000 | codes.FILE_NOT_FOUND, full)
            fresh = not there or bool(pflags & asyncssh.FXF_TRUNC)
            data = bytearray() if fresh else bytearray(self._files.read(full))
            if writes and fresh:
                self._files.write(full, b"", self._machine.token)
            return _Open(full, data, writes, bool(pflags & asyncssh.FXF_APPEND))

    def read(self, file_obj: object, offset: int, size: int) -> bytes:
        """Bytes of an open file; none means its end."""
        return bytes(_handle(file_obj).data[offset : offset + size])

    def write(self, file_obj: object, offset: int, data: bytes) -> int:
        """Put bytes into an open file."""
        handle = _handle(file_obj)
        if not handle.writes:
            raise asyncssh.SFTPPermissionDenied("Permission denied")
        start = len(handle.data) if handle.append else offset
        if start > len(handle.data):
            handle.data += bytes(start - len(handle.data))
        handle.data[start : start + len(data)] = data
        return len(data)

    def close(self, file_obj: object) -> None:
        """Close a file: what was written is now there."""
        handle = _handle(file_obj)
        if handle.writes:
            with _translated():
                self._files.write(handle.path, bytes(handle.data), self._machine.token)

    def fstat(self, file_obj: object) -> SFTPAttrs:
        """Attributes of an open file."""
        return SFTPAttrs(size=len(_handle(file_obj).data), permissions=_FILE)

    def setstat(self, path: bytes, _attrs: SFTPAttrs) -> None:
        """Attributes are accepted and mean nothing, as on the real server for most."""
        self.stat(path)

    def fsetstat(self, _file_obj: object, _attrs: SFTPAttrs) -> None:
        """As setstat."""

    def remove(self, path: bytes) -> None:
        """Remove a file."""
        with _translated():
            full = self._path(path)
            if self._files.stat(full).folder:
                raise WinFault(0x80070000 | codes.ACCESS_DENIED, full)
            self._files.delete(full, self._machine.token)

    def mkdir(self, path: bytes, _attrs: SFTPAttrs) -> None:
        """Make a folder."""
        with _translated():
            self._files.make_folder(self._path(path))

    def rmdir(self, path: bytes) -> None:
        """Remove an empty folder."""
        with _translated():
            self._files.delete(self._path(path), self._machine.token)

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        """Rename a file."""
        with _translated():
            self._files.rename(self._path(oldpath), self._path(newpath))

    async def scandir(self, path: bytes) -> AsyncIterator[SFTPName]:
        """What is in a folder."""
        with _translated():
            full = self._path(path)
            if not self._files.stat(full).folder:
                raise WinFault(0x80070000 | codes.PATH_NOT_FOUND, full)
            nodes = list(self._files.children(full))
        for node in nodes:
            yield SFTPName(node.name.encode(), attrs=_attributes(node))

    def readlink(self, _path: bytes) -> bytes:
        """There are no links."""
        raise asyncssh.SFTPOpUnsupported("Not supported")

    def symlink(self, _oldpath: bytes, _newpath: bytes) -> None:
        """There are no links."""
        raise asyncssh.SFTPOpUnsupported("Not supported")


def _handle(file_obj: object) -> _Open:
    assert isinstance(file_obj, _Open)
    return file_obj


def _attributes(node: Node) -> SFTPAttrs:
    size = len(node.data) if node.data is not None else 0
    stamp = int(node.modified)
    kind = _FOLDER if node.folder else _FILE
    return SFTPAttrs(size=size, permissions=kind, atime=stamp, mtime=stamp)


SftpFactory = Callable[[asyncssh.SSHServerChannel[bytes]], LabSftp]
