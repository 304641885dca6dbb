"""Whether a KMS host answers: name, TCP, one bind, nothing more.

This shows a listener that offers the interface.  It does not show that the host would
activate: that depends on its key, its count and its editions.
"""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import msgspec

from volact.endpoints.resolve import connect_word, elapsed_ms, resolve
from volact.endpoints.rpc import HEADER_SIZE, bind, fragment_size, read_answer
from volact.model.profile import HostPort
from volact.model.text import Text, say

KmsWord = Literal[
    "ok", "name-unresolved", "refused", "timeout", "unreachable", "closed", "not-rpc", "not-kms"
]

# Sentences for text output; data has the words.
SAYS: dict[str, Text] = {
    "ok": say("offers the KMS interface"),
    "name-unresolved": say("the name does not resolve here"),
    "refused": say("nothing listens on this port"),
    "timeout": say("no answer"),
    "unreachable": say("no way to this address"),
    "closed": say("accepted and hung up"),
    "not-rpc": say("something answers, but it does not speak DCE/RPC"),
    "not-kms": say("a DCE/RPC service, but not KMS"),
}

_MAX_ADDRESSES = 4


class KmsHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The health of one KMS host; times are milliseconds."""

    host: str  # "name:port"
    word: KmsWord
    addresses: tuple[str, ...] = ()
    address: str | None = None  # the one that answered, or the last one tried
    resolve_ms: float | None = None
    connect_ms: float | None = None
    bind_ms: float | None = None


async def probe_kms(host: HostPort, timeout_s: float = 3.0) -> KmsHealth:
    """Resolve, connect to the first address that accepts, bind, disconnect.

    Each of the three has ``timeout_s`` for itself.
    """
    names = await resolve(host.host, timeout_s)
    found = KmsHealth(host=str(host), word="ok", addresses=names.addresses, resolve_ms=names.ms)
    if not names.addresses:
        return msgspec.structs.replace(found, word=names.trouble)
    for address in names.addresses[:_MAX_ADDRESSES]:
        begun = time.perf_counter()
        found = msgspec.structs.replace(found, address=address)
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_connection(address, host.port)
        except OSError as error:
            # Accepted, and reset before the connection was seen to stand.
            reset = isinstance(error, ConnectionResetError)
            word: KmsWord = "closed" if reset else connect_word(error)
            found = msgspec.structs.replace(found, word=word)
            continue
        found = msgspec.structs.replace(found, connect_ms=elapsed_ms(begun))
        return await _greet(found, reader, writer, timeout_s)
    return found


async def _greet(
    found: KmsHealth, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeout_s: float
) -> KmsHealth:
    begun = time.perf_counter()
    try:
        async with asyncio.timeout(timeout_s):
            word = await _bind(reader, writer)
    except TimeoutError:
        word = "timeout"
    except (OSError, asyncio.IncompleteReadError):
        word = "closed"
    finally:
        # No data is left to send, so this closes at once.
        writer.close()
    return msgspec.structs.replace(found, word=word, bind_ms=elapsed_ms(begun))


async def _bind(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> KmsWord:
    writer.write(bind())
    await writer.drain()
    header = await reader.readexactly(HEADER_SIZE)
    size = fragment_size(header)
    if size is None:
        return "not-rpc"
    return read_answer(header + await reader.readexactly(size - HEADER_SIZE))
