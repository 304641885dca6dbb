"""The agent in every JavaScript engine that can be had: the same answers, the same repairs.

None of them is JScript; what they agree on rests on no engine's peculiarity.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_world import Place, agent, place

from engines import ENGINES, end_processes, missing
from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.faults import FAULTS
from volact_lab.lab import Lab
from volact_lab.windows.machine import OtherEngine
from volact_lab.windows.releases import RELEASES

MANNERS = (("kms-manner", 0), ("refused-after", 0))
ON_THE_SERVER = sorted(name for name, fault in FAULTS.items() if not fault.error)


@pytest.fixture
async def here() -> AsyncIterator[Place]:
    """The provider's hosts, and a way to build servers."""
    found = await place()
    yield found
    await found.surroundings.stop()


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Iterator[OtherEngine]:
    """One of them; where its package is missing tests are skipped, which in CI is a failure."""
    name = str(request.param)
    if absent := missing(name):
        if os.environ.get("CI") == "true":
            pytest.fail(absent)
        pytest.skip(absent)
    yield ENGINES[name]
    end_processes()


def timeless(facts: dict[str, Any]) -> dict[str, Any]:
    """Facts without moments and durations, which differ between two runs."""
    same = {**facts, "ms": None}
    same["time"] = {k: v for k, v in facts.get("time", {}).items() if k not in _MOMENTS}
    same["reached"] = {host: outcome for host, (outcome, _) in facts.get("reached", {}).items()}
    for name, event in (facts.get("events") or {}).items():
        same["events"] = {**same["events"], name: event and event[1][:4]}
    return same


_MOMENTS = ("utc", "ref", "ref_at")


async def test_every_fault_is_answered_as_in_the_labs_own_engine(
    engine: OtherEngine, here: Place
) -> None:
    releases = sorted(RELEASES)
    for number, fault in enumerate(ON_THE_SERVER):
        allowed = [release for release in releases if release in FAULTS[fault].releases]
        forms = ((fault, 0), *MANNERS)
        own = here.machine(fault, release=allowed[number % len(allowed)], forms=forms)
        expected = timeless((await agent(own)).facts)
        other = here.machine(fault, release=own.spec.release, forms=forms)
        other.other_engine = engine
        assert timeless((await agent(other)).facts) == expected, fault
    assert here.errors == []


async def test_the_core_scenario_is_repaired_in_every_engine(
    engine: OtherEngine, tmp_path: Path
) -> None:
    async with Lab("simple", 22, 5, patience=0.0) as lab:
        for server in lab.truth:
            lab.machine(server).other_engine = engine
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")
        job = Job(mode="activate", images=inventory.images, deadline_s=300)
        stream = run_fleet(
            inventory.servers,
            make_opener(Secrets(), SshOptions(connect_s=300)),
            job,
            Control(concurrency=4),
        )
        reports = {report.name: report async for report in stream}
        assert lab.errors == []
    assert {one: report.verdict for one, report in reports.items()} == {
        one: truth.verdict for one, truth in lab.truth.items()
    }
    assert {report.verdict for report in reports.values()} == {"healthy"}
