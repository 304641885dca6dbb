"""The scenario in which every finding of one server occurs, with every consent, twice over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from volact.core.clusters import Clusters
from volact.core.consent import ASKING_STEPS
from volact.core.context import Policy
from volact.core.findings import BY_ID
from volact.fleet import Control, run_fleet
from volact.inventory import Inventory, Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact_lab.lab import Lab
from volact_lab.scenario import load_scenario

Reports = dict[str, ServerReport]
EVERYTHING = Policy(replace_key=True, consent=frozenset(ASKING_STEPS))


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    """As many servers as the scenario says, which is enough for every fault."""
    async with hard() as found:
        yield found


def hard() -> Lab:
    scenario = load_scenario("hard")
    assert scenario.servers > len(scenario.faults), "`servers` of hard.toml, with room for shares"
    return Lab("hard", scenario.servers, 7, patience=0.01)


def inventory_of(lab: Lab, folder: Path) -> Inventory:
    """The lab's inventory, read back."""
    lab.write_inventory(folder / "lab.toml")
    return load_inventory(folder / "lab.toml")


@dataclass(frozen=True)
class Runs:
    """A check and an activation of which nothing was agreed to."""

    lab: Lab
    checked: Reports
    activated: Reports


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return asyncio.run(done(tmp_path_factory.mktemp("lab")))


async def done(folder: Path) -> Runs:
    """The runs, in their order; the lab has ended."""
    async with hard() as lab:
        inventory = inventory_of(lab, folder)
        checked = await run(inventory, "check", Policy())
        return Runs(lab, checked, await run(inventory, "activate", Policy()))


async def run(inventory: Inventory, mode: Any, policy: Policy = EVERYTHING) -> Reports:
    """One run, with the time that the slowest step needs."""
    job = Job(mode=mode, images=inventory.images, policy=policy, deadline_s=900)
    stream = run_fleet(inventory.servers, make_opener(Secrets()), job, Control(concurrency=20))
    return {report.name: report async for report in stream}


@pytest.mark.xdist_group("hard-runs")
def test_every_finding_that_one_server_can_have_is_there(runs: Runs) -> None:
    for name, truth in runs.lab.truth.items():
        found = {finding.id for finding in runs.checked[name].findings}
        assert set(truth.findings) <= found, (truth, found)
    # Only the probe after a clock was set can find that it was set back.
    rows = [*runs.checked.values(), *runs.activated.values()]
    seen = {finding.id for report in rows for finding in report.findings}
    seen |= {cluster.cause for cluster in Clusters(runs.checked.values()).clusters()}
    # No rule fails.
    assert set(BY_ID) - seen == {"rule-failed"}, "each finding has a fault in scenarios/hard.toml"
    assert runs.lab.errors == []


async def test_with_every_consent_it_ends_as_it_must_and_a_second_run_changes_nothing(
    lab: Lab, tmp_path: Path
) -> None:
    inventory = inventory_of(lab, tmp_path)
    reports = await run(inventory, "activate")
    ends = {name: (lab.truth[name].faults, r.verdict) for name, r in reports.items()}
    assert ends == {name: (truth.faults, truth.agreed) for name, truth in lab.truth.items()}
    again = await run(inventory, "activate")
    changed = {lab.truth[name].faults for name, report in again.items() if _changed(report)}
    # Its hypervisor sets this one's clock back after every run.
    assert changed == {("clock-vm",)}
    assert lab.errors == []


@pytest.mark.xdist_group("hard-runs")
def test_without_a_word_nothing_that_asks_first_is_done(runs: Runs) -> None:
    for name, report in runs.activated.items():
        done = {result["do"] for result in report.results}
        assert not done & set(ASKING_STEPS), name
        assert report.verdict == runs.lab.truth[name].verdict, runs.lab.truth[name]


def _changed(report: ServerReport) -> bool:
    return any(result["changed"] for result in report.results)
