"""TAT behind volact's one opener: regions, accounts, the whole way of a server."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from types import CoroutineType
from typing import Any

import pytest
from tencent_cloud import Cloud, cloud, front_of, profile_file

from volact.cloud.tencent.declaration import TencentSettings as Account
from volact.core.context import Policy
from volact.errors import TransportError
from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.report import ServerReport
from volact.model.server import Address, Server
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact_lab.instances.tasks import Pace
from volact_lab.lab import Lab
from volact_lab.tencent.signature import Account as LabAccount


async def rows_of(lab: Lab, folder: Path, *, concurrency: int = 200) -> dict[str, ServerReport]:
    """The fleet of a lab, activated by its own inventory; what hangs is soon abandoned."""
    front_of(lab).invocations.pace = Pace(hanging=0.05)
    # On a busy machine the requests of two seconds can come in one: see ``cloud_lab.checked``.
    front_of(lab).limits.clock = itertools.count().__next__
    lab.write_inventory(folder / "lab.toml")
    inventory = load_inventory(folder / "lab.toml")
    job = Job(mode="activate", images=inventory.images, deadline_s=120, policy=Policy())
    control = Control(concurrency=concurrency)
    rows = run_fleet(inventory.servers, make_opener(Secrets()), job, control)
    return {row.name: row async for row in rows}


async def test_every_fault_ends_as_the_lab_says(tmp_path: Path) -> None:
    async with Lab("tencent", 60, 7, transport="tat") as lab:
        rows = await rows_of(lab, tmp_path)
        for name, truth in lab.truth.items():
            error = rows[name].error
            told = (rows[name].verdict, error.kind if error else None)
            assert told == (truth.verdict, truth.error), (name, truth.faults, rows[name].error)
        assert lab.errors == []
        calls = front_of(lab).calls
        assert calls["DescribeAutomationAgentStatus"] < len(rows) / 10
        # One probe for all but the bad ones; of 29 repairs none may meet another in time.
        assert calls["RunCommand"] < 15 + 29


async def test_two_regions_are_asked_side_by_side(tmp_path: Path) -> None:
    async with Lab("images", 30, 5) as lab:
        rows = await rows_of(lab, tmp_path)
        assert {name: row.verdict for name, row in rows.items()} == {
            name: truth.verdict for name, truth in lab.truth.items()
        }
        assert {row.address.split("/")[2] for row in rows.values()} == {
            "ap-jakarta",
            "ap-singapore",
        }
        for name, truth in lab.truth.items():
            seen = {*rows[name].resolved, *(finding.id for finding in rows[name].findings)}
            assert set(truth.findings) <= seen, name


async def test_a_healthy_fleet_costs_few_calls(tmp_path: Path) -> None:
    async with Lab("healthy", 110, 1, transport="tat") as lab:
        rows = await rows_of(lab, tmp_path)
        assert {row.verdict for row in rows.values()} == {"healthy"}
        assert {row.executions for row in rows.values()} == {1}
        calls = front_of(lab).calls
        # Two of each where the machine is free; on a busy one the servers come in a stream that
        # is longer than the time in which calls are gathered (exact in ``test_tat_gather``).
        for action in ("RunCommand", "DescribeAutomationAgentStatus", "DescribeInstances"):
            assert 1 <= calls[action] < len(rows) / 10, action


async def test_several_accounts_at_once(tmp_path: Path) -> None:
    async with cloud(servers=4) as here:
        second = LabAccount("AKIDsecondaccount", "second-key")
        here.front.accounts[second.secret_id] = second
        path = str(
            profile_file(
                tmp_path / "keys.ini",
                default=here.own,
                second=second,
                wrong=LabAccount("AKIDwrong", "wrong-key"),
            )
        )
        names = list(here.ids)
        profiles = ["", "second", "wrong", "missing"]
        servers = [
            Server(
                name=name,
                address=here.server(name).address,
                account=Account(endpoint=here.front.endpoint, credentials=path, profile=profile),
                provider="tencent",
            )
            for name, profile in zip(names, profiles, strict=True)
        ]
        job = Job(mode="check", deadline_s=120)
        rows = {r.name: r async for r in run_fleet(servers, make_opener(Secrets()), job)}
        assert [rows[name].verdict for name in names[:2]] == ["healthy"] * 2
        for name, says in zip(
            names[2:], ("SecretIdNotFound", "has no section [missing]"), strict=True
        ):
            error = rows[name].error
            assert error is not None
            assert error.kind == "auth"
            assert says in error.message
        assert here.front.calls["RunCommand"] == 2


async def test_opening_tells_of_a_server_that_cannot_be_asked() -> None:
    async with cloud(servers=2) as here:
        first, second = here.ids
        here.front.estate.change(here.ids[second], agent="Offline")
        service = here.service()
        async with service.open(here.server(first)) as transport:
            begun = time.time()
            raw = await transport.run(
                b"@echo off\r\necho VOLACT1\r\nexit 0\r\n",
                name="volact-0123456789",
                deadline_s=120,
            )
            assert begun <= raw.asked <= raw.answered <= time.time()
        with pytest.raises(TransportError, match="Offline"):
            async with service.open(here.server(second)):
                raise AssertionError("it was opened")


async def test_a_region_that_does_not_exist_is_no_connection() -> None:
    async with cloud(servers=1) as here:
        address = Address(scheme="tat", host="ap-nowhere/ins-0aaaaaaa")
        server = Server(name="x", address=address, account=here.account)
        with pytest.raises(TransportError) as caught:
            async with here.service().open(server):
                raise AssertionError("it was opened")
        assert (caught.value.kind, "UnsupportedRegion" in caught.value.message) == ("connect", True)


def tasks_of_volact() -> set[asyncio.Task[Any]]:
    """What is being done, but for what the lab does."""
    return {
        task
        for task in asyncio.all_tasks()
        if isinstance(work := task.get_coro(), CoroutineType)
        and "volact_lab" not in work.cr_code.co_filename
    }


async def test_nothing_runs_on_when_all_are_served() -> None:
    async with cloud(servers=3) as here:
        before = tasks_of_volact()
        for _ in range(5):
            await used(here)
        while tasks_of_volact() - before:
            await asyncio.sleep(0.01)
        assert here.front.calls["RunCommand"] == 5 * len(here.ids)


async def used(here: Cloud) -> None:
    service = here.service()
    for name in here.ids:
        async with service.open(here.server(name)) as transport:
            await transport.run(b"exit 0\r\n", name="volact-0123456789", deadline_s=120)
