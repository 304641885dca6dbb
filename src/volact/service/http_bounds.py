"""HTTP by httptools, which costs a fifth of h11, with bounds on what a client may hold.

A client has a time for its request and for reading the answer, a request's head has a size,
and of connections that wait for a client only so many are open: the one that has waited
longest makes room for a new one, so that a flood of idle ones keeps no client out.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 * 1024  # bytes of a request's line and headers, or of its trailers
HEAD_S = 20.0  # from the first byte, or the connection, to the end of the headers
BODY_S = 120.0  # to the end of the body: 10 MB by a slow line
UNREAD_S = 60.0  # for an answer to be read
MOST_AHEAD = 16  # requests sent before an earlier one is answered; no browser does so
MOST_WAITING = 500  # connections, in this process, whose next request is not whole


class BoundedHttp(HttpToolsProtocol):
    """A connection that ends when its client passes a bound."""

    waiting: ClassVar[dict[BoundedHttp, None]] = {}  # the longest first

    _head = 0  # bytes since the last that were a body's, or since a head was complete
    _request: TimerHandle | None = None
    _unread: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn
        """See ``asyncio.Protocol``."""
        super().connection_made(transport)
        self._wait(HEAD_S)
        while len(self.waiting) > MOST_WAITING:
            longest = next(iter(self.waiting))
            longest._wait(None)
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self._wait(None)
        self._read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._head += len(data)
        if self._request is None and (self.cycle is None or self.cycle.response_complete):
            self._wait(HEAD_S)
        super().data_received(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """See ``httptools``."""
        self._head = 0
        self._wait(BODY_S)
        super().on_headers_complete()
        if len(self.pipeline) > MOST_AHEAD:
            raise ValueError("too many requests ahead")  # by which the parser stops, too

    def on_body(self, body: bytes) -> None:
        """See ``httptools``."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See ``httptools``."""
        self._head = 0
        self._wait(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See uvicorn; a connection that is kept for another request waits for it."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.waiting.setdefault(self)

    def pause_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_S, self.transport.abort)

    def resume_writing(self) -> None:
        """See ``asyncio.Protocol``."""
        self._read()
        super().resume_writing()

    def _wait(self, seconds: float | None) -> None:
        """Give the client so long for what it owes; ``None``: it owes nothing."""
        if self._request is not None:
            self._request.cancel()
        self._request = None
        self.waiting.pop(self, None)
        if seconds is not None:
            self._request = self.loop.call_later(seconds, self.transport.abort)
            self.waiting[self] = None

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
