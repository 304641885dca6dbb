"""Every exception volact raises on purpose, as one tree.

    VolactError
    ├── InputError            what the person gave is unusable       (exit 2)
    │   └── DataError         a data file shipped with volact is bad (exit 1)
    ├── StoreError            what happened cannot be kept or read   (exit 1)
    ├── NotifyError           a message could not be delivered       (exit 1)
    ├── TransportError        a server could not be asked            (its row only)
    └── AnswerError           a server answered, but not with facts  (its row only)

Nothing here does I/O.  ``hint`` is the second half of the one line a person
sees: what to do about it.  No message may hold a secret.
"""

from __future__ import annotations

from typing import Any, Literal

ErrorKind = Literal[
    "auth",
    "connect",
    "timeout",
    "host-key",
    "host-key-changed",
    "protocol",
    "agent",
    "busy",
    "not-begun",
]
AnswerKind = Literal["protocol", "agent", "busy"]
# When the same may work a moment later: never, as long as no script was sent,
# or always, because the script that was to be sent certainly did not run.
Passing = Literal["never", "unsent", "refused"]


def one_line(text: str, limit: int = 200) -> str:
    """Printable, on one line, not too long: what others say is a stranger's."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


class VolactError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is one line."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def line(self) -> str:
        """Message and hint as one line for a person."""
        return f"{self.message} ({self.hint})" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _as_it_was, (type(self), self.args, vars(self))


def _as_it_was(kind: type[VolactError], args: tuple[Any, ...], held: dict[str, Any]) -> VolactError:
    """An error that came from another process."""
    error = kind.__new__(kind, *args)
    vars(error).update(held)
    return error


class InputError(VolactError):
    """Wrong usage or input: a file, an option, a target.  Exit code 2."""

    def __init__(self, message: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message, hint)
        self.where = where
        self.what = message  # without the place
        self.others: tuple[InputError, ...] = ()  # of the same table


def unreadable(error: OSError, where: object) -> InputError:
    """The input error for a file that cannot be read."""
    return InputError(error.strerror or "not readable", where=str(where) or repr(""))


class NoServersError(InputError):
    """What is meant has no server."""


class DataError(InputError):
    """A data file that ships with volact does not hold what it must."""


class StoreError(VolactError):
    """The store cannot be opened, read or written.  Never the end of a run."""


class NotifyError(VolactError):
    """A message could not be delivered; its words hold nothing of the URL."""


class TransportError(VolactError):
    """A server could not be asked.  ``kind`` is the contract's error kind.

    ``command`` is what is typed on this computer before the next try, where
    one command mends it; ``passing`` says whether it may pass by itself.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        hint: str = "",
        command: str = "",
        passing: Passing = "never",
    ) -> None:
        super().__init__(message, hint)
        self.kind: ErrorKind = kind
        self.command = command
        self.passing: Passing = passing


class AnswerError(VolactError):
    """The agent ran, or seemed to, but its answer cannot be trusted.

    ``kind`` is ``protocol`` for a truncated, garbled or foreign answer,
    ``agent`` when the agent itself could not run, and ``busy`` when it changed
    nothing because another run is changing the server.
    """

    def __init__(self, kind: AnswerKind, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.kind: AnswerKind = kind
