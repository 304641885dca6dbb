"""Writing files named on the command line: whole or not at all, never replacing another kind.

- A regular file is written beside its name and moved there at the end.  It keeps its
  mode, and its owner where that is allowed; a new file gets what the umask leaves.
- A symbolic link is followed: the file that it leads to is replaced, the link stays.
- A device, a pipe or an open descriptor (``/dev/stdout``, ``/dev/fd/3``) is written to at
  the end, as a shell's ``>`` does; what is to be written waits in a nameless file.
- A folder or a socket is refused.
"""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from volact.errors import InputError, VolactError
from volact.model.text import Text, say

_DESCRIPTOR = re.compile(r"/dev/(?:fd/(\d{1,6})|(stdout|stderr))|/proc/self/fd/(\d{1,6})")


def require_other_file(path: Path, read: Iterable[str]) -> None:
    """``InputError`` for an output file that is one of those that are ``read``."""
    for name in read:
        with suppress(OSError):
            if path.is_file() and path.samefile(name):
                raise InputError(
                    say("is read by this command, and would be overwritten"),
                    say("choose another file"),
                    where=str(path),
                )


class AtomicFile:
    """A file that appears under its name only when it is whole.

    Args:
        path: as named on the command line.
        new: refuse a name that is taken.

    Raises ``InputError`` at once for a place that cannot be written, ``FileExistsError``
    for a name that is taken and must not be.
    """

    def __init__(self, path: Path, *, new: bool = False) -> None:
        if str(path) == "-":
            raise InputError(
                say("is not the name of a file"),
                say("standard output is /dev/stdout") if os.name == "posix" else "",
                where="-",
            )
        self._path = path
        try:
            self._place = _place_of(path, new=new)
            binary = self._place.open()
        except FileExistsError:
            raise
        except OSError as error:
            reason = error.strerror or say("cannot be written")
            raise InputError(reason, say("choose another file"), where=str(path)) from error
        self.file: TextIO = io.TextIOWrapper(binary, encoding="utf-8", newline="")

    @property
    def binary(self) -> BinaryIO:
        """The same file, for bytes."""
        return self.file.buffer

    def keep(self) -> None:
        """Put the file in its place, or its text into the device or pipe."""
        self.file.flush()
        self._place.keep(self.binary)
        self.file.close()

    def discard(self) -> None:
        """Leave nothing behind of what never became whole."""
        with suppress(OSError):  # a full disk has no room for the last bytes either
            self.file.close()
        self._place.discard()


class _Beside:
    """A regular file, there or new: written beside its name."""

    def __init__(self, path: Path, before: os.stat_result | None, *, new: bool) -> None:
        self._path = path
        self._before = before
        self._new = new
        self._part = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}.part")

    def open(self) -> BinaryIO:
        # Closed to others until it has the mode of the file whose place it takes.
        mode = 0o666 if self._before is None else 0o600
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(self._part, flags, mode), "w+b")

    def keep(self, file: BinaryIO) -> None:
        # Windows has no owners of this kind, and modes since Python 3.13 alone.
        if self._before is not None and hasattr(os, "fchown"):
            with suppress(PermissionError):
                os.fchown(file.fileno(), self._before.st_uid, self._before.st_gid)
        if self._before is not None and hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), stat.S_IMODE(self._before.st_mode))
        file.close()
        if self._new:
            _move_new(self._part, self._path)
            return
        now = _lstat(self._path)
        if now is not None and not stat.S_ISREG(now.st_mode):
            raise FileExistsError(errno.EEXIST, "is no regular file any more")
        self._part.replace(self._path)

    def discard(self) -> None:
        self._part.unlink(missing_ok=True)


class _Through:
    """A device, a pipe or an open descriptor: written to at the end."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    def open(self) -> BinaryIO:
        if self._descriptor is not None:
            os.fstat(self._descriptor)
        elif not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return cast("BinaryIO", tempfile.TemporaryFile())

    def keep(self, file: BinaryIO) -> None:
        file.seek(0)
        with os.fdopen(self._out(), "wb") as out:
            shutil.copyfileobj(file, out)

    def _out(self) -> int:
        if self._descriptor is not None:
            return os.dup(self._descriptor)
        # A pipe without a reader is an error, not a run that never ends.
        at_once = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
        handle = os.open(self._path, os.O_WRONLY | at_once)
        if os.name == "posix":
            os.set_blocking(handle, True)
        return handle

    def discard(self) -> None:
        """What waited in a nameless file is gone with it."""


def _place_of(path: Path, *, new: bool) -> _Beside | _Through:
    number = _descriptor_of(path)
    if number is not None:
        return _Through(path, number)
    if new and _lstat(path) is not None:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    try:
        found: os.stat_result | None = path.stat()
    except FileNotFoundError:
        found = None  # a new file, also at the end of a link
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise InputError(say("is a directory"), say("choose a file"), where=str(path))
    if found is not None and stat.S_ISSOCK(found.st_mode):
        raise InputError(say("is a socket"), say("choose a file"), where=str(path))
    if found is not None and not stat.S_ISREG(found.st_mode):
        return _Through(path, None)
    if path.is_symlink():
        path = Path(os.path.realpath(path))
    return _Beside(path, found, new=new)


def _descriptor_of(path: Path) -> int | None:
    """The number of an open descriptor that the path names: opening it anew would start over."""
    match = _DESCRIPTOR.fullmatch(str(path)) if os.name == "posix" else None
    if match is None:
        return None
    word = next(group for group in match.groups() if group)
    return {"stdout": 1, "stderr": 2}.get(word) or int(word)


def _move_new(part: Path, path: Path) -> None:
    """Move a file to a name that must be free; a file made meanwhile keeps it."""
    try:
        os.link(part, path)
    except OSError as error:
        if isinstance(error, FileExistsError) or _lstat(path) is not None:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from error
        part.replace(path)  # a file system without hard links
        return
    part.unlink()


def _lstat(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


@contextmanager
def atomic_file(path: Path) -> Iterator[TextIO]:
    """The file, open; it stays only when nothing was raised meanwhile."""
    target = AtomicFile(path)
    try:
        yield target.file
        target.keep()
    except BaseException as error:
        target.discard()
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            error.filename = error.filename or str(path)  # a write does not say where
        raise


def require_free(path: Path, hint: Text) -> None:
    """``InputError`` with a hint for a name that is taken."""
    if path.exists():
        raise InputError(say("already exists"), hint, where=str(path))


def write_whole(path: Path, data: bytes, *, taken: Text | None = None) -> None:
    """Write a file at once; with ``taken``, the hint, only under a name that is not taken.

    Raises ``InputError`` where that cannot be, ``VolactError`` for a full disk.
    """
    target = None
    try:
        target = AtomicFile(path, new=taken is not None)
        target.binary.write(data)
        target.keep()
    except BaseException as error:
        if target is not None:
            target.discard()
        if isinstance(error, FileExistsError) and taken is not None:
            raise InputError(say("already exists"), taken, where=str(path)) from error
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise VolactError(
                say("{path}: {why}", path=path, why=os.strerror(error.errno)),
                say("free some disk space, then try again"),
            ) from error
        if isinstance(error, OSError):
            reason = error.strerror or say("cannot be written")
            raise InputError(reason, where=str(path)) from error
        raise
