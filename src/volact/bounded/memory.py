"""The memory of a process that holds secrets."""

from __future__ import annotations

import sys

_PR_SET_DUMPABLE = 4


def keep_memory_private() -> None:
    """Write no core dump, and show this memory to no other process of the account.

    Passwords are in it in clear.
    """
    try:
        import resource  # noqa: PLC0415 - not on every system
    except ImportError:
        return
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - asyncssh brings it along

        # A pipe that takes core dumps does not care about the limit.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0)


class Secret:
    """A value that prints as ``***`` wherever it is put by mistake."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value in clear, for the one place that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not stored")
