"""HTTP as WinHTTP does it: one request at a time, connections kept and used again.

A pool lives as long as the process on the server that made it.  Failures are
the HRESULTs of WinHTTP.  No redirects that are followed, proxies, TLS or chunked bodies: nothing
the agent asks for has them, and the lab reports them instead of guessing.

A request that waits in vain waits for a part of the time only; ``HttpPool.waited_s`` is
the time that requests took of the script, which is that of Windows however busy this machine
is: an agent tells a refusal from a time-out by it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from volact_lab import codes
from volact_lab.errors import LabError, WinFault
from volact_lab.windows.network import NetFault, Network

_FAULTS = {
    "name": codes.HTTP_NAME,
    "refused": codes.HTTP_CANNOT_CONNECT,
    "local": codes.HTTP_CANNOT_CONNECT,
    "timeout": codes.HTTP_TIMEOUT,
}
_LIMIT = 1 << 20
# Windows asks a host that refuses two or four times again, half a second apart; what the
# server itself does not let out is known at once.
REFUSED_AFTER_S = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """The time-outs of a request in seconds."""

    connect_s: float = 60.0
    receive_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class HttpPool:
    """The connections of one process.  ``tag`` shows the lab's servers who asks."""

    def __init__(self, network: Network, tag: str, refused_after_s: float = 1.0) -> None:
        self._network = network
        self._tag = tag
        self._refused_after_s = refused_after_s
        self.waited_s = 0.0
        self._idle: dict[tuple[str, int], socket.socket] = {}

    def request(self, method: str, url: str, headers: dict[str, str], limits: Limits) -> Response:
        """Send a request and read its answer; WinFault with a WinHTTP code."""
        parts = _split(url)
        host, port = parts.hostname or "", parts.port or 80
        head = self._head(method, parts, headers)
        kept = self._idle.pop((host, port), None)
        if kept is not None:
            try:
                return self._exchange(kept, (host, port), head)
            except WinFault:
                kept.close()  # the server had closed it meanwhile: one new try
        sock = self._open(host, port, limits.connect_s)
        if self._network.says_nothing(host, port, head):
            sock.close()
            self._wait(limits.receive_s)
            raise WinFault(codes.HTTP_TIMEOUT)
        return self._exchange(sock, (host, port), head)

    def close(self) -> None:
        """Close every connection."""
        for kept in self._idle.values():
            kept.close()
        self._idle.clear()

    def _open(self, host: str, port: int, connect_s: float) -> socket.socket:
        try:
            return self._network.connect(host, port, connect_s, script=True)
        except NetFault as fault:
            self._count(fault, connect_s)
            raise WinFault(_FAULTS[fault.why]) from fault

    def _count(self, fault: NetFault, connect_s: float) -> None:
        if fault.why == "timeout":
            self.waited_s += connect_s
        elif fault.why == "refused":
            self._wait(self._refused_after_s)

    def _wait(self, seconds: float) -> None:
        self._network.wait(seconds)
        self.waited_s += seconds

    def _head(self, method: str, parts: SplitResult, headers: dict[str, str]) -> bytes:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {parts.netloc}",
            "Connection: Keep-Alive",
            "Accept: */*",
            "User-Agent: Mozilla/4.0 (compatible; Win32; WinHttp.WinHttpRequest.5)",
            f"X-Lab-Server: {self._tag}",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _exchange(self, sock: socket.socket, key: tuple[str, int], head: bytes) -> Response:
        try:
            sock.sendall(head)
            response = _read(sock)
        except TimeoutError as error:
            sock.close()
            raise WinFault(codes.HTTP_TIMEOUT) from error
        except OSError as error:
            sock.close()
            raise WinFault(codes.HTTP_CONNECTION) from error
        except WinFault:
            sock.close()
            raise
        if (response.header("Connection") or "").lower() == "close":
            sock.close()
        else:
            self._idle[key] = sock
        return response


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme == "https":
        raise LabError(f"HTTPS is not modelled: {url}")
    if parts.scheme != "http":
        raise WinFault(codes.HTTP_UNRECOGNISED_SCHEME, url)
    try:
        valid = bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        valid = False
    if not valid:
        raise WinFault(codes.HTTP_INVALID_URL, url)
    return parts


def _read(sock: socket.socket) -> Response:
    data = b""
    while b"\r\n\r\n" not in data:
        if data and not b"HTTP/".startswith(data[:5]):
            raise WinFault(codes.HTTP_INVALID_RESPONSE)
        more = sock.recv(65536)
        if not more or len(data) > _LIMIT:
            raise WinFault(codes.HTTP_INVALID_RESPONSE if data else codes.HTTP_CONNECTION)
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    status, reason, headers = _parse_head(head)
    response = Response(status, reason, headers, b"")
    length = response.header("Content-Length")
    if length is None:
        raise LabError("an HTTP answer without Content-Length is not modelled")
    while len(body) < int(length):
        more = sock.recv(65536)
        if not more:
            raise WinFault(codes.HTTP_CONNECTION)
        body += more
    return Response(status, reason, headers, body)


def _parse_head(head: bytes) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    number, _, reason = status.partition(" ")
    if not version.startswith("HTTP/1.") or not number.isdigit():
        raise WinFault(codes.HTTP_INVALID_RESPONSE)
    headers = tuple(
        (name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in rest)
    )
    return int(number), reason, headers
