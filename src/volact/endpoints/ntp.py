"""The offset of this machine's clock from a time server's, by one NTP question.

The packet is ntplib's.  The waiting is asyncio's, so that many servers are asked at once
and a silent one does not delay the others.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

import msgspec
import ntplib

from volact.endpoints.resolve import connect_word, resolve
from volact.model.text import Text, say

NtpWord = Literal[
    "ok", "name-unresolved", "refused", "timeout", "unreachable", "bad-answer", "unsynchronised"
]

SAYS: dict[str, Text] = {
    "ok": say("gives the time"),
    "name-unresolved": say("the name does not resolve here"),
    "refused": say("nothing listens on this port"),
    "timeout": say("no answer"),
    "unreachable": say("no way to this address"),
    "bad-answer": say("the answer is not an NTP answer to this question"),
    "unsynchronised": say("answers, but has no time itself"),
}

_CLIENT, _SERVER = 3, 4
_ALARM = 3  # leap indicator of a server that does not know the time
_PACKET_SIZE = 48


class NtpHealth(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of one time server.

    ``offset_s`` is positive when this machine's clock is behind the server's.
    """

    host: str
    word: NtpWord
    address: str | None = None
    offset_s: float | None = None
    delay_s: float | None = None
    stratum: int | None = None


class _Question(asyncio.DatagramProtocol):
    """Waits for the first datagram or the first error."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[tuple[bytes, float]] = (
            asyncio.get_running_loop().create_future()
        )

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if not self.answer.done():
            self.answer.set_result((data, time.time()))

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def probe_ntp(host: str, port: int = 123, timeout_s: float = 3.0) -> NtpHealth:
    """Ask the first address of a time server once."""
    names = await resolve(host, timeout_s)
    if not names.addresses:
        return NtpHealth(host=host, word=names.trouble)
    address = names.addresses[0]
    try:
        async with asyncio.timeout(timeout_s):
            sent, data, arrived = await _ask(address, port)
    except OSError as error:
        return NtpHealth(host=host, address=address, word=connect_word(error))
    return read_packet(host, address, sent, data, arrived)


async def _ask(address: str, port: int) -> tuple[bytes, bytes, float]:
    loop = asyncio.get_running_loop()
    transport, question = await loop.create_datagram_endpoint(
        _Question, remote_addr=(address, port)
    )
    try:
        now = ntplib.system_to_ntp_time(time.time())
        sent: bytes = ntplib.NTPPacket(version=4, mode=_CLIENT, tx_timestamp=now).to_data()
        transport.sendto(sent)
        data, arrived = await question.answer
    finally:
        transport.close()
    return sent, data, arrived


def read_packet(host: str, address: str, sent: bytes, data: bytes, arrived: float) -> NtpHealth:
    """The health that a datagram shows, given the question that was sent."""
    answer = ntplib.NTPStats()
    # The server repeats the time of sending, which shows an old or foreign answer.
    if len(data) < _PACKET_SIZE or data[24:32] != sent[40:48]:
        return NtpHealth(host=host, address=address, word="bad-answer")
    answer.from_data(data)
    answer.dest_timestamp = ntplib.system_to_ntp_time(arrived)
    if answer.mode != _SERVER:
        return NtpHealth(host=host, address=address, word="bad-answer")
    no_time = answer.leap == _ALARM or not 1 <= answer.stratum <= 15 or not answer.tx_timestamp
    return NtpHealth(
        host=host,
        address=address,
        word="unsynchronised" if no_time else "ok",
        offset_s=None if no_time else round(answer.offset, 6),
        delay_s=None if no_time else round(answer.delay, 6),
        stratum=answer.stratum,
    )
