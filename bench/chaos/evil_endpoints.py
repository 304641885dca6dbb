"""KMS hosts, time servers and DNS servers that send too much, too slowly or something else."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import dns.flags
import dns.message
import dns.rrset
from evil_http import BLOCK, Say, evil

from volact_lab import dcerpc
from volact_lab.hosts.ntp import NtpServer

Send = Callable[[bytes], None]
Answers = Callable[[bytes], Iterator[bytes]]  # the datagrams that follow one question
_FRAGMENT = dcerpc.HEADER.pack(5, 0, dcerpc.BIND_ACK, 3, dcerpc.LITTLE_ENDIAN, 4096, 0, 1)
_LARGEST = 65_507
_FLOOD_S = 5.0  # longer than any question waits
_BURST = 100  # what is sent at once: more than is read meanwhile


def _endless(send: Send) -> None:
    while True:
        send(BLOCK)


def _trickled(first: bytes) -> Say:
    def say(send: Send) -> None:
        send(first)
        while True:
            send(b"\0")
            time.sleep(0.02)

    return say


def _fragments(send: Send) -> None:
    while True:
        send(_FRAGMENT + bytes(4096 - len(_FRAGMENT)))


def _enormous(send: Send) -> None:
    send(_FRAGMENT[:8] + b"\xff\xff" + _FRAGMENT[10:])
    _endless(send)


def accepts(send: Send) -> None:
    send(dcerpc.bind_ack(dcerpc.Bind(1, 0, dcerpc.KMS, dcerpc.NDR), 1688, 0, 0))


KMS: dict[str, Say] = {
    "endless": _endless,
    "fragments": _fragments,
    "enormous": _enormous,
    "trickling": _trickled(_FRAGMENT),
}
DNS_BY_TCP: dict[str, Say] = {"endless-tcp": _endless, "trickling-tcp": _trickled(b"\xff\xff")}


def _slow(_question: bytes) -> Iterator[bytes]:
    while True:
        yield b"\0"
        time.sleep(0.02)


def _truncated(question: bytes) -> Iterator[bytes]:
    answer = dns.message.make_response(dns.message.from_wire(question))
    answer.flags |= dns.flags.TC
    yield answer.to_wire()


def _many(question: bytes) -> Iterator[bytes]:
    """As many addresses as a datagram holds, their names compressed to two bytes each."""
    count = (_LARGEST - len(question)) // 16
    head = question[:2] + struct.pack(">HHHHH", 0x8580, 1, count, 0, 0)
    body = question[12 : 12 + question[12:].index(b"\0") + 5]
    records = (b"\xc0\x0c\0\x01\0\x01\0\0\0\x01\0\x04" + struct.pack(">I", n) for n in range(count))
    yield head + body + b"".join(records)


def resolves(question: bytes) -> Iterator[bytes]:
    asked = dns.message.from_wire(question)
    answer = dns.message.make_response(asked)
    answer.answer.append(dns.rrset.from_text(asked.question[0].name, 60, "IN", "A", "192.0.2.1"))
    yield answer.to_wire()


def gives_time(question: bytes) -> Iterator[bytes]:
    yield NtpServer().answer(question) or b""


NTP: dict[str, Answers] = {
    "endless": lambda _: itertools.repeat(bytes(48)),
    "enormous": lambda _: itertools.repeat(bytes(_LARGEST)),
    "trickling": _slow,
}
DNS: dict[str, Answers] = {
    "endless": lambda question: itertools.repeat(bytes((question[0] ^ 1,)) + question[1:]),
    "enormous": lambda _: itertools.repeat(bytes(_LARGEST)),
    "compressed": _many,
    "trickling": _slow,
}


@contextmanager
def by_udp(answers: Answers, port: int = 0, *, stranger: bool = False) -> Iterator[int]:
    """A server of datagrams; ``stranger``: they come from another port than was asked."""
    asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    asked.bind(("127.0.0.1", port))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if stranger else asked
    over = threading.Event()
    asked.settimeout(0.1)

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):
                question, peer = asked.recvfrom(65536)
                until = time.monotonic() + _FLOOD_S
                for number, datagram in enumerate(answers(question)):
                    sender.sendto(datagram, peer)
                    if number % _BURST == _BURST - 1:
                        time.sleep(0.001)
                    if over.is_set() or time.monotonic() > until:
                        break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield asked.getsockname()[1]
    finally:
        over.set()
        thread.join()
        asked.close()
        sender.close()


@contextmanager
def by_both(say: Say) -> Iterator[int]:
    """A DNS server that leads to TCP, and misbehaves there."""
    with evil(say) as tcp, by_udp(_truncated, tcp.port):
        yield tcp.port
