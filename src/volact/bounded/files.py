"""Reading files that the operator named: pipes and devices too, once, and never without end.

``-i <(command)``, ``/dev/stdin`` and a named pipe give what they hold a single time, and
several places may need it: what is read of one is kept for the run.  A pipe without a
writer and a device without end are errors, not a run that never begins.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from volact.errors import InputError
from volact.model.text import say

MOST_BYTES = 64 * 1024 * 1024
WAIT_S = 30.0
_BLOCK = 64 * 1024

_kept: dict[str, bytes] = {}


def own_path(text: str) -> Path:
    """A path as it is written, with ``~``; ``InputError`` for one that can be none."""
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise InputError(
            say("{text}: whose home is that?", text=repr(text)), say("write the path in full")
        ) from error
    if "\0" in text:
        raise InputError(say("{text} is not a path", text=repr(text)))
    return path


def is_pipe(path: Path) -> bool:
    """Whether there is something under that name that is no regular file and no folder."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def read_named(path: Path, *, most: int = MOST_BYTES, wait_s: float = WAIT_S) -> bytes:
    """The bytes of a file, pipe or device.

    Raises:
        OSError: it cannot be read, holds more than ``most`` bytes, or gives nothing
            within ``wait_s`` seconds.
    """
    if not is_pipe(path):
        with path.open("rb") as file:
            return _within(file.read(most + 1), most)
    key = str(path)
    if key not in _kept:
        _kept[key] = _within(_drained(path, most, wait_s), most)
    return _kept[key]


def require_readable(path: Path) -> None:
    """``OSError`` for what cannot be read; takes nothing out of a pipe."""
    if is_pipe(path):
        if not os.access(path, os.R_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return
    with path.open("rb"):
        return


@contextmanager
def as_file(path: Path) -> Iterator[Path]:
    """A regular file with the content: the file itself, or a copy of what a pipe gives."""
    if not is_pipe(path):
        yield path
        return
    data = read_named(path)
    with tempfile.TemporaryDirectory(prefix="volact-") as folder:
        copy = Path(folder) / (path.name or "input")
        copy.write_bytes(data)
        yield copy


def _drained(path: Path, most: int, wait_s: float) -> bytes:
    until = time.monotonic() + wait_s
    data = bytearray()
    # Without waiting for the other end: a pipe without a writer would never be opened.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    try:
        while len(data) <= most:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(
                    errno.ETIMEDOUT, say("gave nothing within {seconds} s", seconds=f"{wait_s:g}")
                )
            block = _block(handle, min(left, 0.05))
            if block:
                data += block
            elif block is not None and (data or not _may_still_come(handle)):
                break
    finally:
        os.close(handle)
    return bytes(data)


def _block(handle: int, wait_s: float) -> bytes | None:
    """What is there; ``None`` when nothing is there yet, empty at the end."""
    if os.name == "posix":
        ready, _, _ = select.select([handle], [], [], wait_s)
        if not ready:
            return None
    try:
        return os.read(handle, _BLOCK)
    except BlockingIOError:
        return None


def _may_still_come(handle: int) -> bool:
    """Whether an end without a byte only means that no writer has come yet."""
    if not stat.S_ISFIFO(os.fstat(handle).st_mode) or os.name != "posix":
        return False
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    hung_up = any(event & select.POLLHUP for _, event in waiting.poll(0))
    time.sleep(0 if hung_up else 0.02)
    return not hung_up


def _within(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise OSError(errno.EFBIG, say("holds more than {most} bytes", most=most))
    return data
