"""A lab whose servers are reached by WinRM, and visits to them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from ssh_host import Passwords

from volact.errors import TransportError
from volact.inventory import Inventory, Secrets, load_inventory
from volact.model.server import Server
from volact.transports.base import Raw
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.lab import Lab
from volact_lab.winrm.front import over_tls
from volact_lab.winrm.service import Service

# Times that no machine is too slow for.
DEADLINE_S = 600
UNHURRIED = SshOptions(connect_s=300, grace_s=600)
NAME = "volact-0123456789abcdef"
SCRIPT = b'@echo off\r\necho VOLACT1 hello\r\ndel /q /f "%~f0" & exit 0\r\n'


class Fleet:
    """The lab and its inventory."""

    def __init__(self, lab: Lab, path: Path) -> None:
        self.lab = lab
        self.path = path
        self.inventory: Inventory = load_inventory(path)
        self.servers = {server.name: server for server in self.inventory.servers}

    def find(
        self, *, tls: bool | None = False, auth: str = "", release: str = "", fault: str = ""
    ) -> Server:
        """A server with properties; one in order unless a fault is named."""
        names = (
            name
            for name, slot in self.lab.slots.items()
            if tls in (None, over_tls(slot))
            and auth in ("", self.servers[name].winrm.auth)
            and release in ("", slot.spec.release)
            and (fault in slot.spec.faults if fault else not slot.line)
        )
        return self.servers[next(names)]

    def service(self, server: Server) -> Service:
        return self.lab.winrm.services[server.name]

    def requests(self, server: Server) -> int:
        """Requests to a server, without those that only waited for a busy machine."""
        service = self.service(server)
        return service.slot.requests - service.waits

    def left(self, server: Server) -> list[str]:
        """Files in the server's temporary folders."""
        machine = self.lab.machine(server.name)
        folders = (machine.temp, "C:\\Windows\\Temp")
        return [node.path for folder in folders for node in machine.files.children(folder)]


@pytest.fixture(name="fleet")
async def fleet_fixture(tmp_path: Path) -> AsyncIterator[Fleet]:
    """All servers behind WinRM; none may keep a shell."""
    async with Lab("tencent", 60, 7, transport="winrm") as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        yield Fleet(lab, tmp_path / "lab.toml")
        assert lab.errors == []
        assert sum(len(service.shells) for service in lab.winrm.services.values()) == 0


async def run(
    server: Server,
    script: bytes = SCRIPT,
    *,
    deadline_s: float = DEADLINE_S,
    passwords: Passwords | None = None,
) -> Raw:
    """One script on one server."""
    async with make_opener(passwords or Secrets(), UNHURRIED)(server) as transport:
        name = f"volact-{secrets.token_hex(16)}"
        return await transport.run(script, name=name, deadline_s=deadline_s)


async def refused(
    server: Server, script: bytes = SCRIPT, *, passwords: Passwords | None = None
) -> TransportError:
    """Why it does not work."""
    with pytest.raises(TransportError) as caught:
        await run(server, script, passwords=passwords)
    assert caught.value.line().isprintable()
    return caught.value


async def no_login(_: Callable[[], None]) -> None:
    """The login of a shell that is used at once."""
    pytest.fail("it logged in again")
