"""The agent behind a real OpenSSH server: uploaded by SFTP, started by the login shell."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncssh
import pytest
from asking import request
from wine_server import WineServer

from volact.agent.answer import read_answer
from volact.agent.render import render


@pytest.fixture
async def connection(wine: WineServer) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """A login with the password, host key verified."""
    async with asyncssh.connect(
        "127.0.0.1",
        wine.port,
        username=wine.user,
        password=wine.password,
        known_hosts=str(wine.known_hosts),
        client_keys=None,
        config=None,
    ) as connection:
        yield connection


@pytest.mark.parametrize(
    "command",
    ['cmd.exe /c "AppData\\Local\\Temp\\{name}.bat"', "AppData\\Local\\Temp\\{name}.bat"],
    ids=["cmd", "bare"],
)
async def test_probe_over_ssh(
    wine: WineServer, connection: asyncssh.SSHClientConnection, command: str
) -> None:
    asked, before = request("probe"), wine.in_temp()
    name = f"volact-{asked.id}"
    async with connection.start_sftp_client() as sftp:
        async with sftp.open(f"AppData/Local/Temp/{name}.bat", "xb") as file:
            await file.write(render(asked))
        done = await connection.run(command.format(name=name), encoding=None)
    assert done.exit_status == 0
    assert isinstance(done.stdout, bytes)
    assert read_answer(done.stdout, asked.id).facts["os"]["build"] == 7601
    assert wine.leftovers(before) == []


async def test_exit_codes_come_through(connection: asyncssh.SSHClientConnection) -> None:
    done = await connection.run('cmd.exe /c "exit 7"')
    assert done.exit_status == 7


async def test_windows_paths_work_over_sftp(connection: asyncssh.SSHClientConnection) -> None:
    async with connection.start_sftp_client() as sftp:
        assert await sftp.exists("C:/windows/system32/cscript.exe")
