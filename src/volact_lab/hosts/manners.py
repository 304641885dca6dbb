"""What a KMS host's port does to bytes that are not DCE/RPC, such as an HTTP request.  Pure.

Real servers differ, and what each release of Windows does is not published.
Measured: Samba 4.17 reads a whole message and then resets the connection; it waits
while bytes 8 and 9 announce more than it was sent.  impacket's server waits as well.
The others are what a server may do instead; ``http`` is a device in between that
answers HTTP itself and lets DCE/RPC pass.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

from volact_lab import dcerpc

Manner = Literal["hangs up", "waits", "naks", "stays silent", "http"]
MANNERS: tuple[Manner, ...] = ("hangs up", "waits", "naks", "stays silent", "http")

_HTTP = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Reaction:
    """Bytes to send, if any, and how the connection goes on."""

    then: Literal["wait", "close", "reset"]
    send: bytes = b""


_WAIT = Reaction("wait")


def reaction(manner: Manner, data: bytes) -> Reaction:
    """What happens once these bytes have arrived, which do not begin like DCE/RPC."""
    if manner == "hangs up":
        return Reaction("close")
    if manner == "stays silent":
        return _WAIT
    if manner == "http":
        return Reaction("close", _HTTP) if b"\r\n\r\n" in data else _WAIT
    if not _whole(data):
        return _WAIT
    return Reaction("reset") if manner == "waits" else Reaction("close", dcerpc.bind_nak(0, 4))


def stays_silent(manner: Manner, data: bytes) -> bool:
    """Whether nothing ever comes back for these bytes alone."""
    return reaction(manner, data) == _WAIT


def _whole(data: bytes) -> bool:
    """Whether the message is as long as it says, in the byte order that its fifth byte names."""
    if len(data) < dcerpc.HEADER.size:
        return False
    order = "<" if data[4] & 0xF0 == 0x10 else ">"
    (length,) = struct.unpack_from(f"{order}H", data, 8)
    return len(data) >= int(length)
