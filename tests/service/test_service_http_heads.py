"""The bound on what comes before, and behind, the body of a request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from volact.service.serve import MOST_HEAD, BoundedHeads

CHUNKED = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"


async def sizes(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers with the size of the body."""
    size, more = 0, True
    while more:
        message = await receive()
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(size).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(sizes, http=BoundedHeads, lifespan="off", log_config=None)
    config.load()
    state, loop = uvicorn.server.ServerState(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: BoundedHeads(config, state, {}, loop), "127.0.0.1", 0, family=socket.AF_INET
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    return head.split(b"\r\n")[0] + b" " + await reader.readexactly(length)


@pytest.mark.parametrize("size", [0, 10_000_000])
async def test_requests_of_a_usual_head_are_answered_one_after_another(size: int) -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            head = f"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n"
            writer.write(head.encode() + b"x" * size)
            assert await answer(reader) == f"HTTP/1.1 200 OK {size}".encode()


async def test_a_chunked_body_of_any_size_is_read() -> None:
    async with connected() as (reader, writer):
        chunk = b"2710\r\n" + b"x" * 10_000 + b"\r\n"
        writer.write(CHUNKED + chunk * 100 + b"0\r\n\r\n")
        assert await answer(reader) == b"HTTP/1.1 200 OK 1000000"


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        pytest.param(b"GET /", b"x", id="line"),
        pytest.param(b"GET / HTTP/1.1\r\nhost: a\r\nx: ", b"x", id="header"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"x: y\r\n", id="headers"),
        pytest.param(CHUNKED + b"1\r\nx\r\n0\r\nx: ", b"x", id="trailer"),
        pytest.param(CHUNKED + b"1;", b"x", id="extension of a chunk"),
    ],
)
async def test_what_is_no_body_and_does_not_end_is_refused(begin: bytes, more: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(begin)
        for _ in range(64):
            writer.write(more * (MOST_HEAD // len(more)))
        assert b"HTTP/1.1 200 " not in await all_of(reader)


async def all_of(reader: asyncio.StreamReader) -> bytes:
    """What comes until the connection ends; nothing where it is reset."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""
