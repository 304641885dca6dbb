"""Text kept on disk until a report's end: rows that come before what stands above them.

A little stays in memory, the rest goes to a nameless file that the system
removes by itself, so a report costs no memory for each server.
"""

from __future__ import annotations

import tempfile
from typing import TextIO

_IN_MEMORY = 256 * 1024


class Spool:
    """Lines kept one after another, then copied out, or read where each begins."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._end = 0

    def add(self, line: str) -> int:
        """Keep a line; where it begins.  What has no UTF-8 form is replaced."""
        at = self._end
        self._end += self._file.write(line.encode("utf-8", "replace") + b"\n")
        return at

    def line(self, at: int) -> str:
        """The line that begins there, with its end; nothing is added any more."""
        self._file.seek(at)
        return self._file.readline().decode()

    def copy_to(self, out: TextIO) -> None:
        """Write all of it somewhere else, in the order in which it came."""
        self._file.seek(0)
        for line in self._file:
            out.write(line.decode())

    def close(self) -> None:
        """Release the text."""
        self._file.close()

    def __del__(self) -> None:
        """An unfinished report releases its text, too."""
        self.close()
