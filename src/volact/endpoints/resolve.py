"""Addresses of a name by this machine's own resolver, with the time it took."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Literal

import msgspec

NoName = Literal["name-unresolved", "timeout"]
ConnectWord = Literal["refused", "timeout", "unreachable"]


class Resolved(msgspec.Struct, frozen=True):
    """The addresses of a name; none if it does not resolve."""

    addresses: tuple[str, ...]
    ms: float
    trouble: NoName = "name-unresolved"  # why there are none


async def resolve(host: str, timeout_s: float) -> Resolved:
    """Resolve a host; each address once, in the resolver's order."""
    begun = time.perf_counter()
    loop = asyncio.get_running_loop()
    trouble: NoName = "name-unresolved"
    addresses: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))
    except TimeoutError:
        trouble = "timeout"
    except (OSError, UnicodeError):
        pass  # UnicodeError: a label that is empty or too long is no name either.
    return Resolved(addresses, elapsed_ms(begun), trouble)


def elapsed_ms(begun: float) -> float:
    """Milliseconds since a ``time.perf_counter()``, to a tenth."""
    return round((time.perf_counter() - begun) * 1000, 1)


def connect_word(error: OSError) -> ConnectWord:
    """One word for a connection that failed."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    return "unreachable"
