"""The NTP probe against time servers that are right, wrong, or silent."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import ntplib
import pytest
from virtual_time import pass_time

from volact.endpoints.ntp import NtpHealth, probe_ntp

Reply = Callable[[bytes], bytes | None]


class TimeServer(asyncio.DatagramProtocol):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        reply = self._reply(data)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def serving(reply: Reply, host: str = "127.0.0.1") -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: TimeServer(reply), local_addr=(host, 0)
    )
    yield int(transport.get_extra_info("sockname")[1])
    transport.close()


def answer(question: bytes, ahead_s: float = 0.0, **changes: int) -> bytes:
    """A correct server's answer whose clock is ``ahead_s`` ahead of ours."""
    packet = ntplib.NTPPacket(version=4, mode=4)
    packet.stratum = 2
    for name, value in changes.items():
        setattr(packet, name, value)
    now = ntplib.system_to_ntp_time(time.time() + ahead_s)
    packet.recv_timestamp = packet.tx_timestamp = now
    data = bytes(packet.to_data())
    return data[:24] + question[40:48] + data[32:]


async def asked(reply: Reply, host: str = "127.0.0.1") -> NtpHealth:
    async with serving(reply, host) as port:
        return await probe_ntp(host, port, 60.0)


def silent(_question: bytes) -> None:
    """No answer comes, and the time for it is over."""
    pass_time(60.0)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_offset_and_delay(host: str) -> None:
    where = "127.0.0.1" if host == "localhost" else host
    health = await asked(lambda question: answer(question, ahead_s=18000.0), where)
    assert health.word == "ok"
    assert health.delay_s is not None
    assert health.delay_s >= 0
    assert health.offset_s == pytest.approx(18000.0, abs=health.delay_s / 2 + 0.01)
    assert health.stratum == 2


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        (silent, "timeout"),
        (lambda question: b"short", "bad-answer"),
        (lambda question: question, "bad-answer"),
        (lambda question: answer(b"\0" * 48), "bad-answer"),
        (lambda question: answer(question, mode=3), "bad-answer"),
        (lambda question: answer(question, leap=3), "unsynchronised"),
        (lambda question: answer(question, stratum=0), "unsynchronised"),
        (lambda question: answer(question, stratum=16), "unsynchronised"),
    ],
)
async def test_answers_that_are_no_time(reply: Reply, word: str) -> None:
    health = await asked(reply)
    assert health.word == word
    assert health.offset_s is None


async def test_nothing_listens() -> None:
    # A connected socket takes packets of its peer alone: its port is held, and refuses others.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        held.connect(("127.0.0.1", 9))
        port = int(held.getsockname()[1])
        assert (await probe_ntp("127.0.0.1", port, 60.0)).word == "refused"


async def test_a_name_that_does_not_resolve() -> None:
    assert (await probe_ntp("no-such-host.invalid", 123, 60.0)).word == "name-unresolved"
