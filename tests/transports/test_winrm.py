"""Logging in over WinRM: every way, what it costs, and every way it can be refused."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import msgspec
import pytest
from pypsrp.wsman import WSMan
from ssh_host import Passwords
from winrm_fleet import NAME, SCRIPT, Fleet, fleet_fixture, no_login, refused, run

from volact.errors import InputError, TransportError
from volact.inventory import Secrets
from volact.model.server import Address, Credential, Server, WinRm, WinRmAuth
from volact.threads import BlockingCalls
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact.transports.winrm.failures import REFUSED
from volact.transports.winrm.login import _told, settings_of
from volact.transports.winrm.shell import RemoteShell
from volact.transports.winrm.transport import WinRmTransport

__all__ = ["fleet_fixture"]  # used by name: fleet


@pytest.mark.parametrize(
    ("tls", "auth", "requests"),
    [
        (False, "negotiate", 8),  # 3 to log in, open, command, input, output, close
        (False, "ntlm", 8),
        (True, "negotiate", 7),  # the last of the three to log in opens the shell
        (True, "basic", 5),
        (True, "certificate", 5),
    ],
)
async def test_every_login_and_what_it_costs(
    fleet: Fleet, tls: bool, auth: str, requests: int
) -> None:
    server = fleet.find(tls=tls, auth=auth)
    raw = await run(server)
    assert (raw.stdout, raw.stderr, raw.exit_status) == (b"VOLACT1 hello\r\n", b"", 0)
    assert raw.asked <= raw.answered
    assert fleet.requests(server) == requests
    assert fleet.left(server) == []


async def test_a_second_script_costs_three_requests_more(fleet: Fleet) -> None:
    server = fleet.find()
    async with make_opener(Secrets())(server) as transport:
        for name in (NAME, f"{NAME}-2"):
            await transport.run(SCRIPT, name=name, deadline_s=120)
    assert fleet.requests(server) == 11
    assert fleet.service(server).shells.most == 1


async def test_names_in_any_alphabet(fleet: Fleet) -> None:
    slots = fleet.lab.slots.items()
    foreign = [name for name, slot in slots if not slot.spec.user.isascii() and not slot.line]
    assert {fleet.servers[name].winrm.auth for name in foreign} >= {"basic", "ntlm"}
    for name in foreign:
        assert (await run(fleet.servers[name])).exit_status == 0


async def test_wrong_password_is_tried_once(fleet: Fleet) -> None:
    for tls, auth in ((False, "ntlm"), (True, "negotiate"), (True, "basic")):
        server = fleet.find(tls=tls, auth=auth)
        error = await refused(server, passwords=Passwords("wrong"))
        assert error.kind == "auth"
        assert error.message.startswith("the login was refused for ")
        assert fleet.requests(server) <= 3


async def test_a_local_account_is_told_of_the_token_filter(fleet: Fleet) -> None:
    server = msgspec.structs.replace(
        fleet.find(), credential=Credential(user="ops", password_env="X")
    )
    error = await refused(server, passwords=Passwords("wrong"))
    assert "LocalAccountTokenFilterPolicy" in error.hint
    domain = msgspec.structs.replace(
        server, credential=Credential(user="CONTOSO\\ops", password_env="X")
    )
    assert "Filter" not in (await refused(domain, passwords=Passwords("wrong"))).hint


async def test_a_filtered_token_is_denied(fleet: Fleet) -> None:
    server = fleet.find()
    fleet.lab.machine(server.name).elevated = False
    error = await refused(server)
    assert error.kind == "auth"
    assert "LocalAccountTokenFilterPolicy" in error.hint


async def test_a_certificate_of_an_unknown_authority(fleet: Fleet) -> None:
    server = fleet.find(tls=True, fault="host-key")
    error = await refused(server)
    assert error.kind == "host-key"
    assert "ca-file" in error.hint
    assert fleet.requests(server) == 0  # nothing was sent to a stranger
    trusting = msgspec.structs.replace(
        server, winrm=msgspec.structs.replace(server.winrm, verify=False)
    )
    assert (await run(trusting)).exit_status == 0
    usual = msgspec.structs.replace(server, winrm=WinRm())
    assert (await refused(usual)).kind == "host-key"


async def test_a_login_certificate_that_is_not_mapped(fleet: Fleet) -> None:
    known = fleet.find(tls=True, auth="certificate")
    server = msgspec.structs.replace(
        fleet.find(tls=True, auth="basic"), winrm=known.winrm, credential=known.credential
    )
    error = await refused(server)
    assert error.kind == "auth"
    assert "mapped to an account" in error.hint


async def test_https_and_http_taken_for_each_other(fleet: Fleet) -> None:
    plain, tls = fleet.find(), fleet.find(tls=True)

    def swapped(server: Server, other: Server) -> Server:
        return msgspec.structs.replace(
            server,
            address=msgspec.structs.replace(server.address, port=other.address.port),
            winrm=WinRm(verify=False),
        )

    assert (await refused(swapped(tls, plain))).kind == "protocol"
    assert (await refused(swapped(plain, tls))).kind == "connect"


@pytest.mark.parametrize(
    ("auth", "says"), [("basic", "password in clear"), ("certificate", "needs HTTPS")]
)
async def test_what_only_https_may_carry_is_not_tried(auth: str, says: str) -> None:
    server = at(winrm=WinRm(auth=auth))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=says):
        await run(server, passwords=Passwords())


def at(**settings: object) -> Server:
    address = Address(scheme="winrm", host="127.0.0.1", port=9, user="Administrator")
    return Server(name="web-01", address=address, **settings)  # type: ignore[arg-type]


async def test_nothing_to_log_in_with_says_what_to_name() -> None:
    for server, names in (
        (at(winrm=WinRm(auth="ntlm")), "password-env"),
        (at(winrm=WinRm(auth="certificate", tls=True)), "certificate-file"),
        (at(winrm=WinRm(auth="negotiate")), "winrm-transport"),
    ):
        error = await refused(server, passwords=Passwords(None))
        assert error.kind in ("auth", "connect")
        assert names in error.hint or error.kind == "connect"


async def test_a_password_that_cannot_be_fetched_is_the_reason() -> None:
    with pytest.raises(TransportError) as caught:
        async with make_opener(Secrets({}))(at(credential=Credential(password_env="NONE"))):
            pytest.fail("it opened")
    assert caught.value.kind == "auth"
    assert "the environment variable NONE is not set" in caught.value.message


async def test_a_silent_server_is_given_up_in_time() -> None:
    silent, before = asyncio.Event(), _threads()

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        address = Address(scheme="winrm", host="127.0.0.1", port=port)
        target = Server(name="x", address=address)
        with pytest.raises(TransportError, match=r"no login within 0\.3 s"):
            async with make_opener(Passwords(), SshOptions(connect_s=0.3))(target):
                pytest.fail("it opened")
        silent.set()
        await _threads_end(before)


def _threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("winrm ")}


async def _threads_end(before: set[threading.Thread]) -> None:
    """Every connection's thread ends with it; those of other tests are theirs."""
    while not _threads() <= before:
        await asyncio.sleep(0.01)


async def test_threads_end_with_their_connections(fleet: Fleet) -> None:
    before = _threads()
    raws = await asyncio.gather(*(run(fleet.find(tls=tls)) for tls in (True, False)))
    await _threads_end(before)
    assert [raw.exit_status for raw in raws] == [0, 0]
    assert _threads() <= before


async def test_a_goodbye_that_is_given_up_ends_its_thread() -> None:
    before, begun, heard = _threads(), threading.Event(), threading.Event()

    class Deaf:
        def close(self) -> None:
            begun.set()
            heard.wait()

        def abort(self) -> None:
            """The connection is ended while the thread waits in it."""

    worker = BlockingCalls(1, name="winrm deaf", idle_s=None)
    leaving = asyncio.create_task(
        WinRmTransport(cast(RemoteShell, Deaf()), worker, no_login).close()
    )
    while not begun.is_set():
        await asyncio.sleep(0.01)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    heard.set()
    await _threads_end(before)


def test_settings() -> None:
    plain = settings_of(at(), "pw", 7.0)
    assert (plain["port"], plain["ssl"], plain["auth"]) == (9, False, "negotiate")
    assert plain["cert_validation"] is True
    assert plain["encryption"] == "auto"
    address = Address(scheme="winrms", host="h")
    tls = settings_of(Server(name="h", address=address, winrm=WinRm(ca_file="c")), "pw", 7.0)
    assert (tls["port"], tls["ssl"], tls["cert_validation"]) == (5986, True, "c")
    off = settings_of(Server(name="h", address=address, winrm=WinRm(verify=False)), "pw", 7.0)
    assert off["cert_validation"] is False
    both = Credential(certificate_file="a.pem")
    certificate = Server(
        name="h", address=address, credential=both, winrm=WinRm(auth="certificate")
    )
    made = settings_of(certificate, None, 7.0)
    assert (made["certificate_pem"], made["certificate_key_pem"]) == ("a.pem", "a.pem")
    assert "username" not in made


@pytest.mark.parametrize("auth", ["negotiate", "kerberos"])
def test_without_a_password_the_ticket_of_any_user_or_of_the_one_named(auth: WinRmAuth) -> None:
    """Kerberos finds no ticket of Administrator where ``kinit`` has got one of another user."""

    def login(user: str = "", credential: str = "", password: str | None = None) -> tuple[Any, ...]:
        address = Address(scheme="winrm", host="web-01.corp.example", user=user)
        server = Server(
            name="web-01",
            address=address,
            credential=Credential(user=credential),
            winrm=WinRm(auth=auth),
        )
        settings = settings_of(server, password, 7.0)
        return settings.get("username"), settings.get("password")

    assert login() == (None, None)
    assert login(user="ops@CORP") == ("ops@CORP", None)
    assert login(credential="dba@CORP") == ("dba@CORP", None)
    assert login(user="ops@CORP", credential="dba@CORP") == ("ops@CORP", None)
    assert login(password="pw") == ("Administrator", "pw")


def test_a_refused_ticket_is_not_told_as_the_usual_user() -> None:
    unnamed = Server(name="a", address=Address(scheme="winrm", host="a.corp.example"))
    told = _told(unnamed, TransportError("auth", REFUSED), 7.0)
    assert told.message == "the login was refused for the account of the Kerberos ticket"
    usual = msgspec.structs.replace(unnamed, credential=Credential(password_env="PW"))
    by_certificate = msgspec.structs.replace(unnamed, winrm=WinRm(auth="certificate"))
    for server in (usual, by_certificate):
        told = _told(server, TransportError("auth", REFUSED), 7.0)
        assert told.message == "the login was refused for Administrator"


def test_the_name_for_kerberos_is_another_than_the_address() -> None:
    assert settings_of(at(), "pw", 7.0)["negotiate_hostname_override"] is None
    named = at(winrm=WinRm(kerberos_host="web-01.corp.example"))
    settings = settings_of(named, "pw", 7.0)
    assert (settings["server"], settings["negotiate_hostname_override"]) == (
        "127.0.0.1",
        "web-01.corp.example",
    )
    assert WSMan(**settings).transport._get_auth_kwargs("negotiate") == {
        "hostname_override": "web-01.corp.example"
    }
