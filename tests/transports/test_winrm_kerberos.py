"""Logins by Kerberos at a real KDC are bound to the certificate, and may not be passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from kerberos_realm import Realm, missing, realm
from winrm_fleet import Fleet, fleet_fixture, refused, run
from winrm_relay import relay

from volact.model.server import Address, Credential, Server, WinRmAuth

__all__ = ["fleet_fixture"]  # used by name: fleet


@pytest.fixture(name="kerberos")
def kerberos_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Realm]:
    """A realm in which volact and the lab's servers are."""
    if lacking := missing():
        pytest.skip(f"needs {lacking}")
    folder = tmp_path / "realm"
    folder.mkdir()
    with realm(folder) as made:
        for name, value in made.env.items():
            monkeypatch.setenv(name, value)
        yield made


def with_a_ticket(fleet: Fleet, port: int = 0) -> Server:
    """A server of the lab behind TLS, to be logged in to with what ``kinit`` has got."""
    server = next(
        server
        for name, server in fleet.servers.items()
        if server.winrm_tls
        and server.winrm.auth == "negotiate"
        and not fleet.lab.slots[name].line
        and fleet.lab.slots[name].spec.user == "Administrator"
    )
    there = port or server.address.port
    return msgspec.structs.replace(
        server,
        address=Address(scheme=server.address.scheme, host="localhost", port=there, user=""),
        credential=Credential(),
        winrm=msgspec.structs.replace(server.winrm, auth="kerberos", verify=False),
    )


async def test_a_ticket_logs_in_and_is_not_forwarded(fleet: Fleet, kerberos: Realm) -> None:
    """A ticket that could be forwarded is not: the lab reports a login that brings one."""
    kerberos.ticket("-f")
    assert (await run(with_a_ticket(fleet))).exit_status == 0


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
async def test_a_server_that_is_reached_by_its_address_is_named_for_kerberos(
    fleet: Fleet, kerberos: Realm, auth: WinRmAuth
) -> None:
    """The realm knows names; no user is named either, and the ticket's user logs in."""
    kerberos.ticket()
    server = with_a_ticket(fleet)
    by_address = msgspec.structs.replace(
        server,
        address=msgspec.structs.replace(server.address, host="127.0.0.1"),
        winrm=msgspec.structs.replace(server.winrm, auth=auth, kerberos_host="localhost"),
    )
    assert (await run(by_address)).exit_status == 0


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
async def test_without_a_password_the_ticket_of_another_user_is_shown(
    fleet: Fleet, kerberos: Realm, auth: WinRmAuth
) -> None:
    """The server of the lab knows Administrator alone, and so it refuses."""
    kerberos.ticket_of("ops")
    server = with_a_ticket(fleet)
    winrm = msgspec.structs.replace(server.winrm, auth=auth)
    told = await refused(msgspec.structs.replace(server, winrm=winrm))
    assert told.message == "the login was refused for the account of the Kerberos ticket"


@pytest.mark.parametrize("opens_tls", [False, True])
async def test_a_login_by_kerberos_cannot_be_passed_on(
    fleet: Fleet, kerberos: Realm, tmp_path: Path, opens_tls: bool
) -> None:
    """The server takes no login that was made for another certificate (RFC 5929)."""
    kerberos.ticket()
    port = with_a_ticket(fleet).address.port or 0
    async with relay(port, tmp_path, opens_tls=opens_tls) as between:
        beside = with_a_ticket(fleet, between)
        if opens_tls:
            assert (await refused(beside)).kind == "auth"
        else:
            assert (await run(beside)).exit_status == 0


def _without_kdc(kerberos: Realm) -> None:
    kerberos.ticket()
    kerberos.end()


def _unknown_service(kerberos: Realm) -> None:
    kerberos.ticket()
    kerberos.forget_the_service()


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda _: None, "nothing to log in with (name a password, or get a ticket with kinit)"),
        (Realm.expire, "the Kerberos ticket has expired"),
        (_unknown_service, "does not know this server by this name"),
        (_without_kdc, "no Kerberos KDC of the realm could be reached"),
    ],
)
async def test_each_refusal_says_what_to_do(
    fleet: Fleet, kerberos: Realm, prepare: Callable[[Realm], None], words: str
) -> None:
    prepare(kerberos)
    told = await refused(with_a_ticket(fleet))
    assert told.kind == "auth"
    assert words in told.line()
    assert "Minor" not in told.line()
