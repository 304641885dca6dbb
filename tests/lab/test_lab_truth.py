"""volact against the lab's truth: every server found as it is and left as it must be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from volact.fleet import Control, run_fleet
from volact.inventory import Inventory, Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact_lab.lab import Lab

Reports = dict[str, ServerReport]


@pytest.fixture(params=["tencent", "simple"])
async def lab(request: pytest.FixtureRequest) -> AsyncIterator[Lab]:
    """Sixty servers."""
    async with Lab(request.param, 60, 7, patience=0.01) as found:
        yield found


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Inventory:
    """The lab's inventory, read back."""
    lab.write_inventory(tmp_path / "lab.toml")
    return load_inventory(tmp_path / "lab.toml")


async def run(inventory: Inventory, lab: Lab, mode: Any, deadline_s: float = 120.0) -> Reports:
    """One run; servers that hang only get a deadline that is worth waiting for."""
    hangs = {name for name, truth in lab.truth.items() if "hang" in truth.faults}
    opener = make_opener(Secrets())
    found: Reports = {}
    for names, limit_s in ((hangs, 1.5), (set(lab.truth) - hangs, deadline_s)):
        servers = tuple(server for server in inventory.servers if server.name in names)
        job = Job(mode=mode, images=inventory.images, deadline_s=limit_s)
        async for report in run_fleet(servers, opener, job, Control(concurrency=20)):
            found[report.name] = report
    return found


async def test_check_finds_what_was_done_to_each_server(lab: Lab, inventory: Inventory) -> None:
    reports = await run(inventory, lab, "check")
    for name, truth in lab.truth.items():
        found = {finding.id for finding in reports[name].findings}
        assert set(truth.findings) <= found, (truth, found)
        error = reports[name].error
        assert (error.kind if error else None) == truth.error, (truth, error)
    assert lab.errors == []
    assert lab.stats().activations == 0
    assert all(count <= 1 for count in lab.stats().executions.values())


async def test_activate_ends_where_it_must_and_a_second_changes_nothing(
    lab: Lab, inventory: Inventory
) -> None:
    reports = await run(inventory, lab, "activate")
    verdicts = {name: report.verdict for name, report in reports.items()}
    assert verdicts == {name: truth.verdict for name, truth in lab.truth.items()}
    assert all(count <= 2 for count in lab.stats().executions.values())
    again = await run(inventory, lab, "activate")
    changed = [name for name, r in again.items() if any(x["changed"] for x in r.results)]
    assert changed == []
    assert lab.errors == []


async def test_nothing_of_a_run_stays_on_a_server(lab: Lab, inventory: Inventory) -> None:
    await run(inventory, lab, "activate")
    for slot in lab.slots.values():
        machine = slot.built
        if machine is not None and slot.line != "hang":
            assert [node.path for node in machine.files.children(machine.temp)] == []
