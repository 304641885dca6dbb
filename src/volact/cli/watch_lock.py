"""One watch over the same servers at a time, on this machine and for this person.

The system's own file locks: they end with their process, however it ends, so
nothing has to be cleaned up.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from volact.errors import VolactError
from volact.model.text import say


@contextmanager
def alone(words: Sequence[str], folder: Path | None = None) -> Iterator[None]:
    """Hold the lock for the servers that ``words`` name; ``VolactError`` if it is held."""
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:16]
    folder = folder or Path(platformdirs.user_state_dir("volact", appauthor=False))
    path = folder / f"watch-{digest}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise VolactError(
            say("{path}: {why}", path=path, why=why),
            say("a watch holds a lock there; set XDG_STATE_HOME to a folder of yours"),
        ) from error
    try:
        if not _lock(handle):
            raise VolactError(
                say("another watch is looking after the same servers"),
                say("let it finish, or end it; its lock is {path}", path=path),
            )
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> bool:
    """Whether the lock could be had; it ends when the file is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - one of the two exists

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
