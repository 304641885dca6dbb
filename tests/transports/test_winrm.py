"""The agent over WinRM: logins, what travels, deadlines, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from ssh_host import Passwords

from volact.errors import InputError, TransportError
from volact.inventory import Secrets, load_inventory
from volact.lab.cmd.session import Start, execute
from volact.lab.lab import Lab
from volact.lab.ssh.slot import Slot
from volact.lab.winrm.front import over_tls
from volact.lab.winrm.service import Service
from volact.model.server import Address, Credential, Server, WinRm
from volact.transports.base import Raw
from volact.transports.connect import make_opener, open_transport
from volact.transports.login import SshOptions
from volact.transports.winrm.remote import INCOMPLETE, LONGEST_LINE, run_line, tidy_line
from volact.transports.winrm.way import settings_of

NAME = "volact-0123456789abcdef"
SCRIPT = b'@echo off\r\necho VOLACT1 hello\r\ndel /q /f "%~f0" & exit 0\r\n'


class Fleet:
    """A lab whose servers are reached by WinRM."""

    def __init__(self, lab: Lab, path: Path) -> None:
        self.lab = lab
        self.servers = {server.name: server for server in load_inventory(path).servers}

    def find(
        self, *, tls: bool = False, auth: str = "", release: str = "", fault: str = ""
    ) -> Server:
        names = (
            name
            for name, slot in self.lab.slots.items()
            if over_tls(slot) is tls
            and auth in ("", self.servers[name].winrm.auth)
            and release in ("", slot.spec.release)
            and (fault in slot.spec.faults if fault else not slot.line)
        )
        return self.servers[next(names)]

    def service(self, server: Server) -> Service:
        return self.lab.winrm.services[server.name]

    def left(self, server: Server) -> list[str]:
        machine = self.lab.machine(server.name)
        folders = (machine.temp, "C:\\Windows\\Temp")
        return [node.path for folder in folders for node in machine.files.children(folder)]


@pytest.fixture(name="fleet")
async def fleet_fixture(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Lab("tencent", 60, 7, transport="winrm") as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        fleet = Fleet(lab, tmp_path / "lab.toml")
        yield fleet
        assert lab.errors == []
        assert sum(len(service.shells) for service in lab.winrm.services.values()) == 0


async def run(
    server: Server,
    script: bytes = SCRIPT,
    *,
    deadline_s: float = 20,
    passwords: Passwords | None = None,
) -> Raw:
    async with open_transport(server, passwords or Secrets()) as transport:
        name = f"volact-{secrets.token_hex(16)}"
        return await transport.run(script, name=name, deadline_s=deadline_s)


async def refused(
    server: Server, script: bytes = SCRIPT, *, passwords: Passwords | None = None
) -> TransportError:
    with pytest.raises(TransportError) as caught:
        await run(server, script, passwords=passwords)
    assert caught.value.line().isprintable()
    return caught.value


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
    assert fleet.service(server).slot.requests == requests
    assert fleet.left(server) == []


async def test_a_second_script_costs_three_requests_more(fleet: Fleet) -> None:
    server = fleet.find()
    async with open_transport(server, Secrets()) as transport:
        for name in (NAME, f"{NAME}-2"):
            await transport.run(SCRIPT, name=name, deadline_s=20)
    assert fleet.service(server).slot.requests == 11
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
        assert fleet.service(server).slot.requests <= 3


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


async def test_a_certificate_that_nobody_vouches_for(fleet: Fleet) -> None:
    server = fleet.find(tls=True, fault="host-key")
    error = await refused(server)
    assert error.kind == "host-key"
    assert "ca-file" in error.hint
    assert fleet.service(server).slot.requests == 0  # nothing was said to a stranger
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
        async with open_transport(at(credential=Credential(password_env="NONE")), Secrets({})):
            pytest.fail("it opened")
    assert caught.value.kind == "auth"
    assert "the environment variable NONE is not set" in caught.value.message


async def test_a_silent_server_is_given_up_in_time() -> None:
    silent = asyncio.Event()

    async def connected(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()
        writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        address = Address(scheme="winrm", host="127.0.0.1", port=port)
        target = Server(name="x", address=address)
        begun = time.monotonic()
        with pytest.raises(TransportError, match=r"no login within 0\.3 s"):
            async with open_transport(target, Passwords(), SshOptions(connect_s=0.3)):
                pytest.fail("it opened")
        assert time.monotonic() - begun < 2
        silent.set()
        await _threads_end()


async def _threads_end() -> None:
    """Every connection's thread ends with it."""
    while [t for t in threading.enumerate() if t.name.startswith("winrm ")]:
        await asyncio.sleep(0.01)


async def test_threads_end_with_their_connections(fleet: Fleet) -> None:
    await asyncio.gather(*(run(fleet.find(tls=tls)) for tls in (True, False)))
    async with asyncio.timeout(5):
        await _threads_end()


def test_settings() -> None:
    plain = settings_of(at(), "pw", 7.0)
    assert (plain["port"], plain["ssl"], plain["auth"]) == (9, False, "negotiate")
    assert plain["cert_validation"] is True
    assert plain["encryption"] == "auto"
    kerberos = settings_of(at(winrm=WinRm(auth="kerberos")), None, 7.0)
    assert "username" not in kerberos
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


# What travels.


@asynccontextmanager
async def overheard(port: int) -> AsyncIterator[tuple[int, bytearray]]:
    """A port that leads to another one, and everything that passes."""
    heard = bytearray()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)

        async def pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError):
                while data := await source.read(65536):
                    heard.extend(data)
                    sink.write(data)
            sink.close()

        await asyncio.gather(pass_on(reader, back), pass_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], heard
    await asyncio.sleep(0.05)


async def test_nothing_is_read_on_the_way_even_without_tls(fleet: Fleet) -> None:
    server = fleet.find()
    assert server.address.port
    async with overheard(server.address.port) as (port, heard):
        address = msgspec.structs.replace(server.address, port=port)
        await run(msgspec.structs.replace(server, address=address))
    assert len(heard) > 2000
    for word in (fleet.lab.winrm.password, "findstr", "VOLACT1", "Envelope"):
        assert word.encode() not in heard
        assert word.encode("utf-16-le") not in heard


async def test_a_script_larger_than_an_envelope_goes_in_pieces(fleet: Fleet) -> None:
    server = fleet.find()
    padding = (b":: " + b"x" * 200 + b"\r\n") * 1000
    script = SCRIPT.replace(b"\r\ndel", b"\r\n" + padding + b"del")
    assert (await run(server, script)).exit_status == 0
    assert fleet.service(server).slot.requests == 9


async def test_a_script_that_did_not_arrive_whole_is_not_run(fleet: Fleet) -> None:
    machine = fleet.lab.machine(fleet.find().name)
    line = run_line(NAME, len(SCRIPT))
    part = SCRIPT.partition(b"del")[0]
    result = execute(machine, line, start=Start("cmd", part))
    assert result.stdout == f"{INCOMPLETE} {len(part)}\r\n".encode()
    execute(machine, tidy_line(NAME), start=Start("cmd"))
    assert execute(machine, line, start=Start("cmd", SCRIPT)).stdout == b"VOLACT1 hello\r\n"


async def test_a_last_line_without_its_end_is_noticed(fleet: Fleet) -> None:
    server = fleet.find()
    error = await refused(server, SCRIPT.rstrip())
    assert error.kind == "protocol"
    assert error.message == f"of a script of {len(SCRIPT) - 2} bytes {len(SCRIPT)} arrived"
    assert fleet.left(server) == []


def test_command_lines_are_short_and_begin_with_no_quote() -> None:
    longest = f"volact-{'f' * 57}"
    for line in (run_line(longest, 10**6), tidy_line(longest)):
        assert len(line) < LONGEST_LINE / 8
        assert not line.startswith('"')
        assert line.isascii()


# Ends.


async def test_a_hang_ends_at_the_deadline_on_the_server_too(fleet: Fleet) -> None:
    server = fleet.find(fault="hang", tls=over_tls(_slot(fleet, "hang")))
    shells = fleet.service(server).shells
    async with open_transport(server, Secrets()) as transport:
        begun = time.monotonic()
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=1)
        assert time.monotonic() - begun < 3
        assert caught.value.kind == "timeout"
        assert "within 1 s" in caught.value.message
        (shell,) = shells.opened
        assert [
            command for command in shell.commands.values() if not command.changed.is_set()
        ] == []
        assert fleet.left(server) == []


def _slot(fleet: Fleet, fault: str) -> Slot:
    return next(slot for slot in fleet.lab.slots.values() if fault in slot.spec.faults)


async def test_a_shell_that_is_gone_between_two_scripts(fleet: Fleet) -> None:
    server = fleet.find()
    async with open_transport(server, Secrets()) as transport:
        await transport.run(SCRIPT, name=NAME, deadline_s=20)
        fleet.service(server).shells.clear()
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=20)
        assert caught.value.kind == "connect"
        assert "the remote shell is gone" in caught.value.message


async def test_a_server_with_no_room_for_a_shell(fleet: Fleet) -> None:
    server = fleet.find(release="2008 R2")
    shells = fleet.service(server).shells
    user = fleet.lab.slots[server.name].spec.user
    for _ in range(5):
        shells.open(user, profile=True, code_page="", idle_s=0)
    error = await refused(server)
    assert error.kind == "connect"
    assert "no further remote shell" in error.message
    shells.clear()
    assert (await run(server)).exit_status == 0


async def test_many_visits_leave_no_shell_behind(fleet: Fleet) -> None:
    server = fleet.find(release="2008 R2")
    for _ in range(7):
        await run(server)
    assert fleet.service(server).shells.most == 1


async def test_a_service_that_stops_in_the_middle(fleet: Fleet) -> None:
    server = fleet.find()
    async with open_transport(server, Secrets()) as transport:
        await fleet.lab.winrm.stop()
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=20)
    assert caught.value.kind == "connect"


async def test_endless_output_is_cut_off(fleet: Fleet) -> None:
    server = fleet.find()
    flood = SCRIPT.replace(b"echo VOLACT1 hello", b"for /L %%i in (1,1,6000) do echo " + b"x" * 200)
    error = await refused(server, flood)
    assert error.kind == "protocol"
    assert "wrote more than" in error.message
    assert fleet.left(server) == []


async def test_a_guessable_name_is_refused(fleet: Fleet) -> None:
    async with open_transport(fleet.find(), Secrets()) as transport:
        with pytest.raises(ValueError, match="not a file name"):
            await transport.run(SCRIPT, name="../x", deadline_s=5)


async def test_one_opener_serves_many_at_once(fleet: Fleet) -> None:
    opener = make_opener(Secrets())
    good = [name for name, slot in fleet.lab.slots.items() if not slot.line]

    async def one(server: Server) -> int | None:
        async with opener(server) as transport:
            raw = await transport.run(SCRIPT, name=NAME, deadline_s=20)
            return raw.exit_status

    statuses = await asyncio.gather(*(one(fleet.servers[name]) for name in good))
    assert set(statuses) == {0}
    assert len(statuses) > 40
