"""The SSH transport against a real SSH server: what runs, what is left, what is reported."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from pathlib import Path

import asyncssh
import pytest
from ssh_host import ANSWER, Host, Passwords, Process, hangs, host_fixture, known_fixture
from virtual_time import pass_time

from volact.errors import TransportError
from volact.model.server import Server
from volact.transports.base import MAX_OUTPUT, Raw
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions

__all__ = ["host_fixture", "known_fixture"]  # used by name: host, known

SCRIPT = b"@echo off\r\n" + b"x" * 50_000
# Times that no machine is too slow for.
DEADLINE_S = 600
UNHURRIED = SshOptions(connect_s=300, grace_s=600)


def fresh() -> str:
    return f"volact-{secrets.token_hex(16)}"


async def run(server: Server, name: str | None = None) -> Raw:
    async with make_opener(Passwords(), UNHURRIED)(server) as transport:
        return await transport.run(SCRIPT, name=name or fresh(), deadline_s=DEADLINE_S)


async def run_late(host: Host, known: Path) -> TransportError:
    """What comes of a script that hangs and has begun, when its time is over."""
    running = asyncio.ensure_future(run(host.as_server(known)))
    await host.begun.wait()
    pass_time(DEADLINE_S)
    with pytest.raises(TransportError, match="did not finish within 600 s") as caught:
        await running
    return caught.value


def left(host: Host) -> list[str]:
    return [str(path.relative_to(host.home)) for path in host.home.rglob("volact-*")]


async def test_one_execution_and_nothing_left(host: Host, known: Path) -> None:
    before = time.time()
    raw = await run(host.as_server(known), name="volact-0123456789abcdef")
    assert raw.stdout.endswith(ANSWER)
    assert raw.exit_status == 0
    assert before <= raw.asked <= raw.answered <= time.time()
    assert host.scripts == [SCRIPT]
    assert host.commands == [
        r'cmd.exe /c "C:\Users\Administrator\AppData\Local\Temp\volact-0123456789abcdef.bat"'
    ]
    assert left(host) == []


async def test_the_connection_is_kept_between_two_runs(host: Host, known: Path) -> None:
    async with make_opener(Passwords(), UNHURRIED)(host.as_server(known)) as transport:
        for _ in range(2):
            raw = await transport.run(SCRIPT, name=fresh(), deadline_s=DEADLINE_S)
            assert raw.stdout.endswith(ANSWER)
    assert len(host.logins) == 1
    assert len(host.scripts) == 2


async def test_the_folder_that_a_script_made_is_removed_too(host: Host, known: Path) -> None:
    async def behaviour(host: Host, _process: Process, script: Path) -> None:
        for place in (host.temp, host.home / "C:/Windows"):
            (place / f"{script.stem}-123").mkdir()
            (place / f"{script.stem}-123" / f"{script.stem}.out").touch()
        host.begun.set()
        await asyncio.Event().wait()

    host.behaviour = behaviour
    await run_late(host, known)
    assert left(host) == []


@pytest.mark.parametrize("own", [True, False], ids=["account", "windows"])
async def test_a_script_that_still_runs_keeps_its_files_as_it_removes_them(
    host: Host, known: Path, own: bool
) -> None:
    """``cmd`` opens its file anew for each line: without it a lock would stay."""

    async def runs_on(host: Host, _process: Process, script: Path) -> None:
        made = (host.temp if own else host.home / "C:/Windows") / f"{script.stem}-123"
        made.mkdir()
        for suffix in (".js", ".err"):
            (made / f"{script.stem}{suffix}").touch()
        host.in_use.add(f"{script.stem}.err")
        host.begun.set()
        await asyncio.Event().wait()

    host.behaviour = runs_on
    await run_late(host, known)
    assert sorted(Path(name).suffix for name in left(host)) == ["", ".bat", ".err", ".js"]


async def test_a_temporary_folder_with_very_many_files_hides_no_script(
    host: Host, known: Path
) -> None:
    async def ends_early(host: Host, process: Process, script: Path) -> None:
        (host.home / f"C:/Windows/{script.stem}-123").mkdir()
        process.exit(1)

    for number in range(20_000):
        (host.temp / f"cab_{number}_with_a_name_as_long_as_those_of_installers.tmp").touch()
    host.behaviour = ends_early
    async with make_opener(Passwords(), UNHURRIED)(host.as_server(known)) as transport:
        await transport.run(SCRIPT, name=fresh(), deadline_s=DEADLINE_S)
        assert left(host) == []
        await transport.run(SCRIPT, name=fresh(), deadline_s=DEADLINE_S)
    assert len(host.logins) == 1


@pytest.mark.parametrize("shell", ["cmd", "powershell", "msys"])
async def test_every_default_shell_runs_it(host: Host, known: Path, shell: str) -> None:
    host.shell = shell
    async with make_opener(Passwords(), UNHURRIED)(host.as_server(known)) as transport:
        for _ in range(2):
            raw = await transport.run(SCRIPT, name=fresh(), deadline_s=DEADLINE_S)
            assert raw.stdout.endswith(ANSWER)
    assert len(host.scripts) == 2
    # The form that worked is remembered: one wasted command at most.
    assert len(host.commands) == (3 if shell == "msys" else 2)
    assert left(host) == []


async def test_a_shell_that_takes_no_form_leaves_nothing(host: Host, known: Path) -> None:
    host.shell = "broken"
    raw = await run(host.as_server(known))
    assert raw.stdout == b""
    assert raw.exit_status == 1
    assert left(host) == []


async def test_relative_where_sftp_shows_another_tree(host: Host, known: Path) -> None:
    host.start = "/home/win"
    await run(host.as_server(known), name="volact-0123456789abcdef")
    assert host.commands == [r'cmd.exe /c "AppData\Local\Temp\volact-0123456789abcdef.bat"']


@pytest.mark.parametrize("start", ["/C:/Users/a&b", "/C:/Users/Administrator"])
async def test_the_systems_folder_where_the_own_one_will_not_do(
    host: Host, known: Path, start: str
) -> None:
    host.start = start
    if start.endswith("Administrator"):
        host.temp.rmdir()
    raw = await run(host.as_server(known), name="volact-0123456789abcdef")
    assert raw.stdout.endswith(ANSWER)
    assert host.commands == [r'cmd.exe /c "C:\Windows\Temp\volact-0123456789abcdef.bat"']
    assert left(host) == []


async def test_a_file_that_is_already_there_is_not_used(host: Host, known: Path) -> None:
    (host.temp / "volact-0123456789abcdef.bat").write_bytes(b"evil")
    with pytest.raises(TransportError) as caught:
        await run(host.as_server(known), name="volact-0123456789abcdef")
    assert caught.value.kind == "protocol"
    assert host.commands == []


async def test_exit_status_and_other_code_pages_come_back_as_they_are(
    host: Host, known: Path
) -> None:
    async def speaks_japanese(host: Host, process: Process, script: Path) -> None:
        process.stdout.write("失敗\r\n".encode("cp932"))
        process.stderr.write("エラー".encode("cp932"))
        script.unlink()
        process.exit(5)

    host.behaviour = speaks_japanese
    raw = await run(host.as_server(known))
    assert raw.stdout == "失敗\r\n".encode("cp932")
    assert raw.stderr == "エラー".encode("cp932")
    assert raw.exit_status == 5


async def test_large_output_comes_whole(host: Host, known: Path) -> None:
    async def talks(host: Host, process: Process, script: Path) -> None:
        process.stdout.write(b"x" * 300_000 + b"\n" + ANSWER)
        script.unlink()
        process.exit(0)

    host.behaviour = talks
    raw = await run(host.as_server(known))
    assert len(raw.stdout) == 300_001 + len(ANSWER)


async def test_endless_output_is_cut_off(host: Host, known: Path) -> None:
    async def floods(host: Host, process: Process, script: Path) -> None:
        # A closed channel ends it; out of this function that would end the server.
        with contextlib.suppress(BrokenPipeError):
            while True:
                process.stdout.write(b"x" * 65536)
                await process.stdout.drain()

    host.behaviour = floods
    with pytest.raises(TransportError) as caught:
        await run(host.as_server(known))
    assert caught.value.kind == "protocol"
    assert str(MAX_OUTPUT) in caught.value.message
    assert left(host) == []


async def test_a_cut_answer_is_handed_on_and_the_files_removed(host: Host, known: Path) -> None:
    async def truncates(host: Host, process: Process, script: Path) -> None:
        script.with_suffix(".js").write_bytes(b"//")
        process.stdout.write(ANSWER[:10])
        process.exit(0)

    host.behaviour = truncates
    raw = await run(host.as_server(known))
    assert raw.stdout == ANSWER[:10]
    assert left(host) == []


async def test_a_hang_ends_at_the_deadline_and_is_tidied(host: Host, known: Path) -> None:
    host.behaviour = hangs
    assert (await run_late(host, known)).kind == "timeout"
    assert left(host) == []


async def test_a_broken_connection_is_told_as_such(host: Host, known: Path) -> None:
    async def dies(host: Host, process: Process, script: Path) -> None:
        process.channel.get_connection().abort()

    host.behaviour = dies
    with pytest.raises(TransportError) as caught:
        await run(host.as_server(known))
    assert caught.value.kind == "connect"


async def test_cancelling_tidies_up_and_passes(host: Host, known: Path) -> None:
    host.behaviour = hangs
    task = asyncio.ensure_future(run(host.as_server(known)))
    while not host.scripts:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left(host) == []


async def test_a_guessable_name_is_refused(host: Host, known: Path) -> None:
    with pytest.raises(ValueError, match="not a file name"):
        await run(host.as_server(known), name="../x")


async def test_a_command_that_said_nothing_counts_as_run_where_no_more_can_be_asked(
    host: Host, known: Path
) -> None:
    async def says_nothing(host: Host, process: Process, script: Path) -> None:
        def full(packet: asyncssh.packet.SSHPacket) -> None:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "MaxSessions")

        vars(process.channel.get_connection())["_process_session_open"] = full
        process.exit(0)

    host.behaviour = says_nothing
    raw = await run(host.as_server(known))
    assert (raw.stdout, len(host.scripts)) == (b"", 1)


async def test_a_channel_that_is_closed_without_an_exit_status_counts_as_run(
    host: Host, known: Path
) -> None:
    async def cut_off(_host: Host, process: Process, _script: Path) -> None:
        process.close()

    host.behaviour = cut_off
    raw = await run(host.as_server(known))
    assert (raw.stdout, raw.exit_status) == (b"", None)
    assert len(host.commands) == 1  # the script may go on there
