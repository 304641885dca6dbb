"""The KMS probe against listeners of every kind, and what it never sends."""

from __future__ import annotations

import asyncio
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from virtual_time import pass_time

from volact.endpoints.kms import KmsHealth, probe_kms
from volact.endpoints.rpc import MAX_FRAGMENT, bind, fragment_size, read_answer
from volact.model.profile import HostPort

KMS = "51c82175-844e-4750-b0d8-ec255555bc06"
NDR = uuid.UUID("8a885d04-1ceb-11c9-9fe8-08002b104860").bytes_le + struct.pack("<HH", 2, 0)
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def pdu(kind: int, body: bytes, call: int = 1) -> bytes:
    head = struct.pack("<BBBB4sHHI", 5, 0, kind, 3, b"\x10\0\0\0", 16 + len(body), 0, call)
    return head + body


def ack(result: int = 0, reason: int = 0, port: bytes = b"1688\0") -> bytes:
    body = struct.pack("<HHIH", 5840, 5840, 4711, len(port)) + port
    body += b"\0" * (-(16 + len(body)) % 4)
    return pdu(12, body + struct.pack("<B3xHH", 1, result, reason) + NDR)


NAK = pdu(13, struct.pack("<HB", 4, 0))


class Received:
    """What a listener got until the other side hung up."""

    def __init__(self) -> None:
        self.data = b""


@asynccontextmanager
async def listener(serve: Serve, host: str = "127.0.0.1") -> AsyncIterator[HostPort]:
    ended = asyncio.Event()

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])
            ended.set()

    server = await asyncio.start_server(served, host, 0)
    async with server:
        yield HostPort(host, int(server.sockets[0].getsockname()[1]))
        await ended.wait()


async def probed(reply: bytes, received: Received | None = None) -> KmsHealth:
    kept = received or Received()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        kept.data = await reader.readexactly(72)
        writer.write(reply)
        await writer.drain()
        kept.data += await reader.read()

    async with listener(serve) as host:
        return await probe_kms(host, 60.0)


async def test_a_kms_host_and_nothing_but_a_bind() -> None:
    received = Received()
    health = await probed(ack(), received)
    assert health.word == "ok"
    assert health.address == "127.0.0.1"
    assert health.connect_ms is not None
    assert health.bind_ms is not None
    assert health.resolve_ms is not None
    assert received.data == bind()


def test_the_bind_is_72_bytes_for_the_kms_interface() -> None:
    sent = bind(7)
    assert len(sent) == 72
    assert struct.unpack_from("<BBBB4sHHI", sent) == (5, 0, 11, 3, b"\x10\0\0\0", 72, 0, 7)
    assert struct.unpack_from("<HHI", sent, 16) == (5840, 5840, 0)
    assert (sent[24], sent[30]) == (1, 1)
    assert uuid.UUID(bytes_le=sent[32:48]) == uuid.UUID(KMS)
    assert sent[48:52] == b"\x01\0\0\0"
    assert sent[52:] == NDR


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (ack(port=b""), "ok"),
        (ack(port=b"135\0"), "ok"),
        (ack(result=2, reason=1), "not-kms"),
        (NAK, "not-kms"),
        (pdu(2, b"\0" * 8), "not-rpc"),
        (pdu(12, b"\0" * 8), "not-rpc"),
        (pdu(12, struct.pack("<HHIH", 1, 1, 1, 60000)), "not-rpc"),
        (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "not-rpc"),
        (b"SSH-2.0-OpenSSH_9.5\r\n", "not-rpc"),
    ],
)
async def test_answers_of_other_services(reply: bytes, word: str) -> None:
    assert (await probed(reply)).word == word


def test_a_length_beyond_reason_is_not_read() -> None:
    for size in (15, MAX_FRAGMENT + 1, 65535):
        header = struct.pack("<BBBB4sHHI", 5, 0, 12, 3, b"\x10\0\0\0", size, 0, 1)
        assert fragment_size(header) is None


def test_every_cut_of_an_answer_is_read_without_an_error() -> None:
    whole = ack()
    for size in range(16, len(whole)):
        assert read_answer(whole[:size]) in ("ok", "not-kms", "not-rpc")


async def test_hanging_up_is_told() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async with listener(serve) as host:
        assert (await probe_kms(host, 60.0)).word == "closed"


async def test_a_silent_listener_costs_its_time_only() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(72)
        pass_time(60.0)
        assert await reader.read() == b""

    async with listener(serve) as host:
        health = await probe_kms(host, 60.0)
    assert health.word == "timeout"
    assert health.connect_ms is not None


async def test_nothing_listens(closed_port: int) -> None:
    health = await probe_kms(HostPort("127.0.0.1", closed_port), 60.0)
    assert (health.word, health.connect_ms, health.bind_ms) == ("refused", None, None)


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 70 + ".test"])
async def test_a_name_that_does_not_resolve(name: str) -> None:
    health = await probe_kms(HostPort(name), 60.0)
    assert health.word == "name-unresolved"
    assert health.addresses == ()


async def test_ipv6() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(72)
        writer.write(ack())
        await reader.read()

    async with listener(serve, "::1") as host:
        health = await probe_kms(host, 60.0)
    assert health.word == "ok"
    assert health.host == f"[::1]:{host.port}"
