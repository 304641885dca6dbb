"""The two PDUs of DCE/RPC with which a connection begins: bind and its answers.

Enough for a health probe and its counterpart.  There is no request PDU here:
nothing in the lab speaks, answers or reads the activation protocol.
"""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

BIND, BIND_ACK, BIND_NAK = 11, 12, 13
HEADER = struct.Struct("<BBBB4sHHI")
LITTLE_ENDIAN = b"\x10\x00\x00\x00"
KMS = (uuid.UUID("51c82175-844e-4750-b0d8-ec255555bc06"), 1, 0)
NDR = (uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860"), 2, 0)
MAX_FRAGMENT = 5840

Syntax = tuple[uuid.UUID, int, int]


@dataclass(frozen=True, slots=True)
class Header:
    """The 16 bytes that every PDU starts with."""

    kind: int
    length: int
    call: int


@dataclass(frozen=True, slots=True)
class Bind:
    """A bind: one presentation context."""

    call: int
    context: int
    abstract: Syntax
    transfer: Syntax


def parse_header(data: bytes) -> Header | None:
    """The header of a connection-oriented PDU, or None when it is none."""
    if len(data) < HEADER.size:
        return None
    major, minor, kind, _flags, drep, length, auth, call = HEADER.unpack_from(data)
    good = (major, minor) == (5, 0) and drep == LITTLE_ENDIAN and auth == 0
    return Header(kind, length, call) if good and length >= HEADER.size else None


def _pdu(kind: int, call: int, body: bytes) -> bytes:
    size = HEADER.size + len(body)
    return HEADER.pack(5, 0, kind, 3, LITTLE_ENDIAN, size, 0, call) + body


def _syntax(syntax: Syntax) -> bytes:
    identity, major, minor = syntax
    return identity.bytes_le + struct.pack("<HH", major, minor)


def _read_syntax(data: bytes, offset: int) -> Syntax:
    major, minor = struct.unpack_from("<HH", data, offset + 16)
    return uuid.UUID(bytes_le=data[offset : offset + 16]), major, minor


def bind(call: int, abstract: Syntax = KMS) -> bytes:
    """A bind for one interface with NDR."""
    body = struct.pack("<HHI B3x HBx", MAX_FRAGMENT, MAX_FRAGMENT, 0, 1, 0, 1)
    return _pdu(BIND, call, body + _syntax(abstract) + _syntax(NDR))


def parse_bind(data: bytes) -> Bind | None:
    """Read a bind with one context and one transfer syntax; None for anything else."""
    header = parse_header(data)
    if header is None or header.kind != BIND or len(data) < 72:
        return None
    contexts, context, transfers = data[24], struct.unpack_from("<H", data, 28)[0], data[30]
    if contexts != 1 or transfers != 1:
        return None
    return Bind(header.call, context, _read_syntax(data, 32), _read_syntax(data, 52))


def bind_ack(to: Bind, port: int, result: int, reason: int) -> bytes:
    """Answer a bind: result 0 accepts; 2 rejects with a reason."""
    address = str(port).encode() + b"\0"
    body = struct.pack("<HHIH", MAX_FRAGMENT, MAX_FRAGMENT, 0x1064, len(address)) + address
    body += b"\0" * (-(HEADER.size + len(body)) % 4)
    transfer = _syntax(NDR) if result == 0 else bytes(20)
    body += struct.pack("<B3xHH", 1, result, reason) + transfer
    return _pdu(BIND_ACK, to.call, body)


def bind_nak(call: int, reason: int = 0) -> bytes:
    """Refuse a bind altogether; the one protocol version spoken is 5.0."""
    return _pdu(BIND_NAK, call, struct.pack("<HBBB", reason, 1, 5, 0))


def accepted(data: bytes) -> bool:
    """Whether a PDU is a bind_ack whose first result accepts."""
    header = parse_header(data)
    if header is None or header.kind != BIND_ACK or len(data) < 28:
        return False
    size = struct.unpack_from("<H", data, 24)[0]
    offset = 26 + size
    offset += -offset % 4
    if len(data) < offset + 6:
        return False
    (result,) = struct.unpack_from("<H", data, offset + 4)
    return bool(result == 0)
