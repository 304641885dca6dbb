"""volact against the lab's truth: every server found as it is and left as it must be."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from volact.fleet import Control, run_fleet
from volact.inventory import Inventory, Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.lab import Lab, Stats

pytestmark = pytest.mark.xdist_group("lab-truth")  # the runs of a scenario are read by all

Reports = dict[str, ServerReport]


@dataclass(frozen=True)
class Runs:
    """A check and two activations of forty servers, and what the lab saw of the first two."""

    lab: Lab
    checked: Reports
    after_check: Stats
    activated: Reports
    after_activation: Stats
    again: Reports


@pytest.fixture(scope="module", params=["tencent", "simple"])
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return asyncio.run(done(request.param, tmp_path_factory.mktemp("lab") / "lab.toml"))


async def done(scenario: str, file: Path) -> Runs:
    """The runs, in their order; the lab has ended."""
    async with Lab(scenario, 40, 7, patience=0.01) as lab:
        lab.write_inventory(file)
        inventory = load_inventory(file)
        checked, after_check = await run(inventory, lab, "check"), lab.stats()
        activated, after_activation = await run(inventory, lab, "activate"), lab.stats()
        again = await run(inventory, lab, "activate")
    return Runs(lab, checked, after_check, activated, after_activation, again)


async def run(inventory: Inventory, lab: Lab, mode: Any, deadline_s: float = 900.0) -> Reports:
    """One run; servers that hang only get a deadline that is worth waiting for."""
    hangs = {name for name, truth in lab.truth.items() if "hang" in truth.faults}
    opener = make_opener(Secrets(), SshOptions(connect_s=300))
    found: Reports = {}
    for names, limit_s in ((hangs, 1.5), (set(lab.truth) - hangs, deadline_s)):
        servers = tuple(server for server in inventory.servers if server.name in names)
        job = Job(mode=mode, images=inventory.images, deadline_s=limit_s)
        async for report in run_fleet(servers, opener, job, Control(concurrency=20)):
            found[report.name] = report
    return found


def test_check_finds_what_was_done_to_each_server(runs: Runs) -> None:
    kinds = {share.kind for share in runs.lab.scenario.faults}
    assert {(*truth.faults, "")[0] for truth in runs.lab.truth.values()} >= kinds
    for name, truth in runs.lab.truth.items():
        found = {finding.id for finding in runs.checked[name].findings}
        assert set(truth.findings) <= found, (truth, found)
        error = runs.checked[name].error
        assert (error.kind if error else None) == truth.error, (truth, error)
    assert runs.lab.errors == []
    assert runs.after_check.activations == 0
    assert all(count <= 1 for count in runs.after_check.executions.values())


def test_activate_ends_where_it_must_and_a_second_changes_nothing(runs: Runs) -> None:
    verdicts = {name: report.verdict for name, report in runs.activated.items()}
    assert verdicts == {name: truth.verdict for name, truth in runs.lab.truth.items()}
    earlier: Mapping[str, int] = runs.after_check.executions
    after = runs.after_activation.executions
    assert all(count - earlier[name] <= 2 for name, count in after.items())
    changed = [name for name, r in runs.again.items() if any(x["changed"] for x in r.results)]
    assert changed == []
    assert runs.lab.errors == []


def test_nothing_of_a_run_stays_on_a_server(runs: Runs) -> None:
    for slot in runs.lab.slots.values():
        machine = slot.built
        if machine is not None and slot.line != "hang":
            assert [node.path for node in machine.files.children(machine.temp)] == []
