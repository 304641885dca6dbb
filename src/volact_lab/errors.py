"""What can go wrong inside the lab.

``WinFault`` is Windows saying no: an HRESULT that the agent gets to see.
``LabError`` is the lab saying that it does not model what it was asked for;
it is never mistaken for an answer of Windows.  ``Ended`` is neither: a process
that is no more.
"""

from __future__ import annotations

from volact.errors import VolactError


class LabError(VolactError):
    """The simulation was asked for something that it does not model."""


class WinFault(Exception):  # noqa: N818  # named for what it is on Windows
    """A failure as Windows reports it; ``code`` is an unsigned HRESULT."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(f"0x{code & 0xFFFFFFFF:08X} {text}".strip())
        self.code = code & 0xFFFFFFFF
        self.text = text


class Ended(BaseException):
    """The whole process tree was ended from outside: time is up or no caller waits."""


def win32(number: int, text: str = "") -> WinFault:
    """A plain Win32 error number as the HRESULT that COM turns it into."""
    return WinFault(0x80070000 | number, text)
