"""The network card: its name servers, from DHCP or set by hand, in WMI and registry."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import sz

INDEX = 7
SETTING_ID = "{4D36E972-0000-4000-8000-00000000CA4D}"
KEY = f"HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces\\{SETTING_ID}"

# What SetDNSServerSearchOrder returns.
DONE, INVALID_ADDRESS, DENIED = 0, 70, 91


def install(machine: Machine) -> None:
    """As DHCP sets it up."""
    machine.registry.set(KEY, "DhcpNameServer", sz(" ".join(machine.world.dns)))
    machine.registry.set(KEY, "NameServer", sz(""))


def set_by_hand(machine: Machine, servers: Sequence[str]) -> None:
    """Name servers that a person has set."""
    machine.network.dns[:] = servers
    machine.registry.set(KEY, "NameServer", sz(",".join(servers)))


def set_name_servers(machine: Machine, servers: Sequence[str]) -> int:
    """The WMI method; without servers those of DHCP hold again."""
    if not machine.elevated:
        return DENIED
    try:
        for server in servers:
            ipaddress.IPv4Address(server)
    except ValueError:
        return INVALID_ADDRESS
    if servers:
        set_by_hand(machine, servers)
    else:
        machine.registry.set(KEY, "NameServer", sz(""))
        machine.network.dns[:] = (machine.registry.text(KEY, "DhcpNameServer") or "").split()
    return DONE
