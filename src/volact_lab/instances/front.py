"""One door for the API of a cloud, on a loopback port; what it answers is each cloud's own."""

from __future__ import annotations

import asyncio
import ssl
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from typing import Any

from volact_lab.instances.estate import Estate
from volact_lab.instances.faults import ApiFault
from volact_lab.instances.limits import Limits
from volact_lab.instances.tasks import Invocations
from volact_lab.listening import StreamListener
from volact_lab.winrm.http import Connection, Headers, Reply

# A test's hook to make the next requests fail: the answer to one, if any.
Mischief = Callable[[str, dict[str, Any]], ApiFault | Reply | None]


# A test's hook to change what is answered: target, headers and the answer in, what goes out.
Tamper = Callable[[str, Headers, Reply], Reply]


def _no_mischief(_action: str, _asked: dict[str, Any]) -> None:
    return None


class ApiFront(ABC):
    """The API of all services and regions; fulfils ``volact_lab.cloud.CloudFront``."""

    most_head = 16 * 1024  # of a request's line and headers

    def __init__(
        self,
        estate: Estate,
        invocations: Invocations,
        limits: Limits,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.estate = estate
        self.invocations = invocations
        self.limits = limits
        self.calls: Counter[str] = Counter()
        self.mischief: Mischief = _no_mischief
        self.tamper: Tamper = lambda _target, _headers, reply: reply
        self.port = 0
        self._scheme = "https" if tls else "http"
        self._listener = StreamListener(self._connected, tls=tls)

    @property
    def endpoint(self) -> str:
        """What a client sets as its endpoint."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen on a free loopback port."""
        self.port = await self._listener.start()

    async def stop(self) -> None:
        """Close the listener, its connections, and what runs."""
        await self._listener.stop()
        await self.invocations.stop()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Connection(reader, writer, self._tampered, self.most_head).serve()

    async def _tampered(self, target: str, headers: Headers, body: bytes) -> Reply:
        return self.tamper(target, headers, await self._answer(target, headers, body))

    @abstractmethod
    async def _answer(self, target: str, headers: Headers, body: bytes) -> Reply:
        """The answer to one request."""
