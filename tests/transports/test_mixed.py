"""One fleet reached in every way at once, out of one inventory."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from volact.fleet import run_fleet
from volact.inventory import Secrets, load_inventory
from volact.pipeline import Job
from volact.transports.connect import make_opener
from volact_lab.lab import Lab


async def test_a_mixed_fleet_is_activated_in_one_run(tmp_path: Path) -> None:
    async with Lab("mixed", 60, 7) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")
        servers = [s for s in inventory.servers if lab.slots[s.name].line != "hang"]
        job = Job(mode="activate", images=inventory.images, deadline_s=60)
        rows = [row async for row in run_fleet(servers, make_opener(Secrets()), job)]
        for row in rows:
            truth = lab.truth[row.name]
            told = (row.verdict, row.error and row.error.kind)
            assert told == (truth.verdict, truth.error), (row.name, row.error)
        ways = Counter(truth.transport for truth in lab.truth.values())
        assert set(ways) == {"ssh", "winrm", "tat"}
        assert min(ways.values()) >= 19  # a third each, but where a way cannot have a fault
        assert {server.address.scheme for server in servers} == {"ssh", "winrm", "winrms", "tat"}
        assert lab.errors == []
