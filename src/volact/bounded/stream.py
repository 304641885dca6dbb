"""What is read for one answer from one socket: at most so many bytes, until a moment.

The bound lies under the HTTP library, on the bytes as they arrive.  So it holds for
everything the library reads: status lines, headers, chunk sizes, trailers, bodies.
Bytes are counted as they come off the line; nothing above may decompress
(``http_client`` refuses that), so memory is bounded by the same number.
"""

from __future__ import annotations

import contextlib
import io
import socket
import time
from typing import Any

import msgspec

from volact.model.text import say

_VALUES = (b",", b"[", b"{", b"<")  # before each value there is one of them


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The bounds of one request.

    ``total_s`` covers the whole answer, however slowly it trickles; the time-outs of
    single reads are the library's own.  ``most_values`` is for JSON and XML that a library
    makes objects of: each of them can be three bytes long and take a hundred.
    """

    most_bytes: int = 2 * 1024 * 1024
    total_s: float = 30.0
    most_values: int | None = None


class PeerLimitError(OSError):
    """A peer did more than it may; the socket is closed already."""


class TooMuchError(PeerLimitError):
    """More bytes than the bound."""

    def __init__(self, most: int) -> None:
        super().__init__(say("the answer is larger than {most} bytes", most=most))


class TooManyValuesError(PeerLimitError):
    """More values than the bound."""

    def __init__(self, most: int) -> None:
        super().__init__(say("the answer holds more than {most} values", most=most))


class TooLongError(PeerLimitError, TimeoutError):
    """The answer was not whole in its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            say("the answer was not complete within {seconds} s", seconds=f"{seconds:g}")
        )


class EncodedError(PeerLimitError):
    """A compressed answer, which was not asked for."""

    def __init__(self) -> None:
        super().__init__(say("the answer is compressed, which was not asked for"))


class RedirectError(PeerLimitError):
    """An answer that redirects to where it is not followed."""

    def __init__(self) -> None:
        super().__init__(say("the answer is a redirect, which is not followed"))


class BoundedReader(io.RawIOBase):
    """The raw stream of a socket, with a count and a deadline.

    Args:
        raw: the unbuffered stream of the socket (``makefile("rb", buffering=0)``).
        sock: the socket itself, closed as soon as a bound is passed.
        limits: the bounds, counted from now.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limits: Limits) -> None:
        self._raw = raw
        # Where libraries look for the TLS socket, to bind a login to its certificate.
        self._sock = sock
        self._limits = limits
        self._left = limits.most_bytes
        self._values = 0
        self._until = time.monotonic() + limits.total_s

    def readable(self) -> bool:
        """A stream to be read."""
        return True

    def fileno(self) -> int:
        """The socket's own, for a library that waits for it."""
        return self._raw.fileno()

    def readinto(self, buffer: Any, /) -> int | None:
        """Read once, within what is left of bytes and time."""
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            self._refuse(TooLongError(self._limits.total_s))
        usual = self._sock.gettimeout()
        self._sock.settimeout(left_s if usual is None else min(usual, left_s))
        try:
            count = self._raw.readinto(memoryview(buffer)[: self._left + 1])
        finally:
            with contextlib.suppress(OSError):  # closed meanwhile
                self._sock.settimeout(usual)
        self._left -= count or 0
        if self._left < 0:
            self._refuse(TooMuchError(self._limits.most_bytes))
        if (most := self._limits.most_values) is not None:
            block = bytes(memoryview(buffer)[: count or 0])
            self._values += sum(map(block.count, _VALUES))
            if self._values > most:
                self._refuse(TooManyValuesError(most))
        return count

    def close(self) -> None:
        """Close the stream; the socket belongs to its connection."""
        if not self.closed:
            self._raw.close()
        super().close()

    def _refuse(self, error: PeerLimitError) -> None:
        hang_up(self._sock)
        raise error


class BoundedBuffer(io.BufferedReader):
    """The buffer over a ``BoundedReader``; never makes room for more than the bound.

    Else a server that only claims a terabyte (a length, a chunk's size) makes the
    library ask for that much memory at once.
    """

    def __init__(self, raw: BoundedReader, limits: Limits) -> None:
        super().__init__(raw)
        self._most = limits.most_bytes + 1

    def read(self, size: int | None = -1, /) -> bytes:
        """As always; to ask for more than the bound is to pass it."""
        if size is not None and size > self._most:
            size = self._most
        return super().read(size)


def limit_passed(error: BaseException) -> PeerLimitError | None:
    """The bound behind an error, however many libraries have wrapped it; ``None``: none was."""
    seen: list[BaseException] = []
    left = [error]
    while left:
        one = left.pop()
        if isinstance(one, PeerLimitError):
            return one
        seen.append(one)
        named = (getattr(one, name, None) for name in ("reason", "inner_exception"))
        parts = (one.__cause__, one.__context__, *named, *one.args)
        left += [part for part in parts if isinstance(part, BaseException) and part not in seen]
    return None


def hang_up(sock: socket.socket) -> None:
    """End a connection at once, also for a thread that waits in it."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
