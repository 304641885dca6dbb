"""WinRM ports that answer without end, or lead elsewhere, before any login."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from evil_http import FLOODS, Say, compressed, evil, leads_to
from ssh_host import Passwords
from winrm_fleet import Fleet, fleet_fixture, run
from winrm_fleet import refused as refused_by

from volact.errors import TransportError
from volact.model.server import Address, Credential, Server, WinRmAuth
from volact.transports.connect import open_transport
from volact.transports.login import SshOptions
from volact_lab.winrm.identity import Authority

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
        async with open_transport(at(port), Passwords(), SshOptions(connect_s=120)):
            pytest.fail("it opened")
    return caught.value


@asynccontextmanager
async def relay(port: int, folder: Path, *, opens_tls: bool) -> AsyncIterator[int]:
    """A port between volact and a server; it shows a certificate of its own for TLS."""
    signed = Authority("relay").server()
    (folder / "relay.pem").write_bytes(signed.pem + signed.key_pem)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(folder / "relay.pem")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    ends: list[asyncio.Future[None]] = []

    async def passed(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                to.write(data)
                await to.drain()
        to.close()
        with contextlib.suppress(OSError):
            await to.wait_closed()

    async def carried(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        ends.append(asyncio.get_running_loop().create_future())
        end, tls = ends[-1], trusting if opens_tls else None
        far, on = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
        await asyncio.gather(passed(near, on), passed(far, back))
        end.set_result(None)

    tls = shown if opens_tls else None
    async with await asyncio.start_server(carried, "127.0.0.1", 0, ssl=tls) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.gather(*ends)


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
