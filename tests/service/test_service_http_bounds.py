"""The bound on what comes before, and behind, the body of a request."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from virtual_time import virtual_time

from volact.service.http_bounds import (
    BODY_S,
    HEAD_S,
    MOST_AHEAD,
    MOST_HEAD,
    MOST_WAITING,
    UNREAD_S,
    BoundedHttp,
)

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
    config = uvicorn.Config(sizes, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    state, loop = uvicorn.server.ServerState(), asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: BoundedHttp(config, state, {}, loop), "127.0.0.1", 0, family=socket.AF_INET
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


class Line(asyncio.Transport):
    """A transport that notes when it is ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended = False
        self.wrote = bytearray()

    def abort(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended

    def write(self, data: Any) -> None:
        self.wrote += data

    def pause_reading(self) -> None:
        """Nothing is read here."""

    def resume_reading(self) -> None:
        """Nothing is read here."""


def connection() -> tuple[BoundedHttp, Line]:
    config = uvicorn.Config(sizes, http=BoundedHttp, lifespan="off", log_config=None)
    config.load()
    state, loop = uvicorn.server.ServerState(), asyncio.get_running_loop()
    protocol, line = BoundedHttp(config, state, {}, loop), Line()
    protocol.connection_made(line)
    return protocol, line


BODY = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        pytest.param(b"", HEAD_S, id="nothing"),
        pytest.param(b"GET / HT", HEAD_S, id="half a head"),
        pytest.param(BODY + b"1234", BODY_S, id="half a body"),
        pytest.param(BODY + b"12345\r\n", HEAD_S, id="a line behind a request"),
    ],
)
@virtual_time
async def test_a_client_has_a_time_for_its_request(sent: bytes, seconds: float) -> None:
    protocol, line = connection()
    for byte in sent:
        protocol.data_received(bytes((byte,)))
    if sent.endswith(b"5\r\n"):
        while protocol.cycle is None or not protocol.cycle.response_complete:
            await asyncio.sleep(0)
        line.wrote.clear()
        protocol.data_received(b"\r\n")  # which ends the time that a kept connection has
    await asyncio.sleep(seconds - 1)
    assert not line.ended
    await asyncio.sleep(2)
    assert line.ended
    protocol.connection_lost(None)
    assert protocol not in BoundedHttp.waiting


@virtual_time
async def test_a_request_that_is_whole_has_no_time() -> None:
    protocol, line = connection()
    protocol.data_received(BODY + b"12345")
    assert protocol not in BoundedHttp.waiting
    protocol.pause_writing()
    protocol.resume_writing()
    assert not line.ended


@virtual_time
async def test_an_answer_that_is_not_read_ends_the_connection() -> None:
    protocol, line = connection()
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    protocol.pause_writing()
    await asyncio.sleep(UNREAD_S + 1)
    assert line.ended
    protocol.connection_lost(None)


async def test_the_connection_that_waited_longest_makes_room() -> None:
    made = [connection() for _ in range(MOST_WAITING)]
    made[0][0].data_received(BODY + b"12345")  # it waits for nothing
    made += [connection(), connection()]
    assert [n for n, (_, line) in enumerate(made) if line.ended] == [1]
    for protocol, _ in made:
        protocol.connection_lost(None)
    assert BoundedHttp.waiting == {}


async def test_a_connection_that_is_kept_waits_too() -> None:
    """Kept for a minute and more, connections of one client would be all that there are."""
    kept, line = connection()
    kept.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    while b"200" not in line.wrote or kept.timeout_keep_alive_task is None:
        await asyncio.sleep(0)
    made = [connection() for _ in range(MOST_WAITING)]
    assert (line.ended, any(one.ended for _, one in made)) == (True, False)
    for protocol in [kept, *(protocol for protocol, _ in made)]:
        protocol.connection_lost(None)
    assert BoundedHttp.waiting == {}


@virtual_time
async def test_a_kept_connection_that_asks_again_has_a_time_for_its_request() -> None:
    protocol, line = connection()
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    while protocol.timeout_keep_alive_task is None:
        await asyncio.sleep(0)
    protocol.data_received(b"GET /")
    await asyncio.sleep(HEAD_S - 1)
    assert not line.ended
    await asyncio.sleep(2)
    assert line.ended
    protocol.connection_lost(None)


async def test_requests_without_waiting_for_answers_end_the_connection() -> None:
    protocol, line = connection()
    protocol.data_received(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 1000)
    assert line.ended
    assert len(protocol.pipeline) == MOST_AHEAD + 1
    assert line.wrote.startswith(b"HTTP/1.1 400 ")
    protocol.connection_lost(None)
