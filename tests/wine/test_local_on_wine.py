"""The server itself as the target: the local transport with Wine's own cmd."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from asking import request
from wine_server import STEADY, WineServer, program

from volact.agent.answer import read_answer
from volact.agent.render import render
from volact.errors import TransportError
from volact.inventory import parse_target
from volact.model.server import Server
from volact.pipeline import Job, run_one
from volact.transports.base import Transport
from volact.transports.local import LocalTransport

NAME = "volact-0123456789abcdef"

# The folder is the caller's; what runs in it is the server's own account.
_CMD = """#!/bin/sh
chown -R {uid}:{gid} .
export WINEPREFIX={prefix} HOME={home} USER={user} WINEDEBUG=-all
exec {steady} setpriv --reuid={uid} --regid={gid} --clear-groups wine '{cmd}' /d /c "$1"
"""


@pytest.fixture
def here(wine: WineServer, tmp_path: Path) -> LocalTransport:
    """The transport, with the server's cmd in the place of the system's."""
    cmd = tmp_path / "cmd"
    steady = " ".join(STEADY)
    account = {"uid": wine.uid, "gid": wine.gid, "home": wine.home, "user": wine.user}
    cmd.write_text(_CMD.format(cmd=program("cmd"), prefix=wine.prefix, steady=steady, **account))
    return LocalTransport(("/bin/sh", str(cmd)))


async def test_the_agent_answers_where_it_was_started(here: LocalTransport) -> None:
    asked = request("probe")
    raw = await here.run(render(asked, deadline_s=3600), name=NAME, deadline_s=3600)
    assert raw.exit_status == 0
    assert read_answer(raw.stdout, asked.id).facts["os"]["build"] == 7601


async def test_check_local_from_the_first_question_to_the_row(here: LocalTransport) -> None:
    @asynccontextmanager
    async def opener(_: Server) -> AsyncIterator[Transport]:
        yield here

    row = await run_one(
        parse_target("local"), opener, Job(mode="check", provider="tencent", deadline_s=3600)
    )
    assert (row.name, row.address, row.error) == ("local", "local", None)
    assert row.os.build == 7601
    assert row.verdict == "attention"
    assert row.executions == 1


async def test_a_script_that_hangs_is_ended_with_its_children(
    here: LocalTransport, wine: WineServer
) -> None:
    script = b"@echo off\r\ncmd /c ping -n 600 127.0.0.1 >nul\r\n"
    before = _processes(wine)
    with pytest.raises(TransportError, match="did not finish within 4 s"):
        await here.run(script, name=NAME, deadline_s=4)
    while not _processes(wine) <= before:
        await asyncio.sleep(0.05)


def _processes(wine: WineServer) -> set[str]:
    """What the account runs, by the file it runs."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == wine.uid:
                    found.add((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:  # it has just ended
                continue
    return {line for line in found if line}
