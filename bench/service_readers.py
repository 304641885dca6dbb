"""Readers of the service, as cheap as they can be: bytes over sockets, no client library.

Their CPU is told beside what they measure, so that a figure of theirs is not taken for the
service's.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Coroutine
from functools import partial
from http.client import HTTPConnection
from itertools import cycle
from typing import Any

import msgspec
import uvloop


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What readers ask; each its own path, over again, by tokens of its own in turn."""

    port: int
    keys: list[str]
    paths: list[str]
    number: int
    seconds: float


class Got(msgspec.Struct, frozen=True, kw_only=True):
    """What they got."""

    took: list[float]
    seconds: float
    cpu_s: float
    note: str = ""

    def line(self, service_cpu_s: float) -> str:
        """In one line, with the service's CPU meanwhile."""
        cut = statistics.quantiles([*self.took, *self.took], n=100)
        number = max(1, len(self.took))
        return (
            f"{number / self.seconds:6.0f}/s  p50 {cut[49] * 1000:6.1f}  "
            f"p95 {cut[94] * 1000:6.1f}  p99 {cut[98] * 1000:6.1f} ms  "
            f"CPU {service_cpu_s / number * 1000:5.2f} ms each, "
            f"{service_cpu_s / self.seconds:.2f} cores{self.note}; "
            f"readers {self.cpu_s / self.seconds:.2f} cores"
        )


class Reader(asyncio.Protocol):
    """One connection: sends a request, and counts the bytes of its answer."""

    def __init__(self, requests: list[bytes], took: list[float], until: float) -> None:
        self._requests, self._took, self._until = cycle(requests), took, until
        self.ended = asyncio.get_running_loop().create_future()
        self._left, self._head, self._begun = -1, b"", 0.0

    def connection_made(self, transport: Any) -> None:
        """See ``asyncio.Protocol``."""
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._left, self._head, self._begun = -1, b"", time.monotonic()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        if self._left < 0:
            self._head += data
            head, end, rest = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 200"), head
            at = head.lower().index(b"content-length:") + 15
            self._left, data = int(head[at:].split(b"\r\n", 1)[0]), rest
        self._left -= len(data)
        if self._left == 0:
            now = time.monotonic()
            self._took.append(now - self._begun)
            if now < self._until:
                self._send()
            else:
                self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """See ``asyncio.Protocol``."""
        self.ended.set_result(None)


def requests_of(load: Load, at: int) -> list[bytes]:
    """One for each token: there is a limit of requests a minute."""
    path = load.paths[at % len(load.paths)]
    own = load.keys[at % len(load.keys) :: load.number]
    lines = ((f"GET {path} HTTP/1.1", "Host: bench", f"Authorization: Bearer {key}") for key in own)
    return ["\r\n".join((*each, "", "")).encode() for each in lines]


def read(load: Load) -> Got:
    """Read in a closed loop."""
    return _run(_read(load))


async def _read(load: Load) -> Got:
    took: list[float] = []
    loop, begun, cpu = asyncio.get_running_loop(), time.monotonic(), time.process_time()
    readers = [
        Reader(requests_of(load, at), took, begun + load.seconds) for at in range(load.number)
    ]
    for reader in readers:
        await loop.create_connection(partial(_same, reader), "127.0.0.1", load.port)
    await asyncio.gather(*(reader.ended for reader in readers))
    return Got(took=took, seconds=time.monotonic() - begun, cpu_s=time.process_time() - cpu)


class Listener(asyncio.Protocol):
    """One stream of events."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.first = asyncio.Event()
        self.events = 0

    def connection_made(self, transport: Any) -> None:
        """See ``asyncio.Protocol``."""
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """See ``asyncio.Protocol``."""
        self.events += data.count(b"event: progress")
        if self.events:
            self.first.set()


def streams(load: Load) -> Got:
    """Open streams, and one reader of a list beside them."""
    return _run(_streams(load))


async def _streams(load: Load) -> Got:
    loop, begun, cpu = asyncio.get_running_loop(), time.monotonic(), time.process_time()
    open_ = [Listener(requests_of(load, at)[0]) for at in range(load.number)]
    for each in open_:
        await loop.create_connection(partial(_same, each), "127.0.0.1", load.port)
    await asyncio.gather(*(each.first.wait() for each in open_))
    opened = time.monotonic() - begun
    beside = msgspec.structs.replace(
        load, paths=["/api/v1/servers?verdict=failed&limit=20"], number=1
    )
    got = await _read(beside)
    for each in open_:
        each.transport.close()
    return Got(
        took=got.took,
        seconds=time.monotonic() - begun,
        cpu_s=time.process_time() - cpu,
        note=f", {sum(each.events for each in open_)} events, all open after {opened:.1f} s",
    )


def _same(protocol: asyncio.Protocol) -> asyncio.Protocol:
    return protocol


def _run(work: Coroutine[Any, Any, Got]) -> Got:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def until_ready(port: int) -> None:
    """Wait until the service answers."""
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
