"""The gate before a server: bytes pass unharmed, and break where they are set to."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from volact_lab.trouble import Gate, Trouble
from volact_lab.trouble.watch import Watch

BANNER = b"a line before\r\nSSH-2.0-lab\r\n"


def packet(kind: int, body: bytes = b"x" * 20) -> bytes:
    return (len(body) + 2).to_bytes(4, "big") + b"\0" + bytes((kind,)) + body


TALK = BANNER + packet(20) + packet(31) + packet(21) + b"encrypted, all of it"


@pytest.mark.parametrize("seed", range(5))
def test_the_watch_finds_every_stage_however_the_bytes_come(seed: int) -> None:
    chance, watch, rest = random.Random(seed), Watch(), TALK
    found: list[tuple[str | None, bytes]] = []
    while rest:
        size = chance.randrange(1, 9)
        found += watch.pieces(rest[:size])
        rest = rest[size:]
    assert b"".join(piece for _, piece in found) == TALK
    stages = [stage for stage, _ in found if stage]
    assert stages == ["banner", "banner", "kex-init", "kex-reply", "new-keys"]
    assert watch.encrypted


def test_a_trouble_waits_for_its_turn_and_ends() -> None:
    trouble = Trouble("exec", "drop", skip=1, times=2)
    assert not trouble.strikes("answer")
    assert [trouble.strikes("exec") for _ in range(5)] == [False, True, True, False, False]
    assert trouble.name == "drop at exec (the 2. time)"


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(TALK)
        writer.write(await reader.read(100))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    gate = Gate(server.sockets[0].getsockname()[1])
    await gate.open()
    yield gate
    await gate.stop()
    assert gate.connections == 0
    server.close()
    await server.wait_closed()


async def heard(gate: Gate, limit_s: float = 120.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
    try:
        writer.write(b"hello")
        async with asyncio.timeout(limit_s):
            return await reader.read()
    finally:
        writer.close()


async def test_without_trouble_everything_passes(gate: Gate) -> None:
    assert await heard(gate) == TALK + b"hello"


async def test_a_line_breaks_in_the_middle_of_a_stage(gate: Gate) -> None:
    gate.trouble = Trouble("kex-reply", "drop")
    try:
        got = await heard(gate)
    except ConnectionError:
        got = b""
    assert len(got) < len(BANNER + packet(20) + packet(31))
    assert gate.trouble.struck == 1


async def test_a_line_hangs_and_lets_go_when_the_client_does(gate: Gate) -> None:
    gate.trouble = Trouble("kex-init", "hang")
    with pytest.raises(TimeoutError):
        await heard(gate, 0.2)


async def test_the_same_port_after_an_outage(gate: Gate) -> None:
    port = gate.port
    await gate.close()
    with pytest.raises(OSError, match="Connect call failed"):
        await heard(gate)
    await gate.open()
    assert gate.port == port
    assert await heard(gate) == TALK + b"hello"
