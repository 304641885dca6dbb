"""The lab's WinRM listener as an independent client sees it.

The client is pywinrm, which shares no code with volact's transport, so that the
listener is not built to the only client it has.
"""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from winrm.exceptions import (
    InvalidCredentialsError,
    WinRMOperationTimeoutError,
    WinRMTransportError,
    WSManFaultError,
)
from winrm.protocol import Protocol

from volact_lab.lab import Lab
from volact_lab.winrm.front import over_tls
from volact_lab.winrm.service import Service


@dataclass
class Listener:
    """One server's listener and how to get to it."""

    lab: Lab
    name: str
    ca: str

    @property
    def service(self) -> Service:
        return self.lab.winrm.services[self.name]

    @property
    def url(self) -> str:
        slot = self.service.slot
        return f"{'https' if over_tls(slot) else 'http'}://127.0.0.1:{slot.port}/wsman"

    def client(self, transport: str = "ntlm", **settings: object) -> Protocol:
        return Protocol(
            endpoint=self.url,
            username=str(settings.pop("username", self.service.slot.spec.user)),
            password=str(settings.pop("password", self.lab.winrm.password)),
            transport=transport,  # type: ignore[arg-type]
            ca_trust_path=self.ca,
            **settings,  # type: ignore[arg-type]
        )

    async def run(self, line: str, *, stdin: bytes = b"", **settings: object) -> tuple[str, int]:
        """Output and exit code of a command, as pywinrm brings them."""

        def call() -> tuple[bytes, bytes, int]:
            with shell(self.client(**settings)) as (client, shell_id):  # type: ignore[arg-type]
                command = client.run_command(shell_id, line, console_mode_stdin=not stdin)
                if stdin:
                    client.send_command_input(shell_id, command, stdin, end=True)
                return client.get_command_output(shell_id, command)

        out, err, code = await asyncio.to_thread(call)
        return (out + err).decode("cp437"), code

    async def fault(self, call: Callable[[], object]) -> WSManFaultError:
        with pytest.raises(WSManFaultError) as caught:
            await asyncio.to_thread(call)
        return caught.value


@contextmanager
def shell(client: Protocol, **settings: object) -> Iterator[tuple[Protocol, str]]:
    shell_id = client.open_shell(**settings)  # type: ignore[arg-type]
    try:
        yield client, shell_id
    finally:
        client.close_shell(shell_id)


@pytest.fixture(name="lab")
async def lab_fixture(tmp_path: Path) -> AsyncIterator[Lab]:
    async with Lab("tencent", 40, 7, transport="winrm") as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        yield lab
        assert lab.errors == []


@pytest.fixture(name="find")
def find_fixture(lab: Lab, tmp_path: Path) -> Callable[..., Listener]:
    def find(*, tls: bool | None = None, release: str = "", fault: str = "") -> Listener:
        names = (
            name
            for name, slot in lab.slots.items()
            if tls in (None, over_tls(slot))
            and release in ("", slot.spec.release)
            and (fault in slot.spec.faults if fault else not slot.line)
            and not slot.spec.key_login
            and slot.spec.user == "Administrator"
        )
        return Listener(lab, next(names), str(tmp_path / "lab.ca.pem"))

    return find


Find = Callable[..., Listener]


@pytest.mark.parametrize(("tls", "transport"), [(False, "ntlm"), (True, "ntlm"), (True, "ssl")])
async def test_an_independent_client_runs_a_command(find: Find, tls: bool, transport: str) -> None:
    listener = find(tls=tls)
    said, code = await listener.run("echo hello %USERNAME%&exit 7", transport=transport)
    assert said == "hello Administrator\r\n"
    assert code == 7
    assert len(listener.service.shells) == 0


async def test_its_standard_input_reaches_the_command(find: Find) -> None:
    said, code = await find(tls=False).run('findstr "^"', stdin=b"one\r\ntwo")
    assert (said, code) == ("one\r\ntwo\r\n", 0)


async def test_a_line_that_is_too_long_is_cut_on_the_way(find: Find) -> None:
    said, code = await find(tls=False).run('findstr "^"', stdin=b"x" * 9000 + b"\r\ntwo\r\n")
    assert (len(said.partition("\n")[0]), code) == (8191, 0)


async def test_a_command_without_input_does_not_wait_for_it(find: Find) -> None:
    said, code = await find(tls=False).run("ver")
    assert "Microsoft Windows [" in said
    assert code == 0


async def test_the_profile_is_loaded_unless_told_otherwise(find: Find) -> None:
    listener = find(tls=False)

    def temp(*, noprofile: bool) -> bytes:
        with shell(listener.client(), noprofile=noprofile) as (client, shell_id):
            command = client.run_command(shell_id, "echo %TEMP%")
            return client.get_command_output(shell_id, command)[0]

    own = await asyncio.to_thread(lambda: temp(noprofile=False))
    assert own == b"C:\\Users\\Administrator\\AppData\\Local\\Temp\r\n"
    assert await asyncio.to_thread(lambda: temp(noprofile=True)) == b"C:\\Windows\\TEMP\r\n"


async def test_a_wrong_password_and_a_stranger_are_refused(find: Find) -> None:
    for tls, transport in ((False, "ntlm"), (True, "ntlm"), (True, "ssl")):
        with pytest.raises(InvalidCredentialsError):
            await find(tls=tls).run("ver", transport=transport, password="wrong")
        with pytest.raises(InvalidCredentialsError):
            await find(tls=tls).run("ver", transport=transport, username="eve")


async def test_what_is_sent_in_clear_without_tls_is_refused(find: Find) -> None:
    with pytest.raises((WinRMTransportError, InvalidCredentialsError)):
        await find(tls=False).run("ver", message_encryption="never")
    with pytest.raises(InvalidCredentialsError):
        await find(tls=False).run("ver", transport="basic")


async def test_an_identity_of_an_unknown_authority(find: Find) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        await find(fault="host-key").run("ver")


async def test_its_name_is_asked_without_a_login(find: Find) -> None:
    service = find(tls=False, release="2008 R2").service
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:i="'
        'http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>"
    )

    def ask(headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", service.slot.port, timeout=120)
        connection.request("POST", "/wsman", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    status, text = await asyncio.to_thread(lambda: ask({"WSMANIDENTIFY": "unauthenticated"}))
    assert status == 200
    assert "Stack: 2.0" in text
    assert (await asyncio.to_thread(lambda: ask({})))[0] == 401


@pytest.mark.parametrize(("release", "limit"), [("2008 R2", 5), ("2016", 30)])
async def test_shells_that_are_left_open_fill_the_quota(
    find: Find, release: str, limit: int
) -> None:
    listener = find(release=release, tls=False)
    client = listener.client()

    def fill() -> list[str]:
        return [client.open_shell() for _ in range(limit)]

    opened = await asyncio.to_thread(fill)
    fault = await listener.fault(client.open_shell)
    assert fault.wsman_fault_code in {0x803381A5, 0x803381E4}
    assert fault.fault_subcode == "w:QuotaLimit"
    await asyncio.to_thread(lambda: client.close_shell(opened[0], close_session=False))
    await asyncio.to_thread(client.open_shell)
    assert len(listener.service.shells) == limit


async def test_a_shell_left_alone_too_long_is_closed(find: Find) -> None:
    listener = find(tls=False)
    client = listener.client()
    shell_id = await asyncio.to_thread(lambda: client.open_shell(idle_timeout="PT61S"))
    open_shell = listener.service.shells.get(shell_id, "Administrator")
    open_shell.touched -= 60
    assert len(listener.service.shells) == 1
    open_shell.touched -= 2
    fault = await listener.fault(lambda: client.run_command(shell_id, "ver"))
    assert fault.wsman_fault_code == 0x8033805B
    assert len(listener.service.shells) == 0


async def test_a_connection_without_requests_is_closed(lab: Lab, find: Find) -> None:
    lab.winrm.idle_s = 0.05
    reader, writer = await asyncio.open_connection("127.0.0.1", find(tls=False).service.slot.port)
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_a_body_for_a_login_that_has_ended_is_refused(lab: Lab, find: Find) -> None:
    client = find(tls=False).client()
    shell_id = await asyncio.to_thread(client.open_shell)
    await lab.winrm.elapse(121)
    with pytest.raises(WinRMTransportError) as caught:
        await asyncio.to_thread(lambda: client.run_command(shell_id, "ver"))
    assert (caught.value.code, caught.value.response_text) == (400, "")
    client.transport.close_session()


async def test_commands_that_are_never_ended_fill_a_shell(find: Find) -> None:
    listener = find(release="2008 R2", tls=False)
    client = listener.client()

    def fill() -> str:
        shell_id = client.open_shell()
        for _ in range(15):
            client.run_command(shell_id, "ver")
        return shell_id

    shell_id = await asyncio.to_thread(fill)
    fault = await listener.fault(lambda: client.run_command(shell_id, "ver"))
    assert fault.fault_subcode == "w:QuotaLimit"


async def test_a_message_beyond_the_envelope_is_refused(find: Find) -> None:
    listener = find(tls=False)
    client = listener.client()

    def send() -> None:
        with shell(client) as (_, shell_id):
            command = client.run_command(shell_id, 'findstr "^"', console_mode_stdin=False)
            client.send_command_input(shell_id, command, b"x" * 120_000, end=True)

    fault = await listener.fault(send)
    assert fault.fault_subcode == "w:EncodingLimit"


async def test_a_command_line_has_a_limit(find: Find) -> None:
    said, code = await find(tls=False).run(f"rem {'x' * 8200}")
    assert (said, code) == ("The command line is too long.\r\n", 1)


async def test_no_output_in_time_is_told_and_may_be_asked_for_again(find: Find) -> None:
    listener = find(tls=False)
    client = listener.client(operation_timeout_sec=1, read_timeout_sec=600)

    def wait() -> bytes:
        with shell(client) as (_, shell_id):
            command = client.run_command(shell_id, 'findstr "^"', console_mode_stdin=False)
            with pytest.raises(WinRMOperationTimeoutError):
                client.get_command_output_raw(shell_id, command)
            client.send_command_input(shell_id, command, b"late\r\n", end=True)
            return client.get_command_output(shell_id, command)[0]

    assert await asyncio.to_thread(wait) == b"late\r\n"


async def test_terminating_ends_a_command_that_waits(find: Find) -> None:
    listener = find(tls=False)
    client = listener.client(operation_timeout_sec=1, read_timeout_sec=600)

    def end() -> WSManFaultError:
        with shell(client) as (_, shell_id):
            command = client.run_command(shell_id, 'findstr "^"', console_mode_stdin=False)
            client.cleanup_command(shell_id, command)
            with pytest.raises(WSManFaultError) as caught:
                client.get_command_output_raw(shell_id, command)
            return caught.value

    assert (await asyncio.to_thread(end)).wsman_fault_code == 0x8033805B
    assert (await listener.run("echo free"))[0] == "free\r\n"  # the server is not held up


async def test_large_output_comes_in_pieces_that_fit(find: Find) -> None:
    listener = find(tls=False)
    before = listener.service.slot.requests
    said, _ = await listener.run(f"for /L %i in (1,1,1500) do @echo {'x' * 200}")
    assert said == f"{'x' * 200}\r\n" * 1500
    assert listener.service.slot.requests - before > 7


async def test_what_is_not_modelled_is_loud(tmp_path: Path) -> None:
    async with Lab("simple", 4, 1, transport="winrm") as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        name = next(name for name, slot in lab.slots.items() if not over_tls(slot))
        listener = Listener(lab, name, "")
        client = listener.client()

        def ask() -> None:
            with shell(client) as (_, shell_id):
                client.run_command(shell_id, "ver", skip_cmd_shell=True)

        await listener.fault(ask)
        assert [error.message for _, error in lab.errors] == ["WinRM: WINRS_SKIP_CMD_SHELL"]


async def test_accounts_are_shown_to_the_acceptor_alone(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", "/another/users")
    await find(tls=False).run("ver")
    assert os.environ["NTLM_USER_FILE"] == "/another/users"
