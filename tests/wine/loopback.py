"""Small TCP hosts on the loopback: what a server finds at the other end.

``reset`` and ``close`` break off as an RPC host does on bytes that are not its
own, ``silent`` accepts and sends nothing, ``http`` serves pages,
``-> URL`` as a redirect.  None of them
speaks KMS.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from email.utils import formatdate


class Loopback:
    """One listening port and a thread that answers there."""

    def __init__(self, kind: str, pages: dict[str, str]) -> None:
        self.kind = kind
        self.pages = pages
        self.clock_offset = 0.0
        self.requests: list[str] = []
        self._held: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """``127.0.0.1:<port>``."""
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening and let go of every connection."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        self.let_go()

    def let_go(self) -> None:
        """Close the connections that wait for an answer."""
        while self._held:
            self._held.pop().close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(600)
        request = connection.recv(65536).decode("latin-1")
        if self.kind == "silent":
            self._held.append(connection)
            self.requests.append(request)
            return
        self.requests.append(request)
        if self.kind == "http":
            connection.sendall(self._page())
        if self.kind == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()

    def _page(self) -> bytes:
        import time

        path = self.requests[-1].split(" ")[1]
        body = self.pages.get(path, self.pages.get("*", "no such page")).encode()
        status = "200 OK" if path in self.pages else "404 Not Found"
        if body.startswith(b"-> "):
            status = f"307 Moved\r\nLocation: {body[3:].decode()}"
        date = formatdate(time.time() + self.clock_offset, usegmt=True)
        head = f"HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {len(body)}\r\n"
        return f"{head}Connection: close\r\n\r\n".encode() + body
