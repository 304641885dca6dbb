"""What every way to a server has in common: one protocol, its values, its limits.

No library of any transport is imported here.  How a script travels over SSH
is in ``ssh``, which transport a server gets in ``connect``.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from volact.model.server import Credential, Server

# The largest answer is 24 KB; what is far beyond is a server gone wild.
MAX_OUTPUT = 1024 * 1024


class Raw(msgspec.Struct, frozen=True):
    """What came back from running a script, unread.

    ``asked`` and ``answered`` are Unix times by this machine's clock, tight
    around the execution: the server's own clock is judged by them.
    """

    stdout: bytes
    stderr: bytes
    exit_status: int | None
    asked: float
    answered: float


class Transport(Protocol):
    """An open way to one server; it may run several scripts one after another."""

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Carry a ``.bat`` there, execute it once and return what it wrote.

        ``name`` is the file's name without its suffix and must be unguessable.
        Raises ``TransportError`` alone; after ``deadline_s`` that of kind
        ``timeout``.
        """
        ...

    async def close(self) -> None:
        """Let go of the server; never fails and never hangs."""
        ...


class SharedScript:
    """Derived from by a transport that can give one script to many servers at once.

    Only equal bytes travel together.  So the same questions are put under the
    same id, which whoever makes the script derives from them and from
    ``salt``: the same within a run, unguessable outside of it.
    """

    salt: str


class Password(Protocol):
    """A secret that shows itself only when told to."""

    def reveal(self) -> str:
        """The secret in clear."""
        ...


class Secrets(Protocol):
    """Where passwords come from, at the last moment."""

    async def password(self, credential: Credential) -> Password | None:
        """The password of a login, ``None`` when it has none."""
        ...


Opener = Callable[[Server], AbstractAsyncContextManager[Transport]]
