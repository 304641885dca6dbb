"""A server that stays licensed by its old host while the new one refuses it."""

from __future__ import annotations

from pathlib import Path

from volact.fleet import run_fleet
from volact.inventory import Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job, Mode
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.lab import Lab
from volact_lab.windows.spec import Spec

# Another cloud's host licenses it, and the provider's own has seen too few machines.
SPEC = Spec(
    name="moved",
    index=0,
    seed=7,
    release="2019",
    language="en",
    faults=("kms-count", "kms-host-wrong"),
    forms=(("kms-host-wrong", 1), ("kms-count", 0)),
)


async def test_a_refused_activation_is_failed_now_and_no_health_later(tmp_path: Path) -> None:
    async with Lab("tencent", (SPEC,), 7) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        inventory = load_inventory(tmp_path / "lab.toml")

        async def run(mode: Mode) -> ServerReport:
            job = Job(mode=mode, images=inventory.images, deadline_s=900)
            opener = make_opener(Secrets(), SshOptions(connect_s=300))
            (row,) = [row async for row in run_fleet(inventory.servers, opener, job)]
            return row

        first = await run("activate")
        then = await run("check")
        again = await run("activate")
    assert [step["do"] for step in first.plan] == ["set-kms-host", "activate"]
    assert first.license.status == "licensed"
    for row, verdict in ((first, "failed"), (then, "attention"), (again, "failed")):
        (failed,) = [f for f in row.findings if f.id == "activation-failed"]
        assert row.verdict == verdict
        assert failed.evidence["code"] == "0xC004F038"
        assert failed.evidence["host"] == "kms.tencentyun.com:1688"
    assert first.resolved == ("kms-host-wrong",)
    (tried,) = again.results
    assert (tried["do"], tried["ok"], tried["changed"]) == ("activate", False, False)
