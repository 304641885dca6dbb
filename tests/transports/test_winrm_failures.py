"""Every exception of the WinRM libraries has its place, and none reveals too much."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import re
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.client import BadStatusLine, RemoteDisconnected
from types import ModuleType
from typing import Any, cast
from xml.etree import ElementTree

import pypsrp.exceptions
import pytest
import requests.exceptions
import spnego.exceptions
import urllib3.exceptions
from pypsrp.wsman import NAMESPACES, WSMan, WSManAction
from ssh_host import PASSWORD, Passwords
from winrm_fleet import no_login

from volact.errors import TransportError
from volact.model.server import Address, Credential, Server, WinRm
from volact.threads import BlockingCalls
from volact.transports.connect import make_opener
from volact.transports.failures import mapping_of
from volact.transports.login import SshOptions
from volact.transports.winrm.failures import (
    FAULTS,
    TABLE,
    as_transport_error,
    translated,
)
from volact.transports.winrm.kerberos import KERBEROS
from volact.transports.winrm.login import make, settings_of
from volact.transports.winrm.shell import CommandStop, RemoteShell
from volact.transports.winrm.transport import WinRmTransport


def public(module: ModuleType) -> list[type[BaseException]]:
    found = [value for name, value in vars(module).items() if not name.startswith("_")]
    kinds = [value for value in found if isinstance(value, type)]
    own = [kind for kind in kinds if kind.__module__ == module.__name__]
    return [kind for kind in own if issubclass(kind, Exception) and not issubclass(kind, Warning)]


PUBLIC = sorted(
    {
        kind
        for module in (
            pypsrp.exceptions,
            requests.exceptions,
            urllib3.exceptions,
            spnego.exceptions,
        )
        for kind in public(module)
    },
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_public_exception_is_mapped(kind: type[BaseException]) -> None:
    assert mapping_of(kind, TABLE) is not None
    family = next(base for base in kind.__mro__ if base in TABLE)
    assert family.__module__.partition(".")[0] in {"pypsrp", "requests", "urllib3", "spnego"}


def test_the_test_above_sees_the_libraries() -> None:
    assert {
        pypsrp.exceptions.WSManFaultError,
        requests.exceptions.ReadTimeout,
        urllib3.exceptions.ProtocolError,
        spnego.exceptions.BadMICError,
    } <= set(PUBLIC)


def fault(code: int | str, reason: str = "said the server") -> pypsrp.exceptions.WSManFaultError:
    return pypsrp.exceptions.WSManFaultError(code, "host", reason, None, None, None)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (5, "auth", "LocalAccountTokenFilterPolicy"),
        (0x803381A5, "connect", "no further remote shell"),
        (0x803381E4, "connect", "no further remote shell"),
        (0x8033805B, "connect", "shell is gone"),
        (0x80338012, "connect", "winrm quickconfig"),
        (0x803381AC, "connect", "AllowRemoteShellAccess"),
        (0x80338029, "timeout", "in time"),
        (1460, "timeout", "in time"),
        (995, "connect", "ended on the server"),
        (0x80338049, "protocol", "MaxEnvelopeSizekb"),
        (0x80338041, "protocol", "said the server (0x80338041)"),
        ("w:InternalError", "protocol", "said the server"),
    ],
)
def test_faults_of_the_service(code: int | str, kind: str, says: str) -> None:
    told = as_transport_error(fault(code))
    assert told is not None
    assert told.kind == kind
    assert says in told.line()


def test_every_fault_is_one_line() -> None:
    for code in FAULTS:
        told = as_transport_error(fault(code, "\x1b[31mbad\r\n" + "x" * 900))
        assert told is not None
        assert told.line().isprintable()
        assert len(told.line()) < 400


def test_what_is_no_servers_fault_is_not_swallowed() -> None:
    for defect in (KeyError("a defect"), ValueError("a defect"), AttributeError("a defect")):
        with pytest.raises(type(defect)), translated():
            raise defect
    with pytest.raises(TransportError), translated():
        raise OSError(113, "No route to host")


def test_the_systems_own_word_is_found_behind_what_wraps_it() -> None:
    assert told_of(ConnectionRefusedError(111, "refused")) == "connect"
    assert told_of(socket.gaierror(-2, "unknown")) == "connect"
    assert told_of(ssl.SSLCertVerificationError("x")) == "host-key"
    assert told_of(ssl.SSLError("wrong version number")) == "protocol"


def told_of(cause: OSError) -> str:
    """How an error is reported that urllib3 and requests have wrapped as they do."""
    wrapped = urllib3.exceptions.MaxRetryError(None, "/wsman", reason=cause)  # type: ignore[arg-type]
    outer = requests.exceptions.SSLError if isinstance(cause, ssl.SSLError) else None
    told = as_transport_error((outer or requests.exceptions.ConnectionError)(wrapped))
    assert told is not None
    return told.kind


def test_the_port_of_another_service_is_called_that() -> None:
    wrapped = urllib3.exceptions.ProtocolError("aborted", BadStatusLine("SSH-2.0-OpenSSH\r\n"))
    told = as_transport_error(requests.exceptions.ConnectionError(wrapped))
    assert told is not None
    assert told.line() == "what answers is not HTTP: SSH-2.0-OpenSSH (is this the port of WinRM?)"
    gone = urllib3.exceptions.ProtocolError("aborted", RemoteDisconnected("closed"))
    told = as_transport_error(requests.exceptions.ConnectionError(gone))
    assert told is not None
    assert told.line() == "the connection broke: closed"


# Servers that are not what they should be.

OK = b"HTTP/1.1 200 OK\r\nContent-Length: "
CHALLENGE = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: "
SEALED = (
    b'HTTP/1.1 200 OK\r\nContent-Type: multipart/encrypted;protocol="x";boundary="Encrypted '
    b'Boundary"\r\nContent-Length: 9\r\n\r\nnot sealed'
)


@asynccontextmanager
async def stub(answer: bytes) -> AsyncIterator[int]:
    """Something that gives the same answer to every request, and its port."""

    open_: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_[asyncio.current_task()] = writer
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536) and answer:
                writer.write(answer)
                await writer.drain()
                if b"Connection: close" in answer:
                    break
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for writer in open_.values():
            writer.transport.abort()
        await asyncio.gather(*(task for task in open_ if task))


def at(port: int, **winrm: object) -> Server:
    return Server(
        name="web-01",
        address=Address(scheme="winrm", host="127.0.0.1", port=port, user="Administrator"),
        credential=Credential(password_env="PW"),
        winrm=WinRm(**winrm),  # type: ignore[arg-type]
    )


async def refused(server: Server, passwords: Passwords | None = None) -> TransportError:
    with pytest.raises(TransportError) as caught:
        async with make_opener(passwords or Passwords(), SshOptions(connect_s=300))(server):
            pytest.fail("it opened")
    assert PASSWORD not in caught.value.line()
    assert caught.value.line().isprintable()
    told = caught.value
    del caught
    return _alone(told)


def _alone(error: TransportError) -> TransportError:
    """The error without its history.

    Where the library stops in the middle of a login it leaves its socket to
    the garbage collector; that is not what is tested here.
    """
    copy = TransportError(error.kind, error.message, error.hint)
    error.__traceback__ = error.__cause__ = error.__context__ = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    return copy


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (b"", "connect", "the connection broke"),
        (b"SSH-2.0-OpenSSH_for_Windows_9.5\r\n", "connect", ""),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "protocol", "no WinRM service"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "protocol", "HTTP status 500"),
        (b"HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", "connect", "without a reason"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "connect", ""),
        (CHALLENGE + b"\r\n\r\n", "auth", "the login did not come about"),
        (CHALLENGE + b'Basic realm="x"\r\n\r\n', "auth", "the login did not come about"),
        (CHALLENGE + b"Negotiate\r\n\r\n", "auth", "the login was refused"),
        (CHALLENGE + b"Negotiate !!!!\r\n\r\n", "auth", "the login was refused"),
        (CHALLENGE + b"Negotiate AAAA\r\n\r\n", "protocol", "does not speak WinRM"),
        (OK + b"6\r\n\r\n<html>", "protocol", "does not speak WinRM"),
        (OK + b"999\r\nConnection: close\r\n\r\n<html>", "connect", "the connection broke"),
        (SEALED, "protocol", "does not speak WinRM"),
        (b"HTTP/1.1 302 Moved\r\nLocation: /wsman\r\nContent-Length: 0\r\n\r\n", "protocol", ""),
    ],
)
async def test_a_server_that_is_not_what_it_should_be(answer: bytes, kind: str, says: str) -> None:
    async with stub(answer) as port:
        error = await refused(at(port))
    assert error.kind == kind, error.line()
    assert says in error.message


class KerberosError(Exception):
    """An error of the library with the number that Kerberos gave."""

    def __init__(self, min_code: int) -> None:
        self.min_code = min_code


@pytest.mark.parametrize("number", KERBEROS)
@pytest.mark.parametrize("base", [-1765328384, -1765328384 + 2**32])
def test_errors_of_kerberos_are_told_by_their_number(number: int, base: int) -> None:
    error = spnego.exceptions.SpnegoError(0xFFFFFFFF, context_msg="Processing security token")
    error.__cause__ = KerberosError(base + number)
    told = as_transport_error(error)
    assert told is not None
    assert told.kind == "auth"
    assert told.line() == KERBEROS[number].error("").line()


def test_an_unknown_number_of_kerberos_keeps_its_words() -> None:
    error = spnego.exceptions.SpnegoError(0xFFFFFFFF, context_msg="Processing security token")
    error.__cause__ = KerberosError(1)
    told = as_transport_error(error)
    assert told is not None
    assert "Processing security token" in told.line()


class Crowded:
    """A WinRM service that takes a script and then has no room for the question what it wrote."""

    max_payload_size = 1000

    def __init__(self) -> None:
        self.asked: list[str] = []

    def invoke(self, action: str, *_: object) -> ElementTree.Element:
        self.asked.append(action)
        if action == WSManAction.RECEIVE:
            raise fault(0x803381A6)
        answer = ElementTree.Element("a")
        ElementTree.SubElement(answer, f"{{{NAMESPACES['rsp']}}}CommandId").text = "1"
        return answer


async def test_a_script_that_was_sent_is_not_one_that_was_refused() -> None:
    wsman, worker = Crowded(), BlockingCalls(1, idle_s=None)
    transport = WinRmTransport(RemoteShell(cast(Any, wsman), lambda: None), worker, no_login)
    with pytest.raises(TransportError, match="no further remote shell") as told:
        await transport.run(b"x", name="volact-00000000", deadline_s=60)
    worker.end()
    assert WSManAction.SEND in wsman.asked
    assert told.value.passing == "never"


def test_an_answer_that_stalls_for_seconds_is_waited_for() -> None:
    heard: list[tuple[float, float]] = []  # the operation's time-out, and the request's

    class Line:
        def send(self, message: bytes, *, timeout: float | None = None, **_: object) -> bytes:
            (told,) = re.findall(rb"OperationTimeout>PT(\d+)S<", message)
            heard.append((float(told), timeout or wsman.transport.read_timeout))
            raise requests.exceptions.ReadTimeout

    address = Address(scheme="winrm", host="10.0.0.1")
    server = Server(name="a", address=address, credential=Credential())
    wsman = WSMan(**settings_of(server, "x", 3))
    vars(wsman.transport)["send"] = Line().send
    shell = RemoteShell(wsman, lambda: None)
    for ask in (shell.open, lambda: shell._receive(CommandStop(1e12))):
        with pytest.raises(requests.exceptions.ReadTimeout):
            ask()
    assert [operation for operation, _ in heard] == [15, 2]
    assert all(request >= operation + 5 for operation, request in heard)


class Ending(Crowded):
    """A WinRM service whose command ends with an exit code as it is written."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self._code = code

    def invoke(self, action: str, *_: object) -> ElementTree.Element:
        if action != WSManAction.RECEIVE:
            return super().invoke(action)
        answer, rsp = ElementTree.Element("a"), f"{{{NAMESPACES['rsp']}}}"
        state = ElementTree.SubElement(
            answer, f"{rsp}CommandState", State=f"{NAMESPACES['rsp']}/CommandState/Done"
        )
        ElementTree.SubElement(state, f"{rsp}ExitCode").text = self._code
        return answer


@pytest.mark.parametrize(
    ("code", "status"),
    [("0", 0), (" 3 ", 3), ("3221225786", 3221225786), ("-1073741510", -1073741510),
     ("9" * 5000, None), ("\u00b2", None), ("", None), ("one", None)],
    ids=lambda word: str(word)[:12],
)  # fmt: skip
def test_an_exit_code_is_a_number_or_not_reported(code: str, status: int | None) -> None:
    raw = RemoteShell(cast(Any, Ending(code)), lambda: None).run("x", b"", CommandStop(1e12))
    assert raw is not None
    assert raw.exit_status == status


class Stalled(Crowded):
    """A WinRM service of which one answer never comes."""

    def invoke(self, action: str, *_: object) -> ElementTree.Element:
        if action == WSManAction.RECEIVE:
            raise requests.exceptions.ReadTimeout
        return super().invoke(action)


async def test_one_answer_that_stalls_is_not_the_deadline() -> None:
    """No longer --deadline helps there."""
    worker = BlockingCalls(1, idle_s=None)
    transport = WinRmTransport(RemoteShell(cast(Any, Stalled()), lambda: None), worker, no_login)
    with pytest.raises(TransportError, match="no answer in time") as told:
        await transport.run(b"x", name="volact-00000000", deadline_s=600)
    worker.end()
    assert told.value.kind == "timeout"


async def test_a_machine_that_starts_no_more_threads_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where a container allows few processes; one that has a thread goes on."""
    others = BlockingCalls(2, name="others", idle_s=None)
    await others.run(lambda: None)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith(("winrm", "others")):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    opener = make(Passwords(), SshOptions(connect_s=600))
    server = Server(
        name="a",
        address=Address(scheme="winrm", host="192.0.2.1", port=5985),
        credential=Credential(user="Administrator"),
    )
    with pytest.raises(TransportError, match="starts no more threads") as told:
        async with opener(server):
            pass
    assert (told.value.kind, told.value.passing) == ("connect", "unsent")
    assert "lower --concurrency" in told.value.hint
    assert await asyncio.gather(*(others.run(lambda: 3) for _ in range(4))) == [3, 3, 3, 3]
    monkeypatch.undo()
    assert await others.run(lambda: 4) == 4
    others.end()


def test_a_login_that_is_not_installed_is_told_with_its_extra() -> None:
    told = as_transport_error(ImportError("No module named 'gssapi'"))
    assert told is not None
    assert "pip install 'volact[kerberos]'" in told.line()
