"""Where a simulated process writes to and reads from."""

from __future__ import annotations

from typing import Protocol

from volact_lab.windows.files import Files


class Sink(Protocol):
    """Takes bytes."""

    def write(self, data: bytes) -> None:
        """Take bytes."""


class Source(Protocol):
    """Gives bytes that the other end has yet to send."""

    def read(self) -> bytes:
        """Everything up to the end of input; waits for it."""


class Buffer:
    """Keeps what is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self._parts.append(data)

    def value(self) -> bytes:
        """Everything written so far."""
        return b"".join(self._parts)


class Nul:
    """The device NUL."""

    def write(self, data: bytes) -> None:
        """Take bytes and forget them."""


class FileSink:
    """A file opened for writing: there at once, filled when closed."""

    def __init__(self, files: Files, path: str, *, append: bool) -> None:
        there = append and files.is_file(path)
        self._files = files
        self._path = path
        self._data = bytearray(files.read(path) if there else b"")
        files.write(path, bytes(self._data))

    def write(self, data: bytes) -> None:
        """Take bytes."""
        self._data += data

    def close(self) -> None:
        """Put what was written into the file."""
        self._files.write(self._path, bytes(self._data))
