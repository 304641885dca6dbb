"""Whole runs over WinRM: every fault of the lab as its truth has it, and what it costs."""

from __future__ import annotations

import asyncio
import json

from cli_process import FORKED
from forked_volact import ForkedVolact
from winrm_fleet import Fleet, fleet_fixture

from volact.fleet import Control, run_fleet
from volact.fleet.machine_limits import MOST
from volact.inventory import Secrets
from volact.model.report import ServerReport
from volact.pipeline import Job, Mode
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact.transports.winrm.login import THREADS

__all__ = ["fleet_fixture"]  # used by name: fleet

# The simulated servers share one processor: a few at a time, so that no answer is late.
FEW = Control(concurrency=6)

# Requests over HTTP: the login, the shell, and three for each execution.
LOGIN = {"negotiate": 3, "ntlm": 3, "basic": 0, "certificate": 0}


async def rows(fleet: Fleet, mode: Mode) -> dict[str, ServerReport]:
    """All servers but the one that hangs."""
    wanted = [s for s in fleet.inventory.servers if fleet.lab.slots[s.name].line != "hang"]
    job = Job(mode=mode, images=fleet.inventory.images, deadline_s=600)
    done = run_fleet(wanted, make_opener(Secrets(), SshOptions(connect_s=300)), job, FEW)
    return {row.name: row async for row in done}


async def test_every_fault_comes_out_as_its_truth_says_and_costs_its_requests(
    fleet: Fleet,
) -> None:
    done = await rows(fleet, "activate")
    for name, row in done.items():
        truth = fleet.lab.truth[name]
        told = (row.verdict, row.error and row.error.kind)
        assert told == (truth.verdict, truth.error), (name, row.error)
        assert fleet.left(fleet.servers[name]) == []
    examined = [row for row in done.values() if row.verdict != "unreachable"]
    for row in examined:
        server, slot = fleet.servers[row.name], fleet.lab.slots[row.name]
        # Over HTTPS the last request of the login is the one that opens the shell.
        login = LOGIN[server.winrm.auth] - (server.winrm_tls and server.winrm.auth == "negotiate")
        assert fleet.requests(server) == login + 2 + 3 * row.executions, row.name
        assert row.executions == slot.executions == (2 if row.results else 1)
        assert fleet.service(server).shells.most == 1
    assert {row.executions for row in examined} == {1, 2}


@FORKED
async def test_the_verb_on_an_inventory_of_winrm_servers(fleet: Fleet) -> None:
    good: dict[tuple[str, str], str] = {}  # one for each scheme and login
    for name, truth in fleet.lab.truth.items():
        if truth.verdict == "healthy":
            server = fleet.servers[name]
            good.setdefault((server.address.scheme, server.winrm.auth), name)
    assert {auth for _, auth in good} == set(LOGIN)
    command = ("activate", "-i", str(fleet.path), "--yes")
    limit = ("--limit", ",".join(good.values()), "--output", "json")
    with ForkedVolact(*command, *limit) as process:
        out, err = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, err
    document = json.loads(out)
    assert {row["name"]: row["verdict"] for row in document["servers"]} == dict.fromkeys(
        good.values(), "healthy"
    )
    assert {row["address"].partition("://")[0] for row in document["servers"]} == {
        "winrm",
        "winrms",
    }
    assert fleet.lab.winrm.password not in out + err


def test_every_server_of_the_largest_run_at_a_time_has_its_thread() -> None:
    assert THREADS >= MOST  # one that waits for a thread loses its own time
