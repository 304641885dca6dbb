"""Outages in the middle of a rollout: servers restart, the KMS host dies, host keys change.

    python bench/chaos/outage_run.py [--servers 24] [--seed 1]

After each, nothing is called healthy that is not, every server has its row,
and a second rollout makes all of them healthy.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]

from fault_run import AGAIN, Complaints, outcome_of  # noqa: E402  (after the path)

from volact.fleet import Control, FleetEvent, Started, apply_fleet, plan_fleet, run_fleet  # noqa: E402
from volact.inventory import Secrets, load_inventory  # noqa: E402
from volact.inventory.listing import Inventory  # noqa: E402
from volact.model.report import ServerReport  # noqa: E402
from volact.pipeline import Job  # noqa: E402
from volact.transports.base import Opener  # noqa: E402
from volact.transports.connect import make_opener  # noqa: E402
from volact.transports.login import SshOptions  # noqa: E402
from volact_lab.inspection import licensed  # noqa: E402
from volact_lab.lab import Lab  # noqa: E402
from volact_lab.outages import change_host_key, down, restore_host_key, without_kms  # noqa: E402

Rows = dict[str, ServerReport]
_DOWN_S = 1.0
_AT_ONCE = 6


@dataclass
class Outage:
    """One outage, how the servers stood in it and after it, and what was wrong."""

    name: str
    during: Counter[str]
    after: Counter[str]
    wrong: list[str]
    wall_s: float


@dataclass
class Stage:
    """A lab with its inventory."""

    lab: Lab
    inventory: Inventory

    def job(self) -> Job:
        """Activate, in a time that an outage does not use up."""
        return Job(mode="activate", deadline_s=AGAIN.deadline_s, images=self.inventory.images)

    def opener(self) -> Opener:
        """A new way to the servers, as a new run has."""
        return make_opener(Secrets({}), SshOptions(connect_s=AGAIN.connect_s))

    async def rollout(self, after: int, then: Callable[[], Awaitable[None]]) -> Rows:
        """A rollout, and something that happens when so many servers are done.

        It happens as the next server begins, so that this one cannot be done before.
        """
        rows: Rows = {}
        begun = 0
        happens: list[asyncio.Task[None]] = []

        def told(event: FleetEvent) -> None:
            nonlocal begun
            begun += isinstance(event, Started)
            if begun == after + _AT_ONCE and not happens:
                happens.append(asyncio.ensure_future(_called(then)))

        control = Control(concurrency=_AT_ONCE, on_event=told)
        stream = run_fleet(self.inventory.servers, self.opener(), self.job(), control)
        async with aclosing(stream):
            async for row in stream:
                rows[row.name] = row
        await asyncio.gather(*happens)
        return rows


async def _called(then: Callable[[], Awaitable[None]]) -> None:
    await then()


@asynccontextmanager
async def _stage(servers: int, seed: int) -> AsyncIterator[Stage]:
    async with Lab("simple", servers, seed, transport="ssh", gated=True) as lab:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lab.toml"
            lab.write_inventory(path)
            yield Stage(lab, load_inventory(path))


async def restart(stage: Stage) -> Rows:
    """Every SSH server goes down midway and comes back."""

    async def outage() -> None:
        async with down(stage.lab):
            await asyncio.sleep(_DOWN_S)

    return await stage.rollout(len(stage.inventory.servers) // 3, outage)


async def kms_dies(stage: Stage) -> Rows:
    """The KMS host dies midway and stays dead until the rollout is over."""
    over = asyncio.Event()

    async def outage() -> None:
        async with without_kms(stage.lab):
            await over.wait()

    event: list[asyncio.Task[None]] = []

    async def begin() -> None:
        event.append(asyncio.ensure_future(outage()))

    rows = await stage.rollout(len(stage.inventory.servers) // 3, begin)
    over.set()
    await asyncio.gather(*event)
    return rows


async def keys_change(stage: Stage) -> Rows:
    """Half of the servers show another host key between the plan and its steps."""
    servers, opener, job = stage.inventory.servers, stage.opener(), stage.job()
    outcomes = [one async for one in plan_fleet(servers, opener, job)]
    changed = [one.server.name for one in outcomes if one.pending][::2]
    executions = dict(stage.lab.stats().executions)
    for name in changed:
        await change_host_key(stage.lab, name)
    rows = {row.name: row async for row in apply_fleet(outcomes, opener, job)}
    for name in changed:
        restore_host_key(stage.lab, name)
        assert outcome_of(rows[name]) == "host-key-changed", f"{name} is {outcome_of(rows[name])}"
        sent = stage.lab.stats().executions[name] - executions[name]
        assert not sent, f"{name} was sent steps through the other server at its address"
    return rows


OUTAGES: dict[str, Callable[[Stage], Awaitable[Rows]]] = {
    "all servers restart midway": restart,
    "the KMS host dies midway": kms_dies,
    "host keys change before the steps": keys_change,
}


async def meet(name: str, servers: int, seed: int) -> Outage:
    """One outage and the rollout after it."""
    begun, complaints = time.monotonic(), Complaints()
    async with _stage(servers, seed) as stage:
        try:
            rows, wrong = await OUTAGES[name](stage), []
        except AssertionError as error:
            rows, wrong = {}, [str(error)]
        wrong += _false(stage.lab, rows, servers)
        control = Control(concurrency=AGAIN.concurrency)
        again = {
            row.name: row
            async for row in run_fleet(
                stage.inventory.servers, stage.opener(), stage.job(), control
            )
        }
        wrong += _false(stage.lab, again, servers)
        wrong += [
            f"{row.name} is {outcome_of(row)} after the outage"
            for row in again.values()
            if row.verdict != "healthy"
        ]
    wrong += complaints.seen
    count = (Counter(map(outcome_of, rows.values())), Counter(map(outcome_of, again.values())))
    return Outage(name, *count, wrong, time.monotonic() - begun)


def _false(lab: Lab, rows: Rows, servers: int) -> list[str]:
    """Rows that are missing, or that claim what is not so."""
    missing = [f"{servers - len(rows)} servers have no row"] if len(rows) != servers else []
    return missing + [
        f"{row.name} is called healthy and is not licensed"
        for row in rows.values()
        if row.verdict == "healthy" and not licensed(lab.machine(row.name))
    ]


def table(found: list[Outage]) -> str:
    """The outages as Markdown."""
    lines = ["| outage | servers during it | after it | wrong | s |", "|---|---|---|---|---|"]
    for one in found:
        during, after = (
            ", ".join(f"{number} {word}" for word, number in sorted(counted.items()))
            for counted in (one.during, one.after)
        )
        lines.append(f"| {one.name} | {during} | {after} | {len(one.wrong)} | {one.wall_s:.0f} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--servers", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    found = [asyncio.run(meet(name, wanted.servers, wanted.seed)) for name in OUTAGES]
    print(table(found))
    wrong = [f"{one.name}: {line}" for one in found for line in one.wrong]
    for line in wrong:
        print(f"WRONG {line}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
