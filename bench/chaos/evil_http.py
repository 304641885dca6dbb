"""HTTP servers that send more, longer or something else than they may."""

from __future__ import annotations

import contextlib
import functools
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

BLOCK = b"A" * 65536
CHUNK = b"10000\r\n" + BLOCK + b"\r\n"
HEAD = b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Negotiate\r\n"

Say = Callable[[Callable[[bytes], None]], None]


def endless_chunks(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        send(CHUNK)


def endless_body(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"\r\n")
    while True:
        send(BLOCK)


def enormous(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"Content-Length: 1000000000000\r\n\r\n")
    while True:
        send(BLOCK)


@functools.cache
def _bomb() -> bytes:
    """Little that is much once it is decompressed: a hundred members of one file."""
    return gzip.compress(bytes(2 * 1024 * 1024), 9) * 100


def compressed(send: Callable[[bytes], None]) -> None:
    body = _bomb()
    send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def endless_headers(send: Callable[[bytes], None]) -> None:
    send(HEAD)
    while True:
        send(b"X-Many: " + b"B" * 60000 + b"\r\n")


def endless_header(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"X-Long: ")
    while True:
        send(BLOCK)


def endless_continue(send: Callable[[bytes], None]) -> None:
    while True:
        send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


def endless_chunk_size(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        send(b"0" * 65536)


def endless_trailers(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n")
    while True:
        send(b"X-Trailer: " + b"C" * 60000 + b"\r\n")


def trickling(send: Callable[[bytes], None]) -> None:
    send(HEAD + b"Content-Length: 100000\r\n\r\n")
    while True:
        send(b"D")
        time.sleep(0.02)


def trickling_head(send: Callable[[bytes], None]) -> None:
    while True:
        for byte in HEAD + b"X-Slow: 1\r\n" * 100:
            send(bytes((byte,)))
            time.sleep(0.02)


def endless_replies(send: Callable[[bytes], None]) -> None:
    """A mail server whose greeting has no last line."""
    while True:
        send((b"220-" + b"w" * 8000 + b"\r\n") * 100)


FLOODS: dict[str, Say] = {
    "endless-chunks": endless_chunks,
    "endless-body": endless_body,
    "enormous": enormous,
    "endless-headers": endless_headers,
    "endless-header": endless_header,
    "endless-continue": endless_continue,
    "endless-chunk-size": endless_chunk_size,
    "endless-trailers": endless_trailers,
}
SLOW: dict[str, Say] = {"trickling": trickling, "trickling-head": trickling_head}


@dataclass
class Evil:
    """One such server: what it sent, and whether its connections were ended."""

    port: int = 0
    sent: int = 0
    requests: list[bytes] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def evil(
    say: Say, context: ssl.SSLContext | None = None, *, greets: bool = False
) -> Iterator[Evil]:
    """A server on loopback that sends the same on every connection, asked or not."""
    listener = socket.create_server(("127.0.0.1", 0))
    found = Evil(listener.getsockname()[1])
    threads: list[threading.Thread] = []
    open_: list[socket.socket] = []

    def serve(sock: socket.socket) -> None:
        def send(data: bytes) -> None:
            sock.sendall(data)
            found.sent += len(data)

        with contextlib.suppress(OSError):
            if context is not None:
                sock = context.wrap_socket(sock, server_side=True)
                open_.append(sock)
            if not greets:
                found.requests.append(sock.recv(65536))
            say(send)
        sock.close()
        found.over.set()

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = listener.accept()
                open_.append(sock)
                thread = threading.Thread(target=serve, args=(sock,), daemon=True)
                threads.append(thread)
                thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield found
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for sock in open_:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def with_success(say: Say) -> Say:
    """The same with status 200: what is read of other answers may be their head alone."""

    def said(send: Callable[[bytes], None]) -> None:
        say(lambda data: send(data.replace(b"401 Unauthorized", b"200 OK", 1)))

    return said


def leads_to(port: int) -> Say:
    """A redirect to another port of this machine."""

    def say(send: Callable[[bytes], None]) -> None:
        send(b"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:%d/\r\n" % port)
        send(b"Content-Length: 0\r\n\r\n")

    return say
