"""Listeners that answer as what stands at a KMS host's port may; run inside the namespace."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading

_NAK = struct.pack("<BBBBIHHIHBBB", 5, 0, 13, 3, 0x10, 21, 0, 0, 4, 1, 5, 0)
_HTTP = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_WHOLE = 8481  # the length in the request's own bytes 8 and 9
_held: list[socket.socket] = []


def silent(connection: socket.socket) -> None:
    """Accept and send nothing."""
    _held.append(connection)


def http(connection: socket.socket) -> None:
    """Answer as a device in between."""
    connection.recv(65536)
    connection.sendall(_HTTP)
    connection.close()


def hangs_up(connection: socket.socket) -> None:
    """Close once something has come."""
    connection.recv(65536)
    connection.close()


def resets(connection: socket.socket) -> None:
    """Reset once something has come: the connection stood on both sides."""
    connection.recv(65536)
    resets_at_once(connection)


def resets_at_once(connection: socket.socket) -> None:
    """Reset as soon as the connection is accepted, perhaps before the client knows of it."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def naks(connection: socket.socket) -> None:
    """Read the whole message, refuse it as DCE/RPC does, and hang up."""
    size = 0
    while size < _WHOLE:
        data = connection.recv(65536)
        if not data:
            break
        size += len(data)
    connection.sendall(_NAK)
    connection.close()


def serve(address: str, port: int, answer: object) -> None:
    """Answer every connection in turn."""
    server = socket.create_server((address, port))
    while True:
        connection, _ = server.accept()
        with contextlib.suppress(OSError):
            answer(connection)  # type: ignore[operator]


if __name__ == "__main__":
    for at, one in enumerate((silent, http, hangs_up, resets, naks, resets_at_once)):
        threading.Thread(target=serve, args=(sys.argv[1], 3001 + at, one)).start()
