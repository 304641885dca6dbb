"""What a server can reach: its DNS servers, its routes, and who is behind an address.

Names are resolved by the DNS servers the server is set to; addresses lead to
real sockets of the lab, to a port where nothing listens, or into silence.
Waiting is real but shorter than on a wire: ``patience`` is the fraction.
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from volact_lab.hosts.manners import MANNERS, Manner, stays_silent

_ANY = "0.0.0.0"  # noqa: S104 - on link, or the default route; nothing is bound
Failure = Literal["name", "refused", "timeout", "local"]


class NetFault(Exception):  # noqa: N818  # a kind of failure, each caller has its own code for it
    """A connection that did not come about, and why."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Route:
    """One IPv4 route."""

    destination: str
    mask: str
    next_hop: str


@dataclass(frozen=True, slots=True)
class Peer:
    """What answers at an address and port: a real endpoint, or a way not to answer.

    ``by_manner``: the ports of a KMS host, in the order of ``MANNERS``; a server meets
    one of them.
    """

    host: str = "127.0.0.1"
    port: int = 0
    behaviour: Literal["answers", "refused", "silent", "local"] = "answers"
    by_manner: tuple[int, ...] = ()


SILENT = Peer(behaviour="silent")
REFUSED = Peer(behaviour="refused")
NOT_LET_OUT = Peer(behaviour="local")  # the server's own firewall blocks the way there


@dataclass(frozen=True, slots=True)
class Internet:
    """The world outside a server, shared by all: who knows which names, who is where.

    ``zones`` maps the address of a DNS server to the names it knows; every
    other DNS server knows ``public`` names.  ``peers`` is by address and port.
    """

    zones: Mapping[str, Mapping[str, str]]
    public: Mapping[str, str]
    peers: Mapping[tuple[str, int], Peer]


@dataclass(slots=True)
class Network:
    """One server's view of the network.  ``own`` overrides peers for this server.

    ``manner`` is that of the KMS hosts it meets.  ``not_for_scripts`` are ports to which the
    server's own firewall lets the licensing service out, and no script.
    """

    internet: Internet
    dns: list[str]
    routes: list[Route]
    own: dict[tuple[str, int], Peer] = field(default_factory=dict)
    manner: Manner = "hangs up"
    not_for_scripts: frozenset[int] = frozenset()
    patience: float = 0.05
    idle: Callable[[], AbstractContextManager[None]] = nullcontext  # entered while it waits

    def resolve(self, name: str) -> str:
        """The address of a name, asked of the first DNS server, as Windows does."""
        if _is_address(name):
            return name
        if not self.dns:
            raise NetFault("name")
        known = self.internet.zones.get(self.dns[0], self.internet.public)
        address = known.get(name.rstrip(".").lower())
        if address is None:
            raise NetFault("name")
        return address

    def peer(self, address: str, port: int) -> Peer:
        """What answers there; nothing does where no route leads."""
        if not self._routed(address):
            return SILENT
        key = (address, port)
        found = self.own.get(key) or self.internet.peers.get(key)
        if found:
            return found
        known = address.startswith("127.") or any(
            address == other for other, _port in self.internet.peers
        )
        return REFUSED if known else SILENT

    def connect(
        self, name: str, port: int, timeout_s: float, *, script: bool = False
    ) -> socket.socket:
        """A connected TCP socket, or NetFault after an honest wait."""
        peer = self.peer(self.resolve(name), port)
        if peer.behaviour == "local" or (script and port in self.not_for_scripts):
            raise NetFault("local")
        if peer.behaviour == "silent":
            self.wait(timeout_s)
            raise NetFault("timeout")
        if peer.behaviour == "refused":
            raise NetFault("refused")
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(60)
            port_here = peer.by_manner[MANNERS.index(self.manner)] if peer.by_manner else peer.port
            sock.connect((peer.host, port_here))
        except OSError as error:
            sock.close()
            refused = isinstance(error, ConnectionRefusedError)
            raise NetFault("refused" if refused else "timeout") from error
        return sock

    def says_nothing(self, name: str, port: int, data: bytes) -> bool:
        """Whether what answers there stays silent on these bytes."""
        peer = self.peer(self.resolve(name), port)
        return bool(peer.by_manner) and stays_silent(self.manner, data)

    def wait(self, seconds: float) -> None:
        """Let time pass, shortened by ``patience``."""
        time.sleep(seconds * self.patience)

    def _routed(self, address: str) -> bool:
        """Link-local addresses need a route of their own; the rest takes the default."""
        number = ipaddress.ip_address(address)
        if isinstance(number, ipaddress.IPv6Address):
            return False  # the lab's servers have no IPv6 route
        matching = [r for r in self.routes if number in _net(r) and self.leads(r)]
        if number.is_link_local:
            matching = [r for r in matching if r.destination != _ANY]
        return bool(matching)

    def leads(self, route: Route) -> bool:
        """Whether its gateway is in a network that the server is in itself."""
        links = [r for r in self.routes if r.next_hop == _ANY]
        hop = ipaddress.ip_address(route.next_hop)
        return route.next_hop == _ANY or any(hop in _net(link) for link in links)


@lru_cache(maxsize=1024)
def _net(route: Route) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((route.destination, route.mask), strict=False)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
