"""WinRM ports that answer without end, or lead elsewhere, before any login."""

from __future__ import annotations

import asyncio
import threading

import pytest
from evil_http import FLOODS, Say, compressed, evil, leads_to
from ssh_host import Passwords

from volact.errors import TransportError
from volact.model.server import Address, Credential, Server
from volact.transports.connect import open_transport
from volact.transports.login import SshOptions

BUFFERS = 16 * 1024 * 1024


def at(port: int) -> Server:
    return Server(
        name="web-01",
        address=Address(scheme="winrm", host="127.0.0.1", port=port, user="Administrator"),
        credential=Credential(password_env="PW"),
    )


async def refused(port: int) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with open_transport(at(port), Passwords(), SshOptions(connect_s=30)):
            pytest.fail("it opened")
    return caught.value


async def threads_end(before: set[threading.Thread]) -> None:
    async with asyncio.timeout(20):
        while {t for t in threading.enumerate() if t.name.startswith("winrm ")} - before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("say", [*FLOODS.values(), compressed], ids=[*FLOODS, "compressed"])
async def test_a_flood_before_the_login(say: Say) -> None:
    before = set(threading.enumerate())
    with evil(say) as server:
        error = await refused(server.port)
        assert error.kind in ("protocol", "connect")
        assert error.line().isprintable()
        assert server.over.wait(10), "the socket stayed open"
        assert server.sent < BUFFERS
        await threads_end(before)


async def test_a_redirect_is_an_error_and_nobody_else_is_asked() -> None:
    with evil(FLOODS["endless-body"]) as elsewhere, evil(leads_to(elsewhere.port)) as server:
        error = await refused(server.port)
        assert error.kind == "protocol"
        assert "another host" in error.message
        assert elsewhere.requests == []
        assert len(server.requests) == 1
