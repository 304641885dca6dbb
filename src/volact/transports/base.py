"""The protocol of all transports, its values and limits.

No library of a transport is imported here.  Each transport has its own module;
``connect`` chooses the one for a server.

    async with opener(server) as transport:
        raw = await transport.run(script, name=name, deadline_s=60.0)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec

from volact.bounded.memory import Secret
from volact.errors import TransportError
from volact.model.server import Credential, Server
from volact.model.text import say

# The largest answer is 24 KB; more than this from a server is an error of kind ``protocol``.
MAX_OUTPUT = 1024 * 1024

_ANSWER = b"VOLACT1 "
_NAME = re.compile(r"[a-z0-9-]{8,64}")


class Raw(msgspec.Struct, frozen=True):
    """The output of a script, not parsed yet.

    Attributes:
        stdout, stderr: bytes as they arrived; more than ``MAX_OUTPUT`` is an error.
        exit_status: ``None`` if the transport does not report it.
        asked, answered: Unix times by this machine's clock, just before and after the
            execution; the server's clock is compared with them.
    """

    stdout: bytes
    stderr: bytes
    exit_status: int | None
    asked: float
    answered: float


def require_name(name: str) -> None:
    """``ValueError`` for what cannot be the name of a script's file in any shell."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a file name for a script: {name!r}")


def ended_itself(raw: Raw) -> bool:
    """Whether the script came to its own end, at which it removes itself."""
    line = raw.stdout.rpartition(_ANSWER)[2]
    return raw.exit_status is not None and line.endswith(b"\n")


def too_late(deadline_s: float) -> TransportError:
    """The error of a script that did not end in time."""
    return TransportError(
        "timeout",
        say("the server did not finish within {seconds} s", seconds=f"{deadline_s:.3g}"),
        say("raise --deadline, or find out what its processes wait for"),
    )


class Transport(Protocol):
    """A connection to one server; it can run several scripts, one after another."""

    async def run(self, script: bytes, *, name: str, deadline_s: float) -> Raw:
        """Upload a ``.bat`` file, execute it once and return its output.

        Args:
            script: the content of the file.
            name: the name of the file without its suffix; must be unguessable.
            deadline_s: the time limit of upload and execution.

        Raises:
            TransportError: of kind ``timeout`` after ``deadline_s``.  ``passing`` says
                whether the script certainly did not run.  No other exception is raised.
        """

    async def close(self) -> None:
        """Disconnect; never raises and never blocks for long."""


class SharedScript:
    """Base class of a transport that can send one script to many servers at once.

    Only equal bytes are sent together.  So equal requests get the same id, a digest of the
    request and ``salt``: the same within a run, unguessable outside of it.  Whose answer it
    is, the id does not show then: the instance that the server names is compared with
    ``instance``.
    """

    salt: str
    instance: str = ""


class Secrets(Protocol):
    """The source of passwords; asked just before a login."""

    async def password(self, credential: Credential) -> Secret | None:
        """The password of a credential; ``None`` if it has none."""


# Connects to a server for the time of a block; raises ``TransportError`` if that fails.
Opener = Callable[[Server], AbstractAsyncContextManager[Transport]]
