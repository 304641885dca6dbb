"""Cases as simulated servers, checked and activated over real SSH by the real agent.

The facts of a case are written down; here the agent brings its own, and the
findings, the kinds of steps and the verdict have to be the case's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from case_file import BadCaseError, Case, label, load_cases
from case_lab import SEED, lab_cases, specs
from msgspec.structs import replace

from volact.fleet import run_fleet
from volact.inventory import Inventory, Secrets, load_inventory
from volact.model.report import ServerReport
from volact.pipeline import Job, Mode
from volact.transports.connect import make_opener
from volact.transports.login import SshOptions
from volact_lab.lab import Lab

CASES = lab_cases()


class Run:
    """A lab of the cases, and runs over it."""

    def __init__(self, lab: Lab, inventory: Inventory) -> None:
        self.lab = lab
        self.inventory = inventory

    async def rows(self, mode: Mode) -> dict[str, ServerReport]:
        """The row of each case's server."""
        job = Job(mode=mode, images=self.inventory.images, deadline_s=900)
        stream = run_fleet(
            self.inventory.servers, make_opener(Secrets(), SshOptions(connect_s=300)), job
        )
        return {row.name: row async for row in stream}


@pytest.fixture
async def run(tmp_path: Path) -> AsyncIterator[Run]:
    async with Lab("tencent", specs(CASES), SEED) as lab:
        lab.write_inventory(tmp_path / "lab.toml")
        yield Run(lab, load_inventory(tmp_path / "lab.toml"))
        assert lab.errors == []


async def test_findings_steps_and_verdicts_are_those_of_the_cases(run: Run) -> None:
    assert len(CASES) >= 60
    planned = await run.rows("plan")
    found = {label(CASES[name]): looked_at(row) for name, row in planned.items()}
    assert found == {label(case): expected(case) for case in CASES.values()}
    activated = await run.rows("activate")
    verdicts = {label(CASES[name]): row.verdict for name, row in activated.items()}
    assert verdicts == {label(case): case.expect.verdict for case in CASES.values()}


def looked_at(row: ServerReport) -> dict[str, list[str]]:
    """What the row holds, in the shape of ``expected``."""
    assert row.error is None, row.error
    ids: dict[str, list[str]] = {"error": [], "warning": [], "info": []}
    for finding in row.findings:
        ids[finding.severity].append(finding.id)
    kinds = [step["do"] for step in row.plan]
    return {"errors": sorted(ids["error"]), "warnings": sorted(ids["warning"]), "steps": kinds}


def expected(case: Case) -> dict[str, list[str]]:
    """What the case expects to be reported of its server in the lab."""
    return {
        "errors": sorted(case.expect.errors),
        "warnings": sorted(case.expect.warnings),
        "steps": [line.split()[0] for line in case.expect.plan],
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lab": ("clock-7h",)}, "faults clock-7h"),
        ({"release": "1809"}, "release 1809"),
        ({"language": "ko"}, "language ko"),
        ({"role": "controller"}, "domain controllers"),
        ({"role": "member"}, "role member"),
        ({"provider": "aws"}, "provider aws"),
    ],
)
def test_a_case_that_the_lab_cannot_have_is_named(changes: dict[str, object], said: str) -> None:
    case = next(case for case in load_cases() if case.name == "2019, licensed")
    with pytest.raises(BadCaseError, match="2019, licensed: the lab does not have") as caught:
        specs({"case-001": replace(case, **changes)})
    assert said in str(caught.value)
