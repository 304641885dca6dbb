"""Bounds for ``http.client`` and for everything that is built upon it.

Both ``urllib.request`` and ``urllib3`` let a connection name the class of its answers;
``bounded_response`` makes one whose whole answer, head and body, stays within limits.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from functools import partial
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from volact.bounded.stream import BoundedBuffer, BoundedReader, EncodedError, Limits, hang_up

_PLAIN = frozenset({"", "identity"})
_PORTS = {"http": 80, "https": 443}


class _NewestAnswer(threading.local):
    """What libraries keep to themselves of the newest answer that this thread has read."""

    retry_after = ""


newest_answer = _NewestAnswer()


class BoundedResponse(http.client.HTTPResponse):
    """An answer that is read within limits and never decompressed."""

    def __init__(self, sock: socket.socket, *args: Any, limits: Limits, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self._peer = sock
        raw = self.fp.detach()
        self.fp = BoundedBuffer(BoundedReader(raw, sock, limits), limits)

    def begin(self) -> None:
        """Read the head; refuse an encoding, which no request of volact offers."""
        super().begin()
        newest_answer.retry_after = self.headers.get("Retry-After", "") if self.headers else ""
        encoding = self.headers.get("Content-Encoding", "") if self.headers else ""
        if encoding.strip().lower() not in _PLAIN:
            hang_up(self._peer)
            raise EncodedError


def bounded_response(limits: Limits) -> Any:
    """The ``response_class`` of a connection."""
    return partial(BoundedResponse, limits=limits)


def bounded_connection(kind: type[Any], limits: Limits) -> type[Any]:
    """A kind of HTTP connection whose answers are bounded."""
    return type(f"Bounded{kind.__name__}", (kind,), {"response_class": bounded_response(limits)})


class BoundedHandler(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """``http://`` and ``https://`` of ``urllib.request``, within limits."""

    def __init__(self, limits: Limits) -> None:
        urllib.request.HTTPSHandler.__init__(self)
        self._plain = bounded_connection(http.client.HTTPConnection, limits)
        self._tls = bounded_connection(http.client.HTTPSConnection, limits)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """An answer in clear."""
        return self.do_open(cast("Any", self._plain), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """An answer by TLS."""
        return self.do_open(cast("Any", self._tls), req)


def stays_at_origin(url: str, location: str) -> bool:
    """Whether a redirect stays at the scheme, host and port of a URL; no for what is no URL."""
    try:
        return _origin(url) == _origin(urljoin(url, location))
    except ValueError:
        return False


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
