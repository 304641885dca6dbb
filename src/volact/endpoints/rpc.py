"""The bind of DCE/RPC over TCP, and the reading of its answer.  Pure.

A bind names an interface; the answer says whether it is offered.  No request is ever made
here: the first operation of the KMS interface is an activation, which only Windows does.
"""

from __future__ import annotations

import struct
import uuid
from typing import Literal

RpcAnswer = Literal["ok", "not-kms", "not-rpc"]

KMS_INTERFACE = uuid.UUID("51c82175-844e-4750-b0d8-ec255555bc06")
_NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860")

HEADER_SIZE = 16
# A bind_ack is about 60 bytes; anything large is something else.
MAX_FRAGMENT = 4096

_HEADER = struct.Struct("<BBBB4sHHI")
_LITTLE_ENDIAN = b"\x10\x00\x00\x00"
_BIND, _BIND_ACK, _BIND_NAK = 11, 12, 13
_FIRST_AND_LAST = 3
_ACCEPTED = 0


def bind(call: int = 1) -> bytes:
    """A bind for the KMS interface, version 1.0, in NDR."""
    body = struct.pack("<HHIB3xHBx", 5840, 5840, 0, 1, 0, 1)
    body += KMS_INTERFACE.bytes_le + struct.pack("<HH", 1, 0)
    body += _NDR.bytes_le + struct.pack("<HH", 2, 0)
    size = HEADER_SIZE + len(body)
    head = _HEADER.pack(5, 0, _BIND, _FIRST_AND_LAST, _LITTLE_ENDIAN, size, 0, call)
    return head + body


def fragment_size(header: bytes) -> int | None:
    """The length of the answer by its header; ``None`` if it is not DCE/RPC."""
    major, minor, _, _, drep, size, _, _ = _HEADER.unpack(header)
    good = (major, minor, drep) == (5, 0, _LITTLE_ENDIAN) and HEADER_SIZE <= size <= MAX_FRAGMENT
    return size if good else None


def read_answer(pdu: bytes) -> RpcAnswer:
    """Whether the listener offers the KMS interface."""
    kind = pdu[2]
    if kind == _BIND_NAK:
        return "not-kms"
    if kind != _BIND_ACK:
        return "not-rpc"
    try:
        # After the sizes and the group: a counted string, padded to four.
        (length,) = struct.unpack_from("<H", pdu, 24)
        results = (26 + length + 3) // 4 * 4
        count = pdu[results]
        (result,) = struct.unpack_from("<H", pdu, results + 4)
    except (IndexError, struct.error):
        return "not-rpc"
    return "ok" if count == 1 and result == _ACCEPTED else "not-kms"
