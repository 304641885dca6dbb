"""Connections in processes of their own: what happens when one ends, and what it knows.

That they work as any other is in ``test_contract``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cli_process import FORKED
from forked_volact import ForkedVolact

from volact.errors import TransportError
from volact.fleet import Control, run_fleet
from volact.inventory import Inventory, Secret, Secrets, load_inventory, parse_target
from volact.model.server import Address, Credential, Server, SshRoute
from volact.pipeline import Job, Retry
from volact.transports.base import Opener
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact.transports.processes import in_processes
from volact_lab.lab import Lab

SCRIPT = b'@echo off\r\necho VOLACT1 here\r\ndel /q /f "%~f0" & exit 0\r\n'
NAME = "volact-0123456789abcdef"


def children(of: int | None = None) -> list[int]:
    """The processes that a process started and that still run."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                state, parent = (entry / "stat").read_text().rpartition(") ")[2].split()[:2]
                words = (entry / "cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            if int(parent) == (of or os.getpid()) and state != "Z" and b"process_child" in words:
                found.append(int(entry.name))
    return found


def end_children() -> None:
    for pid in children():
        os.kill(pid, signal.SIGKILL)


class Silent:
    """Servers that accept a connection and never say anything."""

    def __init__(self, number: int) -> None:
        self._listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
        self.servers = [
            Server(name=f"web-{n}", address=Address(scheme="ssh", host="127.0.0.1", port=port))
            for n, port in enumerate(one.getsockname()[1] for one in self._listeners)
        ]
        self.connections: list[socket.socket] = []

    async def all_connected(self) -> None:
        """Wait until there is a connection to each."""
        for listener in self._listeners:
            self.connections.append((await asyncio.to_thread(listener.accept))[0])

    def close(self) -> None:
        for one in (*self._listeners, *self.connections):
            one.close()


@asynccontextmanager
async def fleet(folder: Path) -> AsyncIterator[tuple[Lab, Inventory]]:
    async with Lab("healthy", 4, 3, transport="ssh") as lab:
        lab.write_inventory(folder / "lab.toml")
        yield lab, load_inventory(folder / "lab.toml")


async def say_something(opener: Opener, server: Server) -> bytes:
    async with opener(server) as transport:
        raw = await transport.run(SCRIPT, name=NAME, deadline_s=60)
    return raw.stdout


async def test_the_connections_are_in_other_processes(tmp_path: Path) -> None:
    async with (
        fleet(tmp_path) as (_, inventory),
        in_processes(make_opener(Secrets(), SshOptions(connect_s=300)), 2) as made,
    ):
        opener, late_s = made
        for server in inventory.servers:
            async with opener(server) as transport:
                raw = await transport.run(SCRIPT, name=NAME, deadline_s=60)
                assert b"VOLACT1 here" in raw.stdout
                # asyncssh's objects of a connection are not in this process.
                assert type(transport).__module__ == "volact.transports.processes"
        while len(children()) < 2:  # the other may just be starting
            await asyncio.sleep(0.01)
        assert late_s() >= 0
    assert children() == []


async def test_a_process_that_ends_costs_what_was_under_way_and_no_more(tmp_path: Path) -> None:
    async with (
        fleet(tmp_path) as (_, inventory),
        in_processes(make_opener(Secrets(), SshOptions(connect_s=300)), 2) as made,
    ):
        opener, _ = made
        server = inventory.servers[0]
        async with opener(server) as transport:
            assert b"VOLACT1" in (await transport.run(SCRIPT, name=NAME, deadline_s=60)).stdout
            end_children()
            with pytest.raises(TransportError, match="has ended") as caught:
                await transport.run(SCRIPT, name=NAME, deadline_s=60)
        # A script may have been sent: only a new probe can tell.
        assert (caught.value.kind, caught.value.passing) == ("connect", "never")
        for one in inventory.servers:  # opened by this process
            assert b"VOLACT1 here" in await say_something(opener, one)


async def test_every_server_has_its_row_when_the_processes_are_killed() -> None:
    silent = Silent(6)
    control = Control(concurrency=6, processes=2)
    job = Job(mode="check", retry=Retry(times=0))
    opener = make_opener(Secrets(), SshOptions(host_keys="ignore", connect_s=300))

    async def rows() -> dict[str, str]:
        found = run_fleet(silent.servers, opener, job, control)
        return {row.name: str(row.error and row.error.message) async for row in found}

    task = asyncio.ensure_future(rows())
    await silent.all_connected()
    end_children()
    messages = await task
    silent.close()
    assert sorted(messages) == [server.name for server in silent.servers]
    assert set(messages.values()) == {"the process of volact that had the connection has ended"}


async def test_a_login_that_was_lost_with_its_process_is_tried_again_here(tmp_path: Path) -> None:
    """Before the connection is open nothing was sent, so the error passes."""
    silent = Silent(1)
    async with in_processes(
        make_opener(Secrets(), SshOptions(host_keys="ignore", connect_s=300)), 2
    ) as made:
        opening = asyncio.ensure_future(made[0](silent.servers[0]).__aenter__())
        await silent.all_connected()
        end_children()
        with pytest.raises(TransportError) as caught:
            await opening
    silent.close()
    assert caught.value.passing == "unsent"


async def test_an_opening_that_is_given_up_before_it_begins_holds_nothing_up() -> None:
    silent = Silent(1)
    options = SshOptions(host_keys="ignore", connect_s=300)
    async with in_processes(make_opener(Secrets(), options), 2) as (opener, _):
        first = asyncio.ensure_future(opener(silent.servers[0]).__aenter__())
        await silent.all_connected()  # the process is there, so that the next is sent at once
        for _ in range(20):
            given_up = asyncio.ensure_future(opener(silent.servers[0]).__aenter__())
            await asyncio.sleep(0)
            given_up.cancel()
            await asyncio.wait([given_up])
            assert given_up.cancelled()
        first.cancel()
        await asyncio.wait([first])
    silent.close()


@pytest.mark.parametrize("program", ["/no/such/python", "/bin/false"])
async def test_where_no_process_starts_this_one_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    async with fleet(tmp_path) as (_, inventory):
        monkeypatch.setattr(sys, "executable", program)
        async with in_processes(make_opener(Secrets(), SshOptions(connect_s=300)), 2) as (
            opener,
            _,
        ):
            for server in inventory.servers:
                assert b"VOLACT1 here" in await say_something(opener, server)


async def test_a_secret_is_in_no_argument_and_no_environment(tmp_path: Path) -> None:
    async with fleet(tmp_path) as (lab, inventory):
        held = {"here": Secret(lab.front.password)}
        by_password = [
            server
            for server in inventory.servers
            if not next(s for s in lab.specs if s.name == server.name).key_login
        ]
        async with in_processes(make_opener(Secrets(held=held)), 2) as (opener, _):
            for server in by_password:
                login = Credential(user=server.credential.user, password_held="here")
                credential_server = server_with(server, login)
                assert b"VOLACT1 here" in await say_something(opener, credential_server)
            for pid in children():
                for file in ("cmdline", "environ"):
                    text = Path(f"/proc/{pid}/{file}").read_bytes()
                    assert lab.front.password.encode() not in text
    assert by_password


def server_with(server: Server, credential: Credential) -> Server:
    return Server(
        name=server.name,
        address=server.address,
        credential=credential,
        known_hosts=server.known_hosts,
    )


@FORKED
def test_the_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"ssh://127.0.0.1:{listener.getsockname()[1]}"
    words = ("check", address, "--processes", "2", "--host-key-policy", "ignore", "--no-store")
    with ForkedVolact(*words) as process:
        connection, _ = listener.accept()
        assert children(process.pid)
        process.kill()
    while connection.recv(1000):  # until its end, which is the child's
        pass
    connection.close()
    listener.close()


async def test_servers_behind_one_jump_host_share_its_connection(tmp_path: Path) -> None:
    """All of them are opened by one process, at any address."""
    jump, others = Silent(1), Silent(12)
    hop = jump.servers[0].address
    config = tmp_path / "config"
    config.write_text(f"Host far*\n  ProxyJump 127.0.0.1:{hop.port}\n")

    async def seen(make: Callable[[str], Server]) -> None:
        options = SshOptions(host_keys="ignore", connect_s=300, config=config)
        async with in_processes(make_opener(Secrets(), options), 4) as (opener, _):
            openings = [
                asyncio.ensure_future(opener(make(f"far-{n}")).__aenter__()) for n in range(12)
            ]
            await jump.all_connected()
            # Every process takes messages in their order: behind these, all have begun.
            fence = [asyncio.ensure_future(opener(s).__aenter__()) for s in others.servers]
            await others.all_connected()
            end_children()
            await asyncio.wait([*openings, *fence])
            assert all(isinstance(one.exception(), TransportError) for one in (*openings, *fence))

    def by_settings(host: str) -> Server:
        return Server(name=host, address=Address(scheme="ssh", host=host))

    def by_inventory(host: str) -> Server:
        way = SshRoute(jump=(hop,))
        return Server(name=host, address=Address(scheme="ssh", host=host), ssh=way)

    for make in (by_settings, by_inventory):
        await seen(make)
        jump_listener = jump._listeners[0]
        jump_listener.settimeout(0)
        with pytest.raises(BlockingIOError):  # no second connection waits there
            jump_listener.accept()
        jump_listener.settimeout(None)
    jump.close()
    others.close()


def test_an_error_comes_over_whole() -> None:
    import pickle

    error = TransportError("auth", parse_target("ssh://a@h").name, "hint", "command", "refused")
    there: TransportError = pickle.loads(pickle.dumps(error))
    assert vars(there) == vars(error)
    assert (str(there), type(there)) == (str(error), TransportError)
