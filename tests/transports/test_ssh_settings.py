"""Commands in a user's SSH settings, and hosts that are none."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import msgspec
import pytest
from ssh_host import ANSWER, USER, Host, Passwords, host_fixture, known_fixture

from volact.errors import InputError, TransportError
from volact.inventory import parse_target
from volact.model.server import Address, Server
from volact.transports.base import Raw
from volact.transports.connect import make_opener
from volact.transports.hostkeys import HostKeys
from volact.transports.login import SshOptions
from volact.transports.ssh_config import HostSettings, SshConfig

__all__ = ["host_fixture", "known_fixture"]  # used by name: host, known

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")

NAME, SCRIPT = "volact-0123456789abcdef", b"@echo off\r\n"
# A proxy that writes down how it was called, complains, and passes everything on.
PROXY = """\
import os, socket, sys, threading
with open(os.environ["PROXY_LOG"], "a") as log:
    log.write(repr(sys.argv[1:]) + "\\n")
sys.stderr.write("Warning: this is not for the other side\\n")
sys.stderr.flush()
line = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def back():
    while data := line.recv(65536):
        os.write(1, data)
    os._exit(0)
threading.Thread(target=back, daemon=True).start()
while data := os.read(0, 65536):
    line.sendall(data)
"""


def settings(folder: Path, text: str, connect_s: float = 120.0) -> SshOptions:
    path = folder / "config"
    path.write_text(text)
    return SshOptions(config=path, connect_s=connect_s)


@pytest.fixture(autouse=True)
async def children_end() -> AsyncIterator[None]:
    """No loop is closed before the commands that were started in it have ended."""
    yield
    async with asyncio.timeout(120):
        while any(t.name.startswith("asyncio-waitpid") for t in threading.enumerate()):
            await asyncio.sleep(0.01)


async def visit(server: Server, options: SshOptions) -> Raw:
    async with make_opener(Passwords(), options)(server) as transport:
        return await transport.run(SCRIPT, name=NAME, deadline_s=120)


def named(server: Server, host: str, user: str = USER) -> Server:
    return msgspec.structs.replace(server, address=Address(scheme="ssh", host=host, user=user))


@pytest.fixture
def proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The command of such a proxy."""
    program = tmp_path / "my proxy.py"
    program.write_text(PROXY)
    monkeypatch.setenv("PROXY_LOG", str(tmp_path / "log"))
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(program))}"


@pytest.mark.parametrize("sign", [" ", "=", " = "])
async def test_a_proxy_command_is_a_line_of_the_shell(
    host: Host, known: Path, tmp_path: Path, proxy: str, sign: str
) -> None:
    line = f"{proxy} %h %p \"$PROXY_LOG\" 'a b' %r %n"
    options = settings(
        tmp_path,
        f"Host win-*\n  HostName 127.0.0.1\n  Port {host.port}\n  ProxyCommand{sign}{line}\n",
    )
    raw = await visit(named(host.as_server(known), "win-1"), options)
    assert raw.stdout.endswith(ANSWER)
    assert (tmp_path / "log").read_text().splitlines() == [
        repr(["127.0.0.1", str(host.port), str(tmp_path / "log"), "a b", USER, "win-1"])
    ]


async def test_no_program_of_one_letters_name_is_run(
    host: Host, known: Path, tmp_path: Path, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    for letter in "xyzpn/":
        if letter != "/":
            (tmp_path / "bin" / letter).write_text("#!/bin/sh\ntouch run-$0\n")
            (tmp_path / "bin" / letter).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    text = f"Host *\n  HostName 127.0.0.1\n  Port {host.port}\n  ProxyCommand {proxy} %h %p\n"
    assert (await visit(named(host.as_server(known), "a"), settings(tmp_path, text))).stdout
    assert not list(tmp_path.glob("run-*"))


async def test_a_proxy_command_of_none_is_a_direct_way(
    host: Host, known: Path, tmp_path: Path
) -> None:
    options = settings(tmp_path, "Host *\n  ProxyCommand none\n")
    assert (await visit(host.as_server(known), options)).stdout.endswith(ANSWER)


async def test_a_proxy_command_that_ends_is_an_error_of_its_row(
    host: Host, known: Path, tmp_path: Path
) -> None:
    options = settings(tmp_path, "Host *\n  ProxyCommand echo no way >&2; exit 1\n")
    with pytest.raises(TransportError) as caught:
        await visit(host.as_server(known), options)
    assert caught.value.kind == "connect"


BAD_HOSTS = (
    *("a;touch owned", "a`id`", "$(id)", "a|b", "-oProxyCommand=x", "a'b", 'a"b', "a b", "a\nb"),
)


@pytest.mark.parametrize("host_name", [*BAD_HOSTS, "*", "web-?", "!web", "a,b", "@revoked", "|1|x"])
async def test_hosts_that_a_shell_or_known_hosts_would_read_are_refused(
    host: Host, known: Path, tmp_path: Path, host_name: str
) -> None:
    options = settings(tmp_path, f"Host *\n  ProxyCommand touch {tmp_path}/ran; echo %h\n")
    for chosen in (options, SshOptions(config=tmp_path / "none")):
        with pytest.raises(InputError, match="characters that no host has"):
            await visit(named(host.as_server(known), host_name), chosen)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("user", ["-x", "a;b", "a`id`", "a b -c", "a\\"])
async def test_users_that_a_shell_would_read_are_given_to_no_command(
    host: Host, known: Path, tmp_path: Path, user: str
) -> None:
    options = settings(tmp_path, f"Host *\n  ProxyCommand touch {tmp_path}/ran; echo %r\n")
    with pytest.raises(InputError, match="characters that a shell reads"):
        await visit(named(host.as_server(known), "web", user), options)
    assert not (tmp_path / "ran").exists()


async def test_a_host_name_of_the_settings_is_looked_at_too(
    host: Host, known: Path, tmp_path: Path
) -> None:
    text = f"Host *\n  HostName a;touch${{IFS}}b\n  ProxyCommand touch {tmp_path}/ran; echo %h\n"
    with pytest.raises(InputError):
        await visit(named(host.as_server(known), "web"), settings(tmp_path, text))


def test_no_wildcard_gets_into_known_hosts(tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    known = HostKeys("accept-new", file).for_server("")
    assert known is not None
    key = asyncssh.generate_private_key("ssh-ed25519")
    for name in ("*", "web-*", "a,b", "@cert-authority", "|1|a|b", "a b", "a\nb", "#a", "!a"):
        refusal = known.judge(name, "127.0.0.1", 22, key)
        assert refusal is not None, name
    assert not file.exists()
    assert known.judge("web-01", "127.0.0.1", 22, key) is None
    assert file.read_text().startswith("web-01 ssh-ed25519 ")


async def test_a_match_exec_that_sleeps_holds_up_no_other_server(
    host: Host, known: Path, tmp_path: Path
) -> None:
    begun, wait = tmp_path / "begun", tmp_path / "go"
    options = settings(
        tmp_path,
        "Host slow\n  User other\n"
        f'Match originalhost slow exec "touch {begun}; while [ ! -e {wait} ]; do sleep 0.05; done"'
        "\n  Port 1\n",
        connect_s=120.0,
    )
    slow = asyncio.create_task(visit(named(host.as_server(known), "slow"), options))
    while not begun.exists():
        await asyncio.sleep(0.01)
    assert (await visit(host.as_server(known), options)).stdout.endswith(ANSWER)
    assert not slow.done()
    wait.touch()
    with pytest.raises(TransportError):
        await slow


async def test_a_match_exec_has_the_time_of_a_login(
    host: Host, known: Path, tmp_path: Path
) -> None:
    wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
    options = settings(tmp_path, f'Match exec "{wait}"\n  Port 1\n', connect_s=0.5)
    with pytest.raises(TransportError, match=r"settings were not read within 0\.5 s") as caught:
        await visit(host.as_server(known), options)
    (tmp_path / "go").touch()
    assert caught.value.kind == "timeout"


async def read(folder: Path, text: bytes) -> HostSettings:
    path = folder / "config"
    path.write_bytes(text)
    return await SshConfig(path).of(parse_target("ssh://web"))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("HostName 10.0.0.1 # new address", {"host": "10.0.0.1"}),
        ("HostName=10.0.0.1\t# it's \"new", {"host": "10.0.0.1"}),
        ("Port 2222 #", {"port": 2222}),
        ('User "a # b" # c', {"user": "a # b"}),
        ("User 'a # b'", {"user": "a # b"}),
        ("User a#b", {"user": "a#b"}),
        ("IdentityFile /my\\ #1 # c", {"keys": ("/my #1",)}),
        ("ProxyCommand nc %h %p # c", {"command": "nc web 22 # c"}),
        ("# it's \"old\n HostName 10.0.0.1 # c", {"host": "10.0.0.1"}),
    ],
)
async def test_a_comment_behind_a_value_is_none_of_it(
    tmp_path: Path, line: str, found: dict[str, object]
) -> None:
    settings = await read(tmp_path, f"Host db # web\n Port 1\nHost web # c\n {line}\n".encode())
    assert settings == HostSettings(**{"host": "web", "port": None, **found})  # type: ignore[arg-type]


@pytest.mark.parametrize("before", [b"# B\xfcro\n", b"\xef\xbb\xbf"], ids=["latin-1", "mark"])
async def test_a_settings_file_may_be_of_another_encoding(tmp_path: Path, before: bytes) -> None:
    text = before + b"Host db\n HostName 10.0.0.1\nHost web\n HostName 10.0.0.2\n"
    assert (await read(tmp_path, text)).host == "10.0.0.2"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Port 22a # c", "not an SSH config: line 2: Invalid Port integer value: 22a"),
        ("Port 22a", "not an SSH config: line 2: Invalid Port integer value: 22a"),
        ("IdentityFile %q", "not an SSH config: Invalid token expansion: q"),
        ("HostName a;b", "'a;b' has characters that no host has"),
    ],
)
async def test_what_is_wrong_with_a_settings_file_names_it(
    tmp_path: Path, line: str, says: str
) -> None:
    included = tmp_path / "included"
    included.write_text(f"Host web\n {line}\n")
    for text in (f"Host web\n {line}\n", f"# c\nInclude {included}\n"):
        with pytest.raises(InputError) as caught:
            await read(tmp_path, text.encode())
        assert caught.value.what == says
        assert caught.value.where in (str(tmp_path / "config"), str(included))
