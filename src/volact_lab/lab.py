"""The lab: a fleet of simulated servers behind real protocols, and what they reach.

Everything listens on loopback ports that are free; nothing outlives ``stop``.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from volact.knowledge.load import load_editions, load_profile
from volact.transports.ssh_library import asyncssh
from volact_lab import handout
from volact_lab.cloud import CloudFront, cloud_of, home, lab_clouds
from volact_lab.errors import LabError
from volact_lab.faults import FAULTS
from volact_lab.fleet import able, fleet
from volact_lab.limits import allow_many_sockets
from volact_lab.listening import Port
from volact_lab.scenario import load_scenario
from volact_lab.ssh.pool import Pool
from volact_lab.ssh.server import Front
from volact_lab.ssh.slot import Slot
from volact_lab.surroundings import Surroundings
from volact_lab.trouble import Gate
from volact_lab.truth import Truth, truth_of
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import Spec, TransportName
from volact_lab.winrm.front import WinRmFront

PROVIDER = home().provider
_WORKERS = 6
_LOG = logging.getLogger("volact_lab")


@dataclass(frozen=True, slots=True)
class Stats:
    """What has happened so far; ``executions`` is by server name."""

    connections: int
    executions: Mapping[str, int]
    sftp_operations: int
    requests: int  # over HTTP, to the servers themselves
    activations: int
    kms_answered: int
    ntp_answered: int
    metadata_answered: int

    @property
    def execs(self) -> int:
        """All executions."""
        return sum(self.executions.values())


class Lab:
    """One fleet.  ``patience`` is the fraction of a real wait that a time-out takes.

    ``transport`` makes all servers reachable by that one transport, in place
    of the scenario's.  ``servers`` is how many to draw, or the very servers.  With
    ``gated`` there is a gate before each, at which its line can be troubled.
    ``workers`` is how many commands run at a time; one that waits for input
    over a line that hangs takes the place of another.
    """

    def __init__(  # noqa: PLR0913  (what a test may choose of a lab)
        self,
        scenario: str,
        servers: int | tuple[Spec, ...],
        seed: int,
        *,
        patience: float = 0.05,
        transport: TransportName | None = None,
        gated: bool = False,
        workers: int = _WORKERS,
    ) -> None:
        self.scenario = load_scenario(scenario)
        self.seed = seed
        specs = fleet(self.scenario, servers, seed) if isinstance(servers, int) else servers
        self.specs = tuple(_reached(spec, transport) for spec in specs)
        self.truth: dict[str, Truth] = {spec.name: truth_of(spec) for spec in self.specs}
        self.errors: list[tuple[str, LabError]] = []
        self.slots = {spec.name: Slot(spec) for spec in self.specs}
        self.surroundings = Surroundings(load_profile(PROVIDER), load_editions(), patience)
        self._old_key = asyncssh.generate_private_key("ssh-ed25519")
        self._taken: list[Port] = []
        self._gated = gated
        self.front = Front(
            password=f"lab-{secrets.token_urlsafe(12)}",
            client_key=asyncssh.generate_private_key("ssh-ed25519"),
            host_key=asyncssh.generate_private_key("ssh-ed25519"),
            pool=Pool(workers),
        )
        self.winrm = WinRmFront(self.front.password, self.front.pool)
        regions = tuple(self.scenario.regions)
        self.clouds: dict[str, CloudFront] = {
            cloud.scheme: cloud.api.front(slots, self.front.pool, cloud.regions or regions)
            for cloud in lab_clouds()
            if (slots := [s for s in self.slots.values() if s.spec.cloud is cloud]) or cloud.is_home
        }
        self.cloud = self.clouds[home().scheme]

    async def start(self) -> None:
        """Start the surroundings, then every server's listener."""
        allow_many_sockets(len(self.slots))
        world = await self.surroundings.start(self._metadata)
        self.front.pool.start()
        self.winrm.start(self.slots.values())
        for cloud in self.clouds.values():
            await cloud.start()
        worlds = {PROVIDER: world}
        for name in {spec.cloud.provider for spec in self.specs} - {PROVIDER}:
            worlds[name] = self.surroundings.world(load_profile(name))
        options = self.front.options()
        for slot in self.slots.values():
            slot.world = worlds[slot.spec.cloud.provider]
            slot.on_report = self._report
            if slot.spec.by_cloud:
                continue  # nothing listens: its agent asks the cloud
            if slot.line == "refused":
                slot.port = self._take_port()
                continue
            if slot.spec.transport == "winrm":
                await self.winrm.listen(slot)
            else:
                slot.port = await self.front.listen(slot, options)
            if self._gated:
                slot.gate = Gate(slot.port, ssh=slot.spec.transport == "ssh")
                await slot.gate.open()

    async def stop(self) -> None:
        """Close every socket."""
        for gate in self.gates:
            await gate.stop()
        await self.front.stop()
        await self.winrm.stop()
        for cloud in self.clouds.values():
            await cloud.stop()
        self.front.pool.stop()
        await self.surroundings.stop()
        for taken in self._taken:
            taken.release()
        self._taken.clear()

    async def __aenter__(self) -> Lab:
        await self.start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def machine(self, name: str) -> Machine:
        """The simulated server of that name, to look into."""
        return self.slots[name].machine

    @property
    def busy(self) -> bool:
        """Whether a server is connected to over SSH or WinRM, or runs something."""
        return bool(self.front.open or self.winrm.connections or self.front.pool.busy)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate there is."""
        return tuple(slot.gate for slot in self.slots.values() if slot.gate is not None)

    def write_inventory(self, path: Path | str) -> None:
        """Write the inventory, and next to it password, key and known hosts."""
        handout.write(
            Path(path),
            tuple(self.slots.values()),
            handout.Logins(
                PROVIDER,
                self.front.password,
                self.front.client_key,
                self.front.host_key,
                self._old_key,
                self.winrm.identities,
                self.clouds,
            ),
        )

    def stats(self) -> Stats:
        """What has happened so far."""
        slots = self.slots.values()
        machines = [slot.built for slot in slots if slot.built]
        around = self.surroundings
        return Stats(
            connections=sum(slot.connections for slot in slots),
            executions={slot.spec.name: slot.executions for slot in slots},
            sftp_operations=sum(slot.sftp_operations for slot in slots),
            requests=sum(slot.requests for slot in slots),
            activations=sum(machine.licensing.activations for machine in machines),
            kms_answered=around.kms.answered
            + sum(host.answered for host in around.odd_kms.values()),
            ntp_answered=around.ntp.answered,
            metadata_answered=around.metadata.answered,
        )

    def _metadata(self, name: str) -> Mapping[str, str] | None:
        slot = self.slots.get(name)
        return slot.machine.metadata if slot else None

    def _report(self, name: str, error: LabError) -> None:
        _LOG.error("%s: %s", name, error.line())
        self.errors.append((name, error))

    def _take_port(self) -> int:
        """A port where nothing listens and nothing else will."""
        self._taken.append(Port())
        return self._taken[-1].number


def _reached(spec: Spec, transport: TransportName | None) -> Spec:
    """The server with the transport that the lab sets."""
    wanted = transport or spec.transport
    for name in spec.faults:
        wanted = able(FAULTS[name], wanted)
    regions = cloud_of(wanted).regions
    region = regions[spec.index % len(regions)] if regions else spec.region
    return replace(spec, transport=wanted, region=region)
