"""Messages that are encrypted inside HTTP: the multipart form and the seal."""

from __future__ import annotations

import re
import struct
from typing import Protocol

from volact_lab.winrm.names import SPNEGO_SEALED

_BOUNDARY = "Encrypted Boundary"
_START = b"Content-Type: application/octet-stream\r\n"
_END = f"--{_BOUNDARY}--\r\n".encode()
_LENGTH = re.compile(rb"OriginalContent: type=[^;]+;charset=UTF-8;Length=(\d+)\r\n")
CONTENT_TYPE = f'multipart/encrypted;protocol="{SPNEGO_SEALED}";boundary="{_BOUNDARY}"'


class Wrapped(Protocol):
    """A sealed message."""

    @property
    def header(self) -> bytes:
        """The signature."""

    @property
    def data(self) -> bytes:
        """The encrypted text."""


class Seal(Protocol):
    """A security context that both sides have agreed upon."""

    def wrap_winrm(self, data: bytes) -> Wrapped:
        """Encrypt and sign."""

    def unwrap_winrm(self, header: bytes, data: bytes) -> bytes:
        """Verify and decrypt."""


class NotSealed(Exception):  # noqa: N818  # not a failure of ours
    """What came is not an encrypted message."""


def unseal(body: bytes, seal: Seal) -> bytes:
    """The message inside an encrypted body."""
    said = _LENGTH.search(body)
    head, start, rest = body.partition(_START)
    if said is None or not start or not rest.endswith(_END):
        raise NotSealed(head[:80])
    sealed = rest[: -len(_END)]
    (size,) = struct.unpack_from("<i", sealed)
    message = seal.unwrap_winrm(sealed[4 : 4 + size], sealed[4 + size :])
    if len(message) != int(said[1]):
        raise NotSealed("its length is not what it says")
    return message


def sealed(message: bytes, seal: Seal) -> bytes:
    """A message as an encrypted body."""
    wrapped = seal.wrap_winrm(message)
    head = (
        f"--{_BOUNDARY}\r\n"
        f"\tContent-Type: {SPNEGO_SEALED}\r\n"
        "\tOriginalContent: type=application/soap+xml;charset=UTF-8;"
        f"Length={len(message)}\r\n"
        f"--{_BOUNDARY}\r\n"
        "\tContent-Type: application/octet-stream\r\n"
    ).encode()
    signature = struct.pack("<i", len(wrapped.header)) + wrapped.header
    return head + signature + wrapped.data + _END
