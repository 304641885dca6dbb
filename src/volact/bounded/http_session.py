"""Bounds for a ``requests`` session: bytes, time, no compression, no strange redirects.

For libraries that bring a session of their own (pypsrp, cloud SDKs)::

    ends = bind_session(session, Limits(most_bytes=1_048_576), redirects="never")
    ...
    ends.abort()  # from any thread: open sockets end, no further request is sent
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Literal
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3.poolmanager import PoolManager

from volact.bounded.http_client import bounded_connection, stays_at_origin
from volact.bounded.stream import Limits, RedirectError, hang_up
from volact.model.text import say

Redirects = Literal["never", "same-origin"]


class BoundedAdapter(HTTPAdapter):
    """Sends requests of a session within limits.

    Args:
        limits: the bounds of each request.
        redirects: whether an answer may lead anywhere: ``"never"``, or
            ``"same-origin"`` (scheme, host and port stay).
    """

    def __init__(self, limits: Limits, redirects: Redirects, **more: Any) -> None:
        # Before the base class, which makes its pools at once.
        self._limits = limits
        self._redirects = redirects
        self._connections: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()
        self._aborted = False
        super().__init__(**more)

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        """Pools whose connections are bounded."""
        super().init_poolmanager(*args, **more)
        self._bind(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(proxy, **more)
        self._bind(manager)
        return manager

    def add_headers(self, request: requests.PreparedRequest, **_more: Any) -> None:
        """Ask for plain bytes: what is compressed can be any size."""
        request.headers["Accept-Encoding"] = "identity"

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:  # type: ignore[override]  # all but the first are passed on
        """One request and the head of its answer."""
        if self._aborted:
            raise requests.exceptions.ConnectionError(say("no further request is sent"))
        if more.get("verify") is True:
            # requests' own sessions heed it; SDKs that prepare their requests do not.
            more["verify"] = os.environ.get("REQUESTS_CA_BUNDLE") or True
        response = super().send(request, **more)
        if 300 <= response.status_code < 400 and not self._may_lead(response):
            response.raw.close()
            raise requests.exceptions.ConnectionError(RedirectError(), request=request)
        # Guessing a character set costs seconds for a body of a megabyte.
        response.encoding = response.encoding or "utf-8"
        return response

    def abort(self) -> None:
        """End all open connections at once and open no more; from any thread."""
        self._aborted = True
        with self._lock:
            open_ = list(self._connections)
        for connection in open_:
            self._hang_up(connection)

    def close(self) -> None:
        """End the session's connections, also one that a failed login left in use."""
        super().close()
        with self._lock:
            open_ = list(self._connections)
        for connection in open_:
            connection.close()

    def _may_lead(self, response: requests.Response) -> bool:
        if self._redirects == "never":
            return False
        return stays_at_origin(response.url, response.headers.get("Location", ""))

    def _bind(self, manager: PoolManager) -> None:
        bind_pools(manager, self._limits, self._connection)

    def _connection(self, kind: type[Any]) -> type[Any]:
        """A kind of connection that this adapter can end."""
        adapter = self

        def connect(self: Any) -> None:
            with adapter._lock:
                adapter._connections.add(self)
            kind.connect(self)
            if adapter._aborted:
                adapter._hang_up(self)

        return type(kind.__name__, (kind,), {"connect": connect})

    @staticmethod
    def _hang_up(connection: Any) -> None:
        sock = getattr(connection, "sock", None)
        if sock is not None:
            hang_up(sock)


def bind_pools(
    manager: Any, limits: Limits, also: Callable[[type[Any]], type[Any]] = lambda kind: kind
) -> None:
    """Put bounds under every connection that a pool manager of urllib3 will open.

    Args:
        manager: what makes the pools; bound twice it stays as it is.
        limits: the bounds of each request.
        also: what else a kind of connection is made.
    """

    def pool(kind: type[Any]) -> type[Any]:
        if hasattr(kind, "bounded"):
            return kind
        connection = also(bounded_connection(kind.ConnectionCls, limits))
        return type(kind.__name__, (kind,), {"ConnectionCls": connection, "bounded": True})

    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: pool(kind) for scheme, kind in pools.items()}


def bind_session(session: requests.Session, limits: Limits, redirects: Redirects) -> BoundedAdapter:
    """Put bounds under every request of a session; what is returned can end them all."""
    adapter = BoundedAdapter(limits, redirects)
    session.headers["Accept-Encoding"] = "identity"
    for scheme in tuple(session.adapters):
        session.mount(scheme, adapter)
    return adapter
