"""Jump hosts that a user's own SSH settings put before a jump host."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from ssh_host import ANSWER, USER, Host, host_fixture, known_fixture
from test_jump import Bastion, Start, bastions, closed, settings, visit
from test_ssh_settings import children_end, proxy

from volact.model.server import Address, Server, SshRoute

# Used by name: host, known and the rest.
__all__ = ["bastions", "children_end", "host_fixture", "known_fixture", "proxy"]


def entry(name: str, bastion: Bastion, folder: Path, more: str = "") -> str:
    return (
        f"Host {name}\n  HostName 127.0.0.1\n  Port {bastion.port}\n  User ops\n"
        f"  IdentityFile {bastion.key_file(folder)}\n{more}"
    )


def server_of(host: Host, known: Path, *passed: Bastion) -> tuple[Server, str]:
    """The server ``win-1``, and its entry in the settings."""
    with known.open("a") as file:
        file.write("".join(bastion.line() for bastion in passed))
    address = Address(scheme="ssh", host="win-1")
    server = msgspec.structs.replace(host.as_server(known), address=address)
    return server, f"Host win-1\n  HostName 127.0.0.1\n  Port {host.port}\n  User {USER}\n"


@pytest.mark.parametrize("by_inventory", [False, True])
async def test_a_jump_host_is_behind_the_jump_hosts_of_its_own_settings(
    host: Host, known: Path, tmp_path: Path, bastions: Start, by_inventory: bool
) -> None:
    outer, middle, inner = await bastions(), await bastions(), await bastions()
    server, text = server_of(host, known, outer, middle, inner)
    if by_inventory:
        route = SshRoute(jump=(Address(scheme="ssh", host="inner"),))
        server = msgspec.structs.replace(server, ssh=route)
    else:
        text += "  ProxyJump inner\n"
    text += entry("inner", inner, tmp_path, "  ProxyJump middle\n")
    text += entry("middle", middle, tmp_path, "  ProxyJump outer\n")
    text += entry("outer", outer, tmp_path)
    raw = await visit(server, settings(tmp_path, text))
    assert raw.stdout.endswith(ANSWER)
    assert [outer.went, middle.went, inner.went] == [[middle.port], [inner.port], [host.port]]
    assert [outer.users, middle.users, inner.users] == [["ops"]] * 3
    await closed(outer, middle, inner)


async def test_only_the_first_of_several_jump_hosts_has_settings_for_its_way(
    host: Host, known: Path, tmp_path: Path, bastions: Start
) -> None:
    outer, inner = await bastions(), await bastions()
    server, text = server_of(host, known, outer, inner)
    text += "  ProxyJump outer,inner\n"
    text += entry("inner", inner, tmp_path, "  ProxyJump nowhere.invalid\n")
    text += entry("outer", outer, tmp_path)
    assert (await visit(server, settings(tmp_path, text))).stdout.endswith(ANSWER)
    assert [outer.went, inner.went] == [[inner.port], [host.port]]


@pytest.mark.parametrize("user", ["", "ops@"])
async def test_a_jump_host_for_all_hosts_is_not_behind_itself(
    host: Host, known: Path, tmp_path: Path, bastions: Start, user: str
) -> None:
    gate = await bastions()
    server, text = server_of(host, known, gate)
    text += entry("gate", gate, tmp_path) + f"Host *\n  ProxyJump {user}gate\n"
    assert (await visit(server, settings(tmp_path, text))).stdout.endswith(ANSWER)
    assert (gate.users, gate.went) == (["ops"], [host.port])


async def test_the_first_jump_host_is_reached_by_its_own_proxy_command(
    host: Host, known: Path, tmp_path: Path, bastions: Start, proxy: str
) -> None:
    outer, inner = await bastions(), await bastions()
    server, text = server_of(host, known, outer, inner)
    text += "  ProxyJump outer,inner\n"
    text += entry("inner", inner, tmp_path, "  ProxyCommand exit 1\n")
    text += entry("outer", outer, tmp_path, f"  ProxyCommand {proxy} %h %p\n")
    assert (await visit(server, settings(tmp_path, text))).stdout.endswith(ANSWER)
    assert (tmp_path / "log").read_text() == repr(["127.0.0.1", str(outer.port)]) + "\n"
    assert [outer.went, inner.went] == [[inner.port], [host.port]]
