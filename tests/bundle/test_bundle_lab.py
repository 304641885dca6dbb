"""Bundles of simulated servers with every fault: no name in them, and the same verdicts."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from volact.bundle.collect import FactsRecorder, bundle_of, names_of
from volact.bundle.document import Bundle, decode, encode
from volact.bundle.pseudonyms import Pseudonyms
from volact.bundle.replay import replay
from volact.fleet import Control, plan_fleet
from volact.inventory import Secrets, load_inventory
from volact.knowledge.load import load_profile, profile_names
from volact.pipeline import NO_RECORDER, Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.faults import FAULTS
from volact_lab.faults.base import Fault
from volact_lab.fleet import able
from volact_lab.lab import Lab
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import Spec

pytestmark = pytest.mark.xdist_group("bundle")  # its fleets cost as much as all the rest of it


class Collected(NamedTuple):
    """A bundle, its bytes, and what may not be in them."""

    bundle: Bundle
    data: bytes
    names: set[str]


def _with(number: int, fault: Fault) -> Spec:
    return Spec(
        f"web-{number:02d}", index=number, seed=3, release=fault.releases[-1], language="en",
        domain="corp.example" if fault.domain_member else "", faults=(fault.id,),
        transport=able(fault, "ssh"),
    )  # fmt: skip


FLEETS: dict[str, int | tuple[Spec, ...]] = {
    "drawn": 64,
    "every fault": tuple(_with(number, one) for number, one in enumerate(FAULTS.values())),
}


@pytest.fixture(scope="module", params=FLEETS)
def collected(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Collected:
    path = tmp_path_factory.mktemp("lab") / "lab.toml"
    return asyncio.run(_collect(FLEETS[request.param], path))


async def _collect(servers: int | tuple[Spec, ...], path: Path) -> Collected:
    async with Lab("hard", servers, seed=1) as lab:
        lab.write_inventory(path)
        inventory = load_inventory(str(path))
        recorder = FactsRecorder(NO_RECORDER)
        job = Job(mode="plan", images=inventory.images, deadline_s=30, recorder=recorder)
        opener = make_opener(
            Secrets(held=inventory.held), SshOptions(host_keys="strict", connect_s=300)
        )
        rows = plan_fleet(inventory.servers, opener, job, Control(concurrency=20))
        outcomes = [outcome async for outcome in rows]
        clouds = tuple(map(load_profile, profile_names()))
        names = Pseudonyms(clouds, names_of(inventory.servers))
        bundle = bundle_of(outcomes, recorder.facts, names)
        told = {text for name in lab.truth for text in _told(lab.machine(name))}
        return Collected(bundle, encode(bundle), told)


def _told(machine: Machine) -> set[str]:
    """What only this fleet has: names, domains, machine IDs, accounts."""
    told = {machine.name, machine.spec.instance_id, machine.domain, machine.licensing.cmid}
    return {text for text in told if text}


def test_a_bundle_reads_back_as_it_was_written(
    collected: Collected,
) -> None:
    assert decode(collected.data, "here") == collected.bundle


def test_replay_comes_to_the_same_verdict_for_every_server(
    collected: Collected,
) -> None:
    again = [replay(server, "here") for server in collected.bundle.servers]
    different = {one.name: (one.before, one.after) for one in again if not one.same}
    assert different == {}
    assert len(again) >= 64


def test_no_name_of_the_fleet_and_no_secret_is_in_a_bundle(
    collected: Collected,
) -> None:
    text = collected.data.decode().lower()
    assert [name for name in collected.names if name.lower() in text] == []


def test_it_carries_the_engine_the_self_checks_and_the_time_of_each_fact(
    collected: Collected,
) -> None:
    answered = [server.facts for server in collected.bundle.servers if server.facts]
    whole = [facts for facts in answered if "os" in facts]
    assert len(whole) > 50
    for facts in whole:
        assert facts["ground"]["engine"].startswith("JScript ")
        assert set(facts["checks"]) == {
            "error-number", "wmi-column", "safe-array", "bitness", "clock",
        }  # fmt: skip
        assert all(isinstance(ms, int) for ms in facts["ms"].values())
    assert any("reach" in facts["ms"] for facts in whole)
