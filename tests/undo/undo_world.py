"""A lab in the test's own process, the real command line on it, and the state of servers."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_run import volact
from forked_volact import ForkedVolact

from volact_lab.lab import Lab
from volact_lab.windows.machine import Machine

ACTIVATE = (
    *("activate", "-i", "lab.toml", "--yes", "--output", "json", "--no-progress"),
    "--replace-key",
    *("--allow", "remove-debugger", "--allow", "add-dns", "--allow", "add-route"),
    *("--allow", "move-kms"),
)
UNDO = ("-i", "lab.toml", "--output", "json", "--no-progress")


@dataclass(frozen=True)
class Ended:
    """What a command line did."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    def rows(self) -> dict[str, Any]:
        """The rows of the document by the servers' names."""
        return {row["name"]: row for row in self.document["servers"]}


@dataclass(frozen=True)
class World:
    """A lab, its inventory, and a store of its own."""

    lab: Lab
    folder: Path

    @property
    def password(self) -> str:
        return (self.folder / "lab.password").read_text().strip()

    def volact(self, *args: str) -> Ended:
        """Run a command line in this process; the lab is in another thread."""
        return Ended(*volact(*args))

    async def process(self, *args: str) -> Ended:
        """Run a command line as a process of its own, from the folder of the inventory."""
        with self.started(*args) as process:
            out, err = await asyncio.to_thread(process.communicate)
        return Ended(process.returncode or 0, out, err)

    def started(self, *args: str) -> ForkedVolact:
        own = {"VOLACT_STORE": "store.db", "LAB_PASSWORD": self.password}
        return ForkedVolact(*args, cwd=self.folder, env={**os.environ, **own})

    def activate(self, *args: str) -> Ended:
        return self.volact(*ACTIVATE, *args)

    def undo(self, run: str, *args: str) -> Ended:
        return self.volact("undo", run, *UNDO, *args)

    def machine(self, fault: str) -> tuple[str, Machine]:
        """The first server with a fault."""
        name = next(n for n, truth in self.lab.truth.items() if fault in truth.faults)
        return name, self.lab.slots[name].machine

    def pictures(self) -> dict[str, dict[str, Any]]:
        return {name: picture(slot.machine) for name, slot in self.lab.slots.items()}


def picture(machine: Machine) -> dict[str, Any]:
    """Everything of a server that a step may set."""
    return {
        "registry": _registry(machine),
        "services": {s.name: (s.start, s.delayed) for s in machine.services.services.values()},
        "dacl": machine.licensing_file().dacl.sddl(),
        "owner": machine.licensing_file().owner,
        "dns": list(machine.network.dns),
        "routes": sorted(
            (route.destination, route.mask, route.next_hop)
            for route in machine.network.routes
            if machine.network.leads(route)  # one that leads nowhere is as good as none
        ),
    }


def _registry(machine: Machine) -> dict[str, Any]:
    """The values of the keys that steps write to."""
    roots = [
        machine.release.licensing_key,
        "HKLM\\SYSTEM\\CurrentControlSet\\Services",
        "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Image File Execution Options",
        "HKLM\\SOFTWARE\\Policies",
        "HKLM\\HARDWARE\\DESCRIPTION\\System",
    ]
    found: dict[str, Any] = {}
    for root in roots:
        _below(machine, root, found)
    return found


def _below(machine: Machine, path: str, found: dict[str, Any]) -> None:
    if not machine.registry.has_key(path):
        return
    for name, value in machine.registry.values(path):
        found[f"{path}\\{name}".lower()] = value
    for below in machine.registry.subkeys(path):
        _below(machine, below, found)
