"""HTTP by httptools, which costs a fifth of h11, with the bound that h11 has on heads."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD = 64 * 1024  # bytes of a request's line and headers, or of its trailers


class BoundedHeads(HttpToolsProtocol):
    """Refuses a request whose head, or what is no body behind it, does not end."""

    _head = 0  # bytes since the last that were a body's, or since a head was complete

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self._head += len(data)
        super().data_received(data)
        if self._head > MOST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_headers_complete(self) -> None:
        """See ``httptools``."""
        self._head = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """See ``httptools``."""
        self._head = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """See ``httptools``."""
        self._head = 0
        super().on_message_complete()
