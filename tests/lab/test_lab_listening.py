"""Listeners that stop leave no connection behind, whenever it came."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl

import pytest

from volact_lab.listening import StreamListener


async def _until_the_end(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize("tls", [None, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)])
@pytest.mark.parametrize("turns", range(8))
async def test_a_connection_that_comes_as_a_listener_stops_is_ended(
    turns: int, tls: ssl.SSLContext | None
) -> None:
    listener = StreamListener(_until_the_end, tls=tls)  # the client's handshake never comes
    with socket.create_connection(("127.0.0.1", await listener.start())) as client:
        for _ in range(turns):
            await asyncio.sleep(0)
        await listener.stop()
        assert listener.connections == 0
        client.settimeout(120)
        try:
            assert client.recv(1) == b""
        except ConnectionResetError:
            return
        finally:
            gc.collect()  # what was left open would warn here


async def test_a_paused_listener_refuses_and_keeps_its_port() -> None:
    listener = StreamListener(_until_the_end)
    port = await listener.start()
    await listener.pause()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    assert await listener.start() == port
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await listener.stop()


async def test_an_error_of_the_lab_on_a_connection_is_heard_of() -> None:
    heard: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: heard.append(str(context["exception"]))
    )

    async def broken(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        raise LookupError("not modelled")

    listener = StreamListener(broken)
    reader, writer = await asyncio.open_connection("127.0.0.1", await listener.start())
    assert await reader.read() == b""
    writer.close()
    await listener.stop()
    assert heard == ["not modelled"]
