"""Who may log in by NTLM: a file of names, read by the acceptor.

The acceptor finds the file by an environment variable.  It is set for the
moment of a step only, because several labs may live in one process.  It is
emptied and never removed: another thread that walks through the environment
would stumble over a name that is gone.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "NTLM_USER_FILE"
_LOCK = threading.Lock()


class Users:
    """The accounts of a lab; they share a password."""

    def __init__(self, path: Path, names: Iterable[str], password: str) -> None:
        lines = {f"{_line(name)}:{password}\n" for name in names}
        path.write_text("".join(sorted(lines)), "utf-8")
        path.chmod(0o600)
        self._path = path

    @contextmanager
    def known(self) -> Iterator[None]:
        """Let the acceptor see them."""
        with _LOCK:
            before = os.environ.get(_VARIABLE, "")
            os.environ[_VARIABLE] = str(self._path)
            try:
                yield
            finally:
                os.environ[_VARIABLE] = before


def _line(name: str) -> str:
    domain, _, user = name.rpartition("\\")
    return f"{domain}:{user}"
