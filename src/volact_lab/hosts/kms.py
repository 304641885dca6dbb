"""The lab's KMS host: a TCP service that decides as a KMS host decides.

It answers a real DCE/RPC bind, so that a health probe sees what it would see
of a real host.  Behind the bind it takes one lab-only message (``VOLACTLAB1``,
a length and JSON) and closes the connection on everything else without an
answer.  What it does to bytes that are no DCE/RPC at all is its manner
(``manners``): it has a port for each.  It knows nothing of the activation
protocol: no Windows can be activated by it, none would even understand it.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import msgspec

from volact_lab import codes, dcerpc
from volact_lab.hosts.manners import MANNERS, Manner, reaction
from volact_lab.hosts.tcp import Connection, TcpListener

MAGIC = b"VOLACTLAB1"
CLOCK_WINDOW_S = 4 * 3600
SERVER_THRESHOLD = 5
_LARGEST = 4096


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulated server sends to the lab's KMS host about itself."""

    cmid: str
    release: str
    product: str
    time: float
    name: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the lab's KMS host decided."""

    code: int
    count: int
    threshold: int = SERVER_THRESHOLD
    activation_min: int = 120
    renewal_min: int = 10080


def frame(message: msgspec.Struct) -> bytes:
    """A lab-only message as it goes over the wire."""
    body = msgspec.json.encode(message)
    return MAGIC + len(body).to_bytes(4, "big") + body


def unframe(data: bytes) -> tuple[bytes, bool]:
    """The body of a lab-only message and whether it is all there yet."""
    start = len(MAGIC) + 4
    size = int.from_bytes(data[len(MAGIC) : start], "big") if len(data) >= start else _LARGEST
    return data[start : start + size], len(data) >= start + size


def _too_long(data: bytes) -> bool:
    start = len(MAGIC) + 4
    return len(data) >= start and int.from_bytes(data[len(MAGIC) : start], "big") > _LARGEST


@dataclass
class KmsHost:
    """Count, clock and products of one host, and its listeners, one for each manner.

    Its clock is ``ahead_s`` ahead; where it is no ``kms`` at all, it is another service
    that speaks DCE/RPC.  ``seen`` are the client machine ids of the last thirty days; ``others``
    stands for those of machines that are not part of the lab.  Before an answer
    it thinks for ``think_s``; between ``hold`` and ``go_on`` it answers none.  ``peak`` is how many
    it was asked by at one time, ``peak_of_one`` how many times at once by one and the same server.
    """

    releases: Collection[str]
    others: int = 50
    ahead_s: float = 0.0
    kms: bool = True
    seen: set[str] = field(default_factory=set)
    answered: int = 0
    think_s: float = 0.0
    asking: Counter[str] = field(default_factory=Counter)
    peak: int = 0
    peak_of_one: int = 0
    held: list[Callable[[], None]] | None = None
    listeners: dict[Manner, TcpListener] = field(
        default_factory=lambda: {manner: TcpListener() for manner in MANNERS}
    )

    def decide(self, ask: Ask) -> Reply:
        """Answer as a KMS host does: product, clock, then count."""
        self.answered += 1
        if ask.release not in self.releases:
            return Reply(code=codes.SL_ID_MISMATCH, count=self.count)
        if abs(ask.time - time.time() - self.ahead_s) > CLOCK_WINDOW_S:
            return Reply(code=codes.SL_BAD_TIMESTAMP, count=self.count)
        self.seen.add(ask.cmid)
        enough = self.count >= SERVER_THRESHOLD
        return Reply(code=0 if enough else codes.SL_NOT_ENOUGH_COUNT, count=self.count)

    @property
    def count(self) -> int:
        """The machines this host has seen, at most the fifty that it remembers."""
        return min(self.others + len(self.seen), 50)

    def asked(self, name: str) -> None:
        """One more waits for an answer."""
        self.asking[name] += 1
        self.peak = max(self.peak, self.asking.total())
        self.peak_of_one = max(self.peak_of_one, self.asking[name])

    def hold(self) -> None:
        """Keep every answer back from now on."""
        self.held = []

    def go_on(self) -> None:
        """Give the answers that were kept back, and the next ones as they come."""
        held, self.held = self.held or [], None
        for answer in held:
            answer()

    async def start(self) -> tuple[int, ...]:
        """Listen on free loopback ports and return them, in the order of ``MANNERS``."""
        return tuple(
            [await self._listen(manner, listener) for manner, listener in self.listeners.items()]
        )

    async def _listen(self, manner: Manner, listener: TcpListener) -> int:
        return await listener.start(lambda: _Connection(self, manner, listener))

    async def pause(self) -> None:
        """Answer nothing until the next start, which is on the same ports."""
        for listener in self.listeners.values():
            await listener.pause()

    async def stop(self) -> None:
        """Close the listeners."""
        for listener in self.listeners.values():
            await listener.stop()


class _Connection(Connection):
    """One connection: bind, then the lab-only message, then nothing."""

    def __init__(self, host: KmsHost, manner: Manner, listener: TcpListener) -> None:
        super().__init__(listener)
        self._host = host
        self._manner = manner
        self._bound = False

    def received(self) -> bytes | None:
        """The answer to a bind, or behind it to the lab-only message."""
        if self._bound:
            return self._message()
        return self._bind() if self.data[:1] == b"\x05" else self._other()

    def _other(self) -> bytes | None:
        """What the manner has for bytes that are no DCE/RPC."""
        assert self.transport is not None
        found = reaction(self._manner, self.data)
        if found.then == "wait":
            return b""
        self.transport.write(found.send)
        if found.then == "reset":
            self.transport.abort()
        return None

    def _bind(self) -> bytes | None:
        """The answer to what should be a bind; b"" to wait for more; None to hang up."""
        if len(self.data) < dcerpc.HEADER.size:
            return b""
        header = dcerpc.parse_header(self.data)
        if header is None or header.length > _LARGEST:
            return None
        if len(self.data) < header.length:
            return b""
        asked, self.data = self.data[: header.length], self.data[header.length :]
        parsed = dcerpc.parse_bind(asked)
        if parsed is None:
            return dcerpc.bind_nak(header.call) if header.kind == dcerpc.BIND else None
        return self._judge(parsed)

    def _judge(self, asked: dcerpc.Bind) -> bytes:
        assert self.transport is not None
        port = int(self.transport.get_extra_info("sockname")[1])
        if asked.abstract != dcerpc.KMS or not self._host.kms:
            return dcerpc.bind_ack(asked, port, 2, 1)
        if asked.transfer != dcerpc.NDR:
            return dcerpc.bind_ack(asked, port, 2, 2)
        self._bound = True
        return dcerpc.bind_ack(asked, port, 0, 0)

    def _message(self) -> bytes | None:
        if not self.data.startswith(MAGIC[: len(self.data)]) or len(self.data) > _LARGEST:
            return None
        body, whole = unframe(self.data)
        if not whole:
            return None if _too_long(self.data) else b""
        self.data = b""
        try:
            ask = msgspec.json.decode(body, type=Ask)
        except msgspec.DecodeError:
            return None
        self._host.asked(ask.name)
        if self._host.held is not None:
            self._host.held.append(lambda: self._answer_late(ask))
        elif self._host.think_s:
            asyncio.get_running_loop().call_later(self._host.think_s, self._answer_late, ask)
        else:
            return self._decided(ask)
        return b""

    def _decided(self, ask: Ask) -> bytes:
        self._host.asking[ask.name] -= 1
        return frame(self._host.decide(ask))

    def _answer_late(self, ask: Ask) -> None:
        answer = self._decided(ask)
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(answer)


def describe(host: KmsHost) -> dict[str, Any]:
    """Counts for the lab's statistics."""
    return {"answered": host.answered, "count": host.count}
