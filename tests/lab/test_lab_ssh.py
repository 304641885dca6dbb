"""The fleet behind real SSH: logins, files, commands, and bad lines."""

from __future__ import annotations

import asyncio
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from volact.inventory import load_inventory
from volact_lab.lab import Lab
from volact_lab.serve import serve


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    """Every fault, with an inventory in the test's folder."""
    async with Lab("tencent", 31, 3, patience=0.0) as found:
        found.write_inventory(tmp_path / "lab.toml")
        yield found


def named(lab: Lab, fault: str) -> str:
    return next(name for name, truth in lab.truth.items() if fault in truth.faults)


def login(lab: Lab, name: str, **changes: Any) -> Any:
    """A connection to a server, as asyncssh gives it: to await or to enter."""
    slot = lab.slots[name]
    options = {
        "username": slot.spec.user,
        "password": lab.front.password,
        "known_hosts": None,
        "config": None,
        "client_keys": None,
        **changes,
    }
    return asyncssh.connect("127.0.0.1", slot.port, **options)


async def test_password_and_user_must_be_right(lab: Lab) -> None:
    name = named(lab, "licensed")
    async with login(lab, name) as connection:
        done = await connection.run("cmd.exe /c exit 0")
        assert done.exit_status == 0
    for wrong in ({"password": "no"}, {"username": "guest"}):
        with pytest.raises(asyncssh.PermissionDenied):
            await login(lab, name, **wrong)
    with pytest.raises(asyncssh.PermissionDenied):
        await login(lab, named(lab, "auth"))


async def test_some_servers_take_the_labs_key(tmp_path: Path) -> None:
    async with Lab("tencent", 60, 1, patience=0.0) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")
        with_key = [server for server in inventory.servers if server.credential.key_files]
        assert with_key
        key = asyncssh.read_private_key(with_key[0].credential.key_files[0])
        name = with_key[0].name
        async with login(lab, name, password=None, client_keys=[key]) as connection:
            assert (await connection.run("cmd.exe /c exit 0")).exit_status == 0
        other = next(n for n, slot in lab.slots.items() if not slot.spec.key_login)
        with pytest.raises((asyncssh.PermissionDenied, OSError)):
            await login(lab, other, password=None, client_keys=[key])


async def test_the_inventory_says_everything(lab: Lab, tmp_path: Path) -> None:
    inventory = load_inventory(tmp_path / "lab.toml")
    assert [server.name for server in inventory.servers] == list(lab.slots)
    assert {image.license for image in inventory.images.values()} == {"TencentCloud", "BYOL"}
    assert {server.provider for server in inventory.servers} == {"tencent"}
    for server in inventory.servers:
        assert server.credential.user == lab.slots[server.name].spec.user
        assert server.address.port == lab.slots[server.name].port
    if sys.platform != "win32":
        for file in ("lab.password", "lab.key"):
            assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600


async def test_host_keys_are_those_of_known_hosts_but_for_one(lab: Lab, tmp_path: Path) -> None:
    hosts = str(tmp_path / "lab.known_hosts")
    async with login(lab, named(lab, "licensed"), known_hosts=hosts):
        pass
    with pytest.raises(asyncssh.HostKeyNotVerifiable):
        await login(lab, named(lab, "host-key"), known_hosts=hosts)


async def test_nothing_listens_where_the_connection_is_refused(lab: Lab) -> None:
    with pytest.raises(ConnectionRefusedError):
        await login(lab, named(lab, "refused"))


async def test_files_come_and_go_by_sftp(lab: Lab) -> None:
    name = named(lab, "licensed")
    user = lab.slots[name].spec.account
    async with login(lab, name) as connection, connection.start_sftp_client() as sftp:
        assert await sftp.realpath(".") == f"/C:/Users/{user}"
        path = "AppData/Local/Temp/a.bat"
        async with sftp.open(path, "xb") as file:
            await file.write(b"@echo hello\r\n")
        with pytest.raises(asyncssh.SFTPError):
            await sftp.open(path, "xb")
        assert await sftp.listdir("AppData/Local/Temp") == ["a.bat"]
        assert (await sftp.stat(f"C:/Users/{user}/{path}")).size == 13
        async with sftp.open(f"/c:/users/{user.upper()}/{path}", "rb") as file:
            assert await file.read() == b"@echo hello\r\n"
        await sftp.rename(path, "AppData/Local/Temp/b.bat")
        assert not await sftp.exists(path)
        await sftp.remove("AppData/Local/Temp/b.bat")
        for wrong in ("/etc/passwd", "C:/nowhere/x", "D:/x"):
            with pytest.raises(asyncssh.SFTPNoSuchFile):
                await sftp.stat(wrong)
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await sftp.remove("C:/Windows/System32/cmd.exe")
    assert lab.stats().sftp_operations > 5


@pytest.mark.parametrize("kind", ["truncated", "garbled"])
async def test_a_bad_line_spoils_answers_only(lab: Lab, kind: str) -> None:
    answer = "VOLACT1 " + "".join(str(number) for number in range(200))
    line = f"cmd.exe /c echo {answer}"
    async with login(lab, named(lab, "licensed")) as connection:
        good = (await connection.run(line)).stdout
    async with login(lab, named(lab, kind)) as connection:
        bad = (await connection.run(line)).stdout
        assert (await connection.run("cmd.exe /c echo hi")).stdout == "hi\r\n"
    assert isinstance(good, str)
    assert isinstance(bad, str)
    assert good.startswith("VOLACT1 ")
    assert bad.startswith("VOLACT1 ")
    assert bad != good
    assert (len(bad) == len(good)) is (kind == "garbled")


async def test_a_process_that_hangs_is_still_there_until_the_lab_ends(lab: Lab) -> None:
    async with login(lab, named(lab, "hang")) as connection:
        with pytest.raises((TimeoutError, asyncssh.TimeoutError)):
            await connection.run("cmd.exe /c exit 0", timeout=0.2)
    assert lab.stats().executions[named(lab, "hang")] == 1


async def test_an_interactive_shell_is_refused(lab: Lab) -> None:
    async with login(lab, named(lab, "licensed")) as connection:
        done = await connection.run()
        assert done.exit_status == 1


async def test_servers_are_built_when_they_are_asked_for(lab: Lab) -> None:
    name = named(lab, "licensed")
    assert lab.slots[name].built is None
    async with login(lab, name) as connection:
        await connection.run("cmd.exe /c exit 0")
    assert [n for n, slot in lab.slots.items() if slot.built] == [name]
    assert lab.stats().execs == 1
    assert lab.stats().connections == 1


async def test_a_thousand_servers_start_and_none_is_built() -> None:
    async with Lab("healthy", 1000, 1) as lab:
        assert not any(slot.built for slot in lab.slots.values())
        assert len({slot.port for slot in lab.slots.values()}) == 1000


async def test_serving_says_when_it_is_ready_and_takes_it_back(tmp_path: Path) -> None:
    stop, ready = asyncio.Event(), tmp_path / "up"
    lab = Lab("healthy", 2, 1)
    task = asyncio.create_task(serve(lab, tmp_path / "lab.toml", ready=ready, stop=stop))
    while not ready.exists():
        await asyncio.sleep(0.01)
    async with login(lab, "web-01"):
        pass
    stop.set()
    await task
    assert not ready.exists()
    with pytest.raises(ConnectionRefusedError):
        await login(lab, "web-01")


async def test_the_lab_as_a_program(tmp_path: Path) -> None:
    wrong = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "volact_lab", "--scenario", "nope", stderr=asyncio.subprocess.PIPE
    )
    _, said = await wrong.communicate()
    assert wrong.returncode == 2
    assert b"unknown scenario 'nope'" in said
    assert said.count(b"\n") == 1
    ready = tmp_path / "up"
    options = [
        "--servers",
        "3",
        "--scenario",
        "simple",
        "--inventory-out",
        str(tmp_path / "l.toml"),
    ]
    served = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "volact_lab", *options, "--ready-file", str(ready)
    )
    while not ready.exists():
        await asyncio.sleep(0.02)
    assert len(load_inventory(tmp_path / "l.toml").servers) == 3
    served.terminate()
    assert await served.wait() == 0
    assert not ready.exists()
