"""How a simulated server asks a KMS host: over TCP, to the lab's host only.

The bind is a real one, so any listener there is recognised for what it is.
What follows is the lab's own message (``hosts.kms``); no activation protocol.
"""

from __future__ import annotations

import socket

import msgspec

from volact_lab import codes, dcerpc
from volact_lab.errors import WinFault
from volact_lab.hosts.kms import Ask, Reply, frame, unframe
from volact_lab.windows.network import NetFault, Network

_TIMEOUT_S = 20.0
_FAULTS = {
    "name": codes.WSA_HOST_NOT_FOUND,
    "refused": codes.RPC_UNAVAILABLE,
    "timeout": codes.RPC_UNAVAILABLE,
    "local": codes.RPC_UNAVAILABLE,
}


def ask(network: Network, host: str, port: int, question: Ask) -> Reply:
    """The host's decision.  WinFault with the inner code when there is none."""
    try:
        sock = network.connect(host, port, _TIMEOUT_S)
    except NetFault as fault:
        raise WinFault(_FAULTS[fault.why], f"{host}:{port}") from fault
    with sock, network.idle():
        try:
            return _talk(sock, question)
        except (OSError, EOFError) as error:
            raise WinFault(codes.RPC_CALL_FAILED, f"{host}:{port}") from error


def _talk(sock: socket.socket, question: Ask) -> Reply:
    sock.sendall(dcerpc.bind(1))
    head = _exactly(sock, dcerpc.HEADER.size)
    header = dcerpc.parse_header(head)
    if header is None or header.length > dcerpc.MAX_FRAGMENT:
        raise WinFault(codes.RPC_CALL_FAILED)
    answer = head + _exactly(sock, header.length - len(head))
    if not dcerpc.accepted(answer):
        raise WinFault(codes.RPC_UNKNOWN_IF)
    sock.sendall(frame(question))
    data = b""
    body, whole = unframe(data)
    while not whole:
        data += _some(sock, 4096)
        body, whole = unframe(data)
    return msgspec.json.decode(body, type=Reply)


def _some(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size)
    if not data:
        raise EOFError
    return data


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += _some(sock, size - len(data))
    return data
