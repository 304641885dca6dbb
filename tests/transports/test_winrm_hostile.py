"""WinRM ports that answer without end, or lead elsewhere, before any login."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import msgspec
import pytest
from evil_http import FLOODS, Say, compressed, evil, leads_to
from ssh_host import Passwords
from winrm_fleet import Fleet, fleet_fixture, run
from winrm_fleet import refused as refused_by
from winrm_relay import relay

from volact.errors import TransportError
from volact.model.server import Address, Credential, Server, WinRmAuth
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

__all__ = ["fleet_fixture"]  # used by name: fleet

BUFFERS = 16 * 1024 * 1024


def at(port: int) -> Server:
    return Server(
        name="web-01",
        address=Address(scheme="winrm", host="127.0.0.1", port=port, user="Administrator"),
        credential=Credential(password_env="PW"),
    )


async def refused(port: int) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with make_opener(Passwords(), SshOptions(connect_s=120))(at(port)):
            pytest.fail("it opened")
    return caught.value


async def threads_end(before: set[threading.Thread]) -> None:
    async with asyncio.timeout(120):
        while {t for t in threading.enumerate() if t.name.startswith("winrm ")} - before:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("say", [*FLOODS.values(), compressed], ids=[*FLOODS, "compressed"])
async def test_a_flood_before_the_login(say: Say) -> None:
    before = set(threading.enumerate())
    with evil(say) as server:
        error = await refused(server.port)
        assert error.kind in ("protocol", "connect")
        assert error.line().isprintable()
        assert server.over.wait(120), "the socket stayed open"
        assert server.sent < BUFFERS
        await threads_end(before)


async def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    with evil(FLOODS["endless-body"]) as elsewhere, evil(leads_to(elsewhere.port)) as server:
        error = await refused(server.port)
        assert error.kind == "protocol"
        assert "is a redirect" in error.message
        assert elsewhere.requests == []
        assert len(server.requests) == 1


@pytest.mark.parametrize("opens_tls", [False, True])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
async def test_a_login_cannot_be_passed_on(
    fleet: Fleet, tmp_path: Path, auth: WinRmAuth, opens_tls: bool
) -> None:
    """The server takes no login that was made for another certificate (RFC 5929)."""
    server = fleet.find(tls=True, auth="negotiate")
    async with relay(server.address.port or 0, tmp_path, opens_tls=opens_tls) as port:
        beside = msgspec.structs.replace(
            server,
            address=msgspec.structs.replace(server.address, port=port),
            winrm=msgspec.structs.replace(server.winrm, auth=auth, verify=False),
        )
        if opens_tls:
            assert (await refused_by(beside)).kind == "auth"
        else:
            assert (await run(beside)).exit_status == 0
