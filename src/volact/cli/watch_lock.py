"""One watch over the same servers at a time, on this machine and for this user.

The lock is the operating system's and ends with its process, so none is left after a
crash.  A file system without such locks is an error: a lock by a file's mere existence
would outlive a killed watch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from volact.errors import VolactError
from volact.model.text import say


@contextmanager
def alone(words: Sequence[str], folder: Path | None = None) -> Iterator[None]:
    """Hold the lock for the servers that ``words`` name; ``VolactError`` if it is held."""
    digest = hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:16]
    folder = folder or Path(platformdirs.user_state_dir("volact", appauthor=False))
    path = folder / f"watch-{digest}.lock"
    lock = FileLock(path, mode=0o600, blocking=False, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise VolactError(
            say("another watch is running for the same servers"),
            say("wait for it, or stop it; its lock is {path}", path=path),
        ) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise VolactError(
            say("{path}: {why}", path=path, why=why),
            say("watch keeps its lock there; set XDG_STATE_HOME to a folder that you can write"),
        ) from error
    try:
        yield
    finally:
        lock.release()
