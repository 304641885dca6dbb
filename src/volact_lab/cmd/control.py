"""Ways out of the ordinary order of commands.  None of them is a failure."""

from __future__ import annotations


class ExitShell(Exception):  # noqa: N818  # ``exit``, not a failure
    """The shell ends with a code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class LeaveBatch(Exception):  # noqa: N818  # ``exit /b`` and ``goto :eof``, not failures
    """The batch file or the called label ends."""


class Jump(Exception):  # noqa: N818  # ``goto``, not a failure
    """Go on behind a label."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label
