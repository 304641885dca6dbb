"""The whole way over real SSH to simulated servers that run the real agent.

The lab records what was done to each server and what has to come of it; what is
asked here is that it does, that it costs what it should, and that nothing of
volact's remains on any server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from virtual_time import pass_time

from volact.fleet import run_fleet
from volact.inventory import Inventory, Secrets, check_credentials, load_inventory, select
from volact.model.report import ServerReport
from volact.pipeline import Job, Mode
from volact.transports.base import Opener
from volact.transports.connect import make_opener
from volact.transports.hostkeys import check_known_hosts
from volact.transports.keys import check_key_file
from volact.transports.login import SshOptions
from volact_lab.lab import Lab, Stats

pytestmark = pytest.mark.xdist_group("pipeline-lab")  # the runs are read by several tests

SERVERS = 40
Rows = dict[str, ServerReport]


class Fleet:
    """A lab, its inventory, and an opener for its servers."""

    def __init__(self, lab: Lab, inventory: Inventory, opener: Opener) -> None:
        self.lab = lab
        self.inventory = inventory
        self.opener = opener

    async def run(self, mode: Mode, *names: str) -> Rows:
        """The rows of a run by name; without names all but the servers that hang."""
        hung = self.with_fault("hang")
        wanted = names or [name for name in self.lab.truth if name not in hung]
        servers = select(self.inventory.servers, wanted)
        job = Job(mode=mode, images=self.inventory.images, deadline_s=900)
        return {row.name: row async for row in run_fleet(servers, self.opener, job)}

    def with_fault(self, fault: str) -> list[str]:
        return [name for name, truth in self.lab.truth.items() if fault in truth.faults]

    def left(self) -> list[str]:
        """Files of volact's on any server."""
        return [
            f"{name}: {node.path}"
            for name, slot in self.lab.slots.items()
            if slot.built is not None
            for folder in (slot.built.temp, "C:\\Windows\\Temp")
            for node in slot.built.files.children(folder)
            if "volact" in node.path.lower()
        ]


@asynccontextmanager
async def started(folder: Path) -> AsyncIterator[Fleet]:
    async with Lab("tencent", SERVERS, 7) as lab:
        lab.write_inventory(folder / "lab.toml")
        inventory = load_inventory(folder / "lab.toml")
        check_credentials(inventory, inventory.servers, check_key_file, check_known_hosts)
        yield Fleet(lab, inventory, make_opener(Secrets(), SshOptions(connect_s=300)))
        assert lab.errors == []


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    async with started(tmp_path) as found:
        yield found


@dataclass(frozen=True)
class Runs:
    """Runs over one fleet in their order; what the lab had counted before and after the third."""

    fleet: Fleet
    checked: Rows
    checked_again: Rows
    before: Stats
    activated: Rows
    after: Stats
    activated_again: Rows


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return asyncio.run(done(tmp_path_factory.mktemp("lab")))


async def done(folder: Path) -> Runs:
    """Two checks and two activations; the lab has ended."""
    async with started(folder) as fleet:
        checked, checked_again = await fleet.run("check"), await fleet.run("check")
        before = fleet.lab.stats()
        activated = await fleet.run("activate")
        after = fleet.lab.stats()
        again = await fleet.run("activate")
        return Runs(fleet, checked, checked_again, before, activated, after, again)


def test_what_is_wrong_is_found_and_what_can_be_mended_is(runs: Runs) -> None:
    for name, row in runs.checked.items():
        truth = runs.fleet.lab.truth[name]
        assert set(truth.findings) <= {finding.id for finding in row.findings}, name
    for name, row in runs.activated.items():
        truth = runs.fleet.lab.truth[name]
        assert (row.verdict, row.error and row.error.kind) == (truth.verdict, truth.error), name
    assert runs.fleet.left() == []


def test_a_healthy_server_costs_one_execution_and_a_repaired_one_two(runs: Runs) -> None:
    for name, row in runs.activated.items():
        assert row.executions == runs.after.executions[name] - runs.before.executions[name], name
        if row.verdict != "unreachable":
            assert row.executions == (2 if row.results else 1), name
    assert {row.executions for row in runs.activated.values()} == {0, 1, 2}


def test_a_second_activation_changes_nothing(runs: Runs) -> None:
    again = runs.activated_again
    changed = [name for name, row in again.items() if any(r["changed"] for r in row.results)]
    assert changed == []


def test_a_check_changes_nothing_on_any_server(runs: Runs) -> None:
    for name, row in runs.checked.items():
        again = runs.checked_again[name]
        assert [f.id for f in row.findings] == [f.id for f in again.findings], name
    assert runs.before.activations == 0


@pytest.mark.parametrize(
    ("fault", "kind", "executions"),
    [
        ("auth", "auth", 0),
        ("host-key", "host-key-changed", 0),
        ("refused", "connect", 0),
        ("truncated", "protocol", 1),
        ("garbled", "protocol", 1),
    ],
)
async def test_a_server_that_cannot_be_asked_says_why(
    fleet: Fleet, fault: str, kind: str, executions: int
) -> None:
    (name, *_) = fleet.with_fault(fault)
    row = (await fleet.run("check", name))[name]
    assert row.verdict == "unreachable"
    assert row.error is not None
    assert (row.error.kind, row.executions) == (kind, executions)
    assert "\n" not in row.error.message
    assert fleet.left() == []


async def test_a_server_that_hangs_costs_its_own_row_and_its_deadline(fleet: Fleet) -> None:
    (hung, *_) = fleet.with_fault("hang")
    (good, *_) = fleet.with_fault("licensed")
    servers = select(fleet.inventory.servers, (hung, good))
    job = Job(mode="check", images=fleet.inventory.images, deadline_s=600)
    rows = run_fleet(servers, fleet.opener, job)
    first = await anext(rows)
    assert (first.name, first.verdict) == (good, "healthy")
    while not fleet.lab.stats().executions[hung]:
        await asyncio.sleep(0.01)
    pass_time(600)
    (second,) = [row async for row in rows]
    error = second.error
    assert error is not None
    assert error.kind == "timeout"


def test_every_shell_and_account_is_served(runs: Runs) -> None:
    rows = runs.checked
    served = {
        (truth.shell, "\\" in truth.user)
        for name, truth in runs.fleet.lab.truth.items()
        if name in rows and rows[name].verdict in ("healthy", "attention")
    }
    assert {shell for shell, _ in served} == {"cmd", "powershell", "bash"}
    assert {domain for _, domain in served} == {True, False}
