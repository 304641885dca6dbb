"""The scenario in which every finding of one server occurs, with every consent, twice over."""

from __future__ import annotations

from collections.abc import AsyncIterator
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
    scenario = load_scenario("hard")
    assert scenario.servers > len(scenario.faults)
    async with Lab("hard", scenario.servers, 7, patience=0.01) as found:
        yield found


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Inventory:
    """The lab's inventory, read back."""
    lab.write_inventory(tmp_path / "lab.toml")
    return load_inventory(tmp_path / "lab.toml")


async def run(inventory: Inventory, mode: Any, policy: Policy = EVERYTHING) -> Reports:
    """One run, with the time that the slowest step needs."""
    job = Job(mode=mode, images=inventory.images, policy=policy, deadline_s=900)
    stream = run_fleet(inventory.servers, make_opener(Secrets()), job, Control(concurrency=20))
    return {report.name: report async for report in stream}


async def test_every_finding_that_one_server_can_have_is_there(
    lab: Lab, inventory: Inventory
) -> None:
    reports = await run(inventory, "check", Policy())
    for name, truth in lab.truth.items():
        found = {finding.id for finding in reports[name].findings}
        assert set(truth.findings) <= found, (truth, found)
    seen = {finding.id for report in reports.values() for finding in report.findings}
    seen |= {cluster.cause for cluster in Clusters(reports.values()).clusters()}
    # Only the probe after a clock was set can find that it was set back.
    closing = await run(inventory, "activate", Policy())
    seen |= {finding.id for report in closing.values() for finding in report.findings}
    assert set(BY_ID) - seen == {"rule-failed"}  # no rule fails
    assert lab.errors == []


async def test_with_every_consent_it_ends_as_it_must_and_a_second_run_changes_nothing(
    lab: Lab, inventory: Inventory
) -> None:
    reports = await run(inventory, "activate")
    ends = {name: (lab.truth[name].faults, r.verdict) for name, r in reports.items()}
    assert ends == {name: (truth.faults, truth.agreed) for name, truth in lab.truth.items()}
    again = await run(inventory, "activate")
    changed = {lab.truth[name].faults for name, report in again.items() if _changed(report)}
    # Its hypervisor sets this one's clock back after every run.
    assert changed == {("clock-vm",)}
    assert lab.errors == []


async def test_without_a_word_nothing_that_asks_first_is_done(
    lab: Lab, inventory: Inventory
) -> None:
    reports = await run(inventory, "activate", Policy())
    for name, report in reports.items():
        done = {result["do"] for result in report.results}
        assert not done & set(ASKING_STEPS), name
        assert report.verdict == lab.truth[name].verdict, lab.truth[name]


def _changed(report: ServerReport) -> bool:
    return any(result["changed"] for result in report.results)
