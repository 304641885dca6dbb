"""The lab's time server: real NTP version 4 over UDP, mode 4, stratum 2.

``offset`` makes its clock wrong by so many seconds.
"""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import dataclass
from typing import cast

PACKET = struct.Struct("!BBbbII4sQQQQ")
EPOCH_1900 = 2208988800


def to_ntp(seconds: float) -> int:
    """Unix seconds as a 64-bit NTP time stamp."""
    return int((seconds + EPOCH_1900) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


def from_ntp(stamp: int) -> float:
    """A 64-bit NTP time stamp as Unix seconds."""
    return stamp / (1 << 32) - EPOCH_1900


def request(now: float) -> bytes:
    """A client's packet."""
    return PACKET.pack(0x23, 0, 0, 0, 0, 0, b"\0\0\0\0", 0, 0, 0, to_ntp(now))


def offset_of(packet: bytes, sent: float, received: float) -> float | None:
    """How far the asking clock is behind, from an answer; None if it is no answer."""
    if len(packet) < PACKET.size:
        return None
    first, stratum, *_, originate, arrived, left = PACKET.unpack_from(packet)
    if first & 7 != 4 or not 0 < stratum < 16 or originate != to_ntp(sent):
        return None
    return ((from_ntp(arrived) - sent) + (from_ntp(left) - received)) / 2


@dataclass
class NtpServer:
    """A time server on a loopback UDP port."""

    offset: float = 0.0
    answered: int = 0
    transport: asyncio.DatagramTransport | None = None

    def answer(self, packet: bytes) -> bytes | None:
        """The answer to a client's packet, or None for anything else."""
        if len(packet) < PACKET.size or packet[0] & 7 != 3:
            return None
        self.answered += 1
        now = to_ntp(time.time() + self.offset)
        version = packet[0] & 0x38
        reference = to_ntp(time.time() + self.offset - 16)
        originate = struct.unpack_from("!Q", packet, 40)[0]
        return PACKET.pack(
            version | 4, 2, 6, -20, 66, 131, b"\x7f\x7f\x01\x01", reference, originate, now, now
        )

    async def start(self) -> int:
        """Listen on a free loopback port and return it."""
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(
            lambda: _Endpoint(self), local_addr=("127.0.0.1", 0)
        )
        return int(self.transport.get_extra_info("sockname")[1])

    async def stop(self) -> None:
        """Close the socket."""
        if self.transport:
            self.transport.close()


class _Endpoint(asyncio.DatagramProtocol):
    def __init__(self, server: NtpServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # An event loop need not derive its transports from the documented class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)
