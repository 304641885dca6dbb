"""The lab's metadata server: HTTP/1.1 with keep-alive and a Date header.

A real one knows which machine asks by where the packet comes from; in the lab
all come from loopback, so a simulated server adds a header with its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate

from volact_lab.hosts.tcp import Connection, TcpListener

PREFIXES = ("/latest/meta-data/", "/meta-data/", "/metadata/instance/", "/latest/dynamic/")
_TOKEN = "a-token"  # what IMDSv2 gives to everyone who asks for one by PUT
_LARGEST = 8192

Lookup = Callable[[str], Mapping[str, str] | None]


@dataclass
class MetadataServer:
    """Values by the name of the server that asks; 404 for unknown keys."""

    lookup: Lookup
    answered: int = 0
    listener: TcpListener = field(default_factory=TcpListener)

    def answer(self, head: bytes) -> bytes:
        """The whole answer to one request head."""
        self.answered += 1
        first, *lines = head.decode("latin-1").split("\r\n")
        method, _, rest = first.partition(" ")
        path = rest.rpartition(" ")[0].partition("?")[0]
        headers = {k.strip().lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}
        if (method, path) == ("PUT", "/latest/api/token"):
            return _response("200 OK", _TOKEN.encode())
        if method != "GET" or not rest.endswith("HTTP/1.1"):
            return _response("405 Method Not Allowed", b"")
        if "/dynamic/" in path and headers.get("x-aws-ec2-metadata-token") != _TOKEN:
            return _response("401 Unauthorized", b"")
        value = self._value(path, headers.get("x-lab-server", ""))
        if value is None:
            return _response("404 Not Found", b"404 - Not Found")
        return _response("200 OK", value.encode())

    def _value(self, path: str, name: str) -> str | None:
        values = self.lookup(name)
        for prefix in PREFIXES:
            if path.startswith(prefix) and values is not None:
                return values.get(path.removeprefix(prefix))
        return None

    async def start(self) -> int:
        """Listen on a free loopback port and return it."""
        return await self.listener.start(lambda: _Connection(self))

    async def stop(self) -> None:
        """Close the listener."""
        await self.listener.stop()


class _Connection(Connection):
    def __init__(self, server: MetadataServer) -> None:
        super().__init__(server.listener)
        self._server = server

    def received(self) -> bytes | None:
        """Answer every whole request head; hang up on an endless one."""
        answers = b""
        while b"\r\n\r\n" in self.data:
            head, _, self.data = self.data.partition(b"\r\n\r\n")
            answers += self._server.answer(head)
        return None if len(self.data) > _LARGEST else answers


def _response(status: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nDate: {formatdate(usegmt=True)}\r\nServer: lab\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: keep-alive\r\n\r\n"
    )
    return head.encode("latin-1") + body
