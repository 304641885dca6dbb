"""A server waits for an activation slot, and WinRM ends the login and the shell meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from winrm_fleet import NAME, SCRIPT, Fleet, fleet_fixture

from volact.errors import TransportError
from volact.inventory import Secrets
from volact.model.report import ServerReport
from volact.model.server import Server
from volact.model.step import Intent
from volact.pipeline import Job, run_one
from volact.pipeline.retry import Retry
from volact.transports.login import SshOptions
from volact.transports.winrm.login import make

__all__ = ["fleet_fixture"]  # used by name: fleet

CONNECTION_ENDS, SHELL_ENDS = 121.0, 200.0


class Clock:
    """The time as volact sees it; that of the lab goes on by itself."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_one_wait_is_longer_than_the_other() -> None:
    assert 120 < CONNECTION_ENDS < 180 < SHELL_ENDS


@pytest.mark.parametrize("seconds", [CONNECTION_ENDS, SHELL_ENDS])
@pytest.mark.parametrize(
    ("tls", "auth"),
    [(False, "ntlm"), (False, "negotiate"), (True, "negotiate"), (True, "basic")],
)
async def test_a_script_after_a_long_wait(
    fleet: Fleet, tls: bool, auth: str, seconds: float
) -> None:
    server, clock = fleet.find(tls=tls, auth=auth), Clock()
    async with make(Secrets(), SshOptions(connect_s=300), clock)(server) as transport:
        await transport.run(SCRIPT, name=NAME, deadline_s=300)
        clock.now += seconds
        await fleet.lab.winrm.elapse(seconds)
        raw = await transport.run(SCRIPT, name=f"{NAME}-2", deadline_s=300)
    assert raw.exit_status == 0
    assert fleet.service(server).shells.most == 1


async def test_a_short_wait_costs_nothing(fleet: Fleet) -> None:
    server, clock = fleet.find(auth="ntlm"), Clock()
    async with make(Secrets(), SshOptions(connect_s=300), clock)(server) as transport:
        for name in (NAME, f"{NAME}-2"):
            clock.now += 59
            await fleet.lab.winrm.elapse(59)
            await transport.run(SCRIPT, name=name, deadline_s=300)
    assert fleet.requests(server) == 11


@pytest.mark.parametrize(
    ("tls", "auth", "seconds", "words"),
    [
        (False, "ntlm", CONNECTION_ENDS, "HTTP status 400"),
        (True, "basic", SHELL_ENDS, "the remote shell is gone"),
    ],
)
async def test_what_ended_sooner_than_expected_began_nothing(
    fleet: Fleet, tls: bool, auth: str, seconds: float, words: str
) -> None:
    server = fleet.find(tls=tls, auth=auth)
    async with make(Secrets(), SshOptions(connect_s=300), Clock())(server) as transport:
        await transport.run(SCRIPT, name=NAME, deadline_s=300)
        await fleet.lab.winrm.elapse(seconds)
        with pytest.raises(TransportError, match=words) as told:
            await transport.run(SCRIPT, name=f"{NAME}-2", deadline_s=300)
    assert (told.value.kind, told.value.passing) == ("connect", "refused")
    fleet.service(server).shells.clear()


async def test_a_password_that_changed_meanwhile_is_tried_once(fleet: Fleet) -> None:
    server, clock = fleet.find(tls=True, auth="basic"), Clock()
    async with make(Secrets(), SshOptions(connect_s=300), clock)(server) as transport:
        await transport.run(SCRIPT, name=NAME, deadline_s=300)
        clock.now += SHELL_ENDS
        await fleet.lab.winrm.elapse(SHELL_ENDS)
        fleet.lab.winrm.password = "another"
        before = fleet.requests(server)
        with pytest.raises(TransportError, match="the login was refused for") as told:
            await transport.run(SCRIPT, name=f"{NAME}-2", deadline_s=300)
    assert (told.value.kind, told.value.passing) == ("auth", "refused")
    assert fleet.requests(server) == before + 1


class Recorder:
    """What of a run is kept."""

    def __init__(self) -> None:
        self.open: list[Intent] = []

    def seen(self, server: str, probe: str, facts: dict[str, Any]) -> None:
        """Not asked for here."""

    async def sending(self, intent: Intent) -> None:
        self.open.append(intent)

    def withdrawn(self, intent: Intent) -> None:
        self.open.remove(intent)


async def activated(
    fleet: Fleet, server: Server, clock: Clock, told: Clock, times: int
) -> tuple[ServerReport, Recorder]:
    """A repair whose first wait for a slot takes so long that the shell is gone."""
    waits, recorder = [SHELL_ENDS], Recorder()

    @asynccontextmanager
    async def slot(_host: str) -> AsyncIterator[None]:
        seconds = waits.pop() if waits else 0.0
        told.now += seconds
        await fleet.lab.winrm.elapse(seconds)
        yield

    job = Job(
        mode="activate",
        images=fleet.inventory.images,
        deadline_s=900,
        recorder=recorder,
        activation_slot=slot,
        retry=Retry(times=times, first_s=0),
    )
    opener = make(Secrets(), SshOptions(connect_s=300), clock)
    return await run_one(server, opener, job), recorder


@pytest.mark.parametrize("tls", [False, True])
async def test_a_long_wait_for_a_slot_ends_in_an_activated_server(fleet: Fleet, tls: bool) -> None:
    server, clock = fleet.find(tls=tls, fault="never-activated"), Clock()
    row, recorder = await activated(fleet, server, clock, clock, times=0)
    assert (row.verdict, row.error, row.executions) == ("healthy", None, 2)
    assert len(recorder.open) == 1


async def test_a_login_that_ended_unexpectedly_is_tried_again(fleet: Fleet) -> None:
    server = fleet.find(fault="never-activated")
    row, recorder = await activated(fleet, server, Clock(), Clock(), times=1)
    assert (row.verdict, row.error) == ("healthy", None)
    assert len(recorder.open) == 1


async def test_no_lost_answer_is_told_where_nothing_was_sent(fleet: Fleet) -> None:
    server = fleet.find(fault="never-activated")
    row, recorder = await activated(fleet, server, Clock(), Clock(), times=0)
    assert row.error is not None
    assert "HTTP status 400" in row.error.message
    assert "sent" not in row.error.message
    assert recorder.open == []
