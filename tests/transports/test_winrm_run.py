"""A script over WinRM: what travels, where it ends, and nothing left behind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from winrm_fleet import (
    DEADLINE_S,
    NAME,
    SCRIPT,
    UNHURRIED,
    Fleet,
    fleet_fixture,
    refused,
    run,
)

from volact.errors import TransportError
from volact.inventory import Secrets
from volact.model.server import Server
from volact.transports.connect import make_opener
from volact.transports.winrm.transport import INCOMPLETE, LONGEST_LINE, run_line, tidy_line
from volact_lab.inspection import left
from volact_lab.listening import StreamListener
from volact_lab.session import Start, execute
from volact_lab.winrm.faults import Fault, plugin_timed_out, timed_out

__all__ = ["fleet_fixture"]  # used by name: fleet


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

        try:
            await asyncio.gather(pass_on(reader, back), pass_on(there, writer))
        finally:
            back.transport.abort()
            with contextlib.suppress(ConnectionError):
                await back.wait_closed()

    listener = StreamListener(connected)
    yield await listener.start(), heard
    await listener.stop()


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
    assert fleet.requests(server) == 9


LATE = pytest.mark.parametrize("late", [timed_out(), plugin_timed_out()], ids=lambda f: hex(f.code))


@LATE
async def test_a_script_whose_arrival_is_told_too_late_runs_once(fleet: Fleet, late: Fault) -> None:
    """The service has passed it on; only its answer comes after the time for it."""
    server = fleet.find()
    fleet.service(server).late = [late]
    raw = await run(server)
    assert (raw.stdout, raw.exit_status) == (b"VOLACT1 hello\r\n", 0)
    assert fleet.lab.slots[server.name].executions == 1


@LATE
async def test_a_part_of_a_script_that_came_late_begins_nothing(fleet: Fleet, late: Fault) -> None:
    server = fleet.find()
    fleet.service(server).late = [None, late]
    padding = (b":: " + b"x" * 200 + b"\r\n") * 2000
    script = SCRIPT.replace(b"\r\ndel", b"\r\n" + padding + b"del")
    error = await refused(server, script)
    assert (error.kind, error.passing) == ("timeout", "refused")
    assert "the WinRM service did not do it in time" in error.message
    assert fleet.left(server) == []


async def test_a_script_that_did_not_arrive_whole_is_not_run(fleet: Fleet) -> None:
    machine = fleet.lab.machine(fleet.find().name)
    line = run_line(NAME, len(SCRIPT))
    part = SCRIPT.partition(b"del")[0]
    result = execute(machine, line, start=Start("cmd", part))
    assert result.stdout == f"{INCOMPLETE} {len(part)}\r\n".encode()
    execute(machine, tidy_line(NAME), start=Start("cmd"))
    assert execute(machine, line, start=Start("cmd", SCRIPT)).stdout == b"VOLACT1 hello\r\n"


async def test_a_name_that_is_taken_is_not_run(fleet: Fleet) -> None:
    machine = fleet.lab.machine(fleet.find().name)
    planted = SCRIPT.replace(b"hello", b"owned")  # of the very same size
    machine.files.write(f"{machine.temp}\\{NAME}.bat", planted)
    result = execute(machine, run_line(NAME, len(SCRIPT)), start=Start("cmd", SCRIPT))
    assert result.stdout.split() == [INCOMPLETE.encode()]
    assert machine.files.read(f"{machine.temp}\\{NAME}.bat") == planted
    execute(machine, tidy_line(NAME), start=Start("cmd"))


async def test_tidying_up_takes_the_folder_of_a_script_too(fleet: Fleet) -> None:
    machine = fleet.lab.machine(fleet.find().name)
    for folder in (machine.temp, "C:\\Windows"):
        machine.files.make_folder(f"{folder}\\{NAME}-123")
        machine.files.write(f"{folder}\\{NAME}-123\\{NAME}.out", b"x")
    machine.files.make_folder(f"{machine.temp}\\other-123")
    execute(machine, tidy_line(NAME), start=Start("cmd"))
    assert left(machine) == []
    assert machine.files.is_folder(f"{machine.temp}\\other-123")
    machine.files.delete(f"{machine.temp}\\other-123")


async def test_a_last_line_without_its_end_is_noticed(fleet: Fleet) -> None:
    server = fleet.find()
    error = await refused(server, SCRIPT.rstrip())
    assert error.kind == "protocol"
    assert error.message == f"{len(SCRIPT)} bytes of the script arrived, not {len(SCRIPT) - 2}"
    assert fleet.left(server) == []


def test_command_lines_are_short_and_begin_with_no_quote() -> None:
    longest = f"volact-{'f' * 57}"
    for line in (run_line(longest, 10**6), tidy_line(longest)):
        assert len(line) < LONGEST_LINE / 8
        assert not line.startswith('"')
        assert line.isascii()


# Ends.


async def test_a_hang_ends_at_the_deadline_on_the_server_too(fleet: Fleet) -> None:
    server = fleet.find(fault="hang", tls=None)
    shells = fleet.service(server).shells
    async with make_opener(Secrets(), UNHURRIED)(server) as transport:
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=1)
        assert caught.value.kind == "timeout"
        assert "within 1 s" in caught.value.message
        (shell,) = shells.opened
        assert [
            command for command in shell.commands.values() if not command.changed.is_set()
        ] == []
        assert fleet.left(server) == []


async def test_a_shell_that_is_gone_between_two_scripts(fleet: Fleet) -> None:
    server = fleet.find()
    async with make_opener(Secrets(), UNHURRIED)(server) as transport:
        await transport.run(SCRIPT, name=NAME, deadline_s=DEADLINE_S)
        fleet.service(server).shells.clear()
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=DEADLINE_S)
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
    async with make_opener(Secrets(), UNHURRIED)(server) as transport:
        await fleet.lab.winrm.stop()
        with pytest.raises(TransportError) as caught:
            await transport.run(SCRIPT, name=NAME, deadline_s=DEADLINE_S)
    assert caught.value.kind == "connect"


async def test_endless_output_is_cut_off(fleet: Fleet) -> None:
    server = fleet.find()
    flood = SCRIPT.replace(b"echo VOLACT1 hello", b"for /L %%i in (1,1,6000) do echo " + b"x" * 200)
    error = await refused(server, flood)
    assert error.kind == "protocol"
    assert "wrote more than" in error.message
    assert fleet.left(server) == []


async def test_a_guessable_name_is_refused(fleet: Fleet) -> None:
    async with make_opener(Secrets(), UNHURRIED)(fleet.find()) as transport:
        with pytest.raises(ValueError, match="not a file name"):
            await transport.run(SCRIPT, name="../x", deadline_s=5)


async def test_one_opener_serves_many_at_once(fleet: Fleet) -> None:
    opener = make_opener(Secrets(), UNHURRIED)
    good = [name for name, slot in fleet.lab.slots.items() if not slot.line]

    async def one(server: Server) -> int | None:
        async with opener(server) as transport:
            raw = await transport.run(SCRIPT, name=NAME, deadline_s=DEADLINE_S)
            return raw.exit_status

    statuses = await asyncio.gather(*(one(fleet.servers[name]) for name in good))
    assert set(statuses) == {0}
    assert len(statuses) > 40
