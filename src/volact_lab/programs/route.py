"""route.exe: add a persistent IPv4 route, and delete one.

That it exits with 1 when a route cannot be added or deleted is an assumption.  How a route by
the server's own address, which is one on the link, is shown afterwards is in no source: as
0.0.0.0, or as it was added.  A server has one of the two manners, and deletes the route as shown.
"""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from volact_lab import codes
from volact_lab.cmd.process import Process
from volact_lab.errors import LabError, WinFault, win32
from volact_lab.windows.network import Route

_ON_LINK = "0.0.0.0"  # noqa: S104 - a next hop, nothing is bound


def run(process: Process) -> int:
    """Run ``route [-p] add|delete DESTINATION mask MASK GATEWAY``."""
    words = [word.lower() for word in process.argv()]
    match words:
        case ["-p", "add", destination, "mask", mask, gateway]:
            change = _add
        case ["delete", destination, "mask", mask, gateway]:
            change = _delete
        case _:
            raise LabError(f"route {process.arguments} is not modelled")
    try:
        change(process, Route(destination, mask, gateway))
    except WinFault as fault:
        process.complain(process.machine.language.win32_text(fault.code & 0xFFFF))
        return 1
    process.say(" OK!")
    return 0


def _add(process: Process, wanted: Route) -> None:
    machine = process.machine
    machine.need_admin()
    if not _on_link(machine.network.routes, wanted):
        raise win32(codes.INVALID_PARAMETER)
    if wanted.next_hop == machine.address and machine.spec.variant("own-hop"):
        wanted = replace(wanted, next_hop=_ON_LINK)
    if wanted in machine.network.routes:
        raise win32(codes.ALREADY_EXISTS)
    machine.network.routes.append(wanted)


def _delete(process: Process, wanted: Route) -> None:
    """The persistent route goes with the one that holds."""
    machine = process.machine
    machine.need_admin()
    if wanted not in machine.network.routes:
        raise win32(codes.ELEMENT_NOT_FOUND)
    machine.network.routes.remove(wanted)


def _on_link(routes: list[Route], wanted: Route) -> bool:
    """A gateway must be in a network that the server is in itself."""
    try:
        gateway = ipaddress.IPv4Address(wanted.next_hop)
        ipaddress.IPv4Network((wanted.destination, wanted.mask))
    except ValueError:
        return False
    own = (route for route in routes if route.next_hop == _ON_LINK)
    return any(gateway in ipaddress.IPv4Network((r.destination, r.mask)) for r in own)
