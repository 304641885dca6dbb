"""The simulated clock and time service; time is really asked over UDP."""

from __future__ import annotations

import asyncio

import ntplib
import pytest
from lab_world import Place, command

from volact_lab.hosts.ntp import NtpServer
from volact_lab.session import Result
from volact_lab.windows.machine import Machine
from volact_lab.windows.registry import dword
from volact_lab.windows.w32time import KEY, SERVICE

HOURS = 3600.0


async def w32tm(machine: Machine, arguments: str) -> Result:
    return await command(machine, f"w32tm {arguments}")


async def test_the_time_server_speaks_ntp_to_others_too() -> None:
    server = NtpServer(offset=100.0)
    port = await server.start()
    client = ntplib.NTPClient()
    answer = await asyncio.to_thread(client.request, "127.0.0.1", version=4, port=port, timeout=600)
    assert answer.mode == 4
    assert answer.stratum == 2
    assert answer.offset == pytest.approx(100.0, abs=answer.delay / 2 + 0.1)
    assert server.answer(b"short") is None
    await server.stop()


@pytest.mark.parametrize("offset", [5 * HOURS, -5 * HOURS])
async def test_resync_sets_the_clock(machine: Machine, offset: float) -> None:
    machine.clock.offset = offset
    result = await w32tm(machine, "/resync /rediscover")
    assert result.exit_code == 0
    assert abs(machine.clock.offset) < 60


@pytest.mark.parametrize("offset", [20 * HOURS, -20 * HOURS])
async def test_a_jump_beyond_the_limit_is_refused_with_exit_code_0(
    machine: Machine, offset: float
) -> None:
    machine.clock.offset = offset
    result = await w32tm(machine, "/resync")
    assert result.exit_code == 0
    assert machine.clock.offset == offset


async def test_raised_limits_count_from_the_update_on(machine: Machine) -> None:
    machine.clock.offset = 72 * HOURS
    for name in ("MaxPosPhaseCorrection", "MaxNegPhaseCorrection"):
        machine.registry.set(f"{KEY}\\Config", name, dword(-1))
    await w32tm(machine, "/resync")
    assert machine.clock.offset == 72 * HOURS
    await w32tm(machine, "/config /update")
    await w32tm(machine, "/resync")
    assert abs(machine.clock.offset) < 60


async def test_a_source_that_does_not_answer_changes_nothing(machine: Machine) -> None:
    machine.clock.offset = HOURS
    source = '/config /manualpeerlist:"time.windows.com,0x8" /syncfromflags:manual /update'
    await w32tm(machine, source)
    await w32tm(machine, "/resync")
    assert machine.clock.offset == HOURS


async def test_a_peer_list_without_update_waits_for_the_next_start(machine: Machine) -> None:
    machine.time.write("NTP", "time.windows.com")
    machine.time.load()
    machine.clock.offset = HOURS
    await w32tm(machine, '/config /manualpeerlist:"ntpupdate.tencentyun.com,0x8"')
    await w32tm(machine, "/resync")
    assert machine.clock.offset == HOURS
    machine.services.stop(SERVICE)
    machine.services.start(SERVICE)
    await w32tm(machine, "/resync")
    assert abs(machine.clock.offset) < 60


async def test_a_stopped_or_disabled_service_fails_with_its_hresult(machine: Machine) -> None:
    machine.services.stop(SERVICE)
    assert (await w32tm(machine, "/resync")).exit_code & 0xFFFFFFFF == 0x80070426
    result = await w32tm(machine, '/config /manualpeerlist:"a" /syncfromflags:manual /update')
    assert result.exit_code & 0xFFFFFFFF == 0x80070426
    assert machine.registry.text(f"{KEY}\\Parameters", "NtpServer") == "a"
    machine.services.configure(SERVICE, "Disabled")
    assert (await w32tm(machine, "/config /update")).exit_code & 0xFFFFFFFF == 0x80070422


async def test_a_domain_member_follows_its_domain(here: Place) -> None:
    machine = here.machine("domain-clock", domain="corp.example")
    off = machine.clock.offset
    await w32tm(machine, "/resync")
    assert machine.clock.offset == off
    assert machine.time.running.type == "NT5DS"
