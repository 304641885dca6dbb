"""One fleet reached in every way at once, out of one inventory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from volact.cloud.registry import clouds
from volact.fleet import Control, run_fleet
from volact.inventory import Secrets, load_inventory
from volact.knowledge.load import load_profile
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.lab import Lab

# The simulated servers share one processor: a few at a time, so that no answer is late.
UNHURRIED = SshOptions(connect_s=300)
FEW = Control(concurrency=6)
SERVERS = 36  # some for each way


async def test_a_mixed_fleet_is_activated_in_one_run(tmp_path: Path) -> None:
    async with Lab("mixed", SERVERS, 7) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")
        servers = [s for s in inventory.servers if lab.slots[s.name].line != "hang"]
        job = Job(mode="activate", images=inventory.images, deadline_s=600)
        opener = make_opener(Secrets(), UNHURRIED)
        rows = [row async for row in run_fleet(servers, opener, job, FEW)]
        for row in rows:
            truth = lab.truth[row.name]
            told = (row.verdict, row.error and row.error.kind)
            assert told == (truth.verdict, truth.error), (row.name, row.error)
        ways = Counter(truth.transport for truth in lab.truth.values())
        assert set(ways) == {"ssh", "winrm", *(cloud.scheme for cloud in clouds())}
        # As many each, but where a way cannot have a fault.
        assert min(ways.values()) >= SERVERS // len(ways) - 4
        assert {server.address.scheme for server in servers} == {*ways, "winrms"}
        assert lab.errors == []


async def test_servers_of_several_clouds_are_activated_in_one_run(tmp_path: Path) -> None:
    async with Lab("clouds", SERVERS, 3) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")
        servers = [s for s in inventory.servers if lab.slots[s.name].line != "hang"]
        assert {s.address.scheme for s in servers} == {cloud.scheme for cloud in clouds()}
        job = Job(mode="activate", images=inventory.images, deadline_s=600)
        async for row in run_fleet(servers, make_opener(Secrets(), UNHURRIED), job, FEW):
            truth = lab.truth[row.name]
            told = (row.verdict, row.error and row.error.kind)
            assert told == (truth.verdict, truth.error), (row.name, row.error)
            if row.verdict == "healthy":
                hosts = load_profile(str(row.provider)).all_kms_hosts()
                assert row.license is not None
                assert row.license.kms_host in {str(host) for host in hosts}
        assert lab.errors == []
