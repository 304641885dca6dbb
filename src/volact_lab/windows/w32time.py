"""The Windows Time service: its settings, when they take effect, and resync.

The running service works with the settings of its last start or update, not
with what is in the registry.  A jump beyond the phase limits is refused.
Time is really asked over UDP.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Literal

from volact_lab import codes
from volact_lab.errors import win32
from volact_lab.hosts import ntp
from volact_lab.windows.clock import Clock
from volact_lab.windows.network import NetFault, Network
from volact_lab.windows.registry import Registry, dword, sz
from volact_lab.windows.services import Service, ServiceManager

SERVICE = "W32Time"
KEY = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time"
POLICY = "HKLM\\SOFTWARE\\Policies\\Microsoft\\W32Time"
ALWAYS = 0xFFFFFFFF
STANDALONE_LIMIT = 54000

TRIGGERS = f"{KEY}\\TriggerInfo"
# Type and action of a trigger, as the registry holds them.
DOMAIN = ((3, 1), (3, 2))
NETWORK = ((2, 1), (2, 2))

Outcome = Literal["done", "no-data", "stale", "too-big"]


def write_triggers(registry: Registry, triggers: tuple[tuple[int, int], ...]) -> None:
    """What starts and stops the service by itself, in place of what did before."""
    if registry.has_key(TRIGGERS):
        registry.delete_key(TRIGGERS, tree=True)
    for number, (kind, action) in enumerate(triggers):
        registry.set(f"{TRIGGERS}\\{number}", "Type", dword(kind))
        registry.set(f"{TRIGGERS}\\{number}", "Action", dword(action))


def starts_by_itself(registry: Registry, service: Service, *, in_domain: bool, old: bool) -> bool:
    """Whether the service runs after a start of Windows."""
    first = registry.number(f"{TRIGGERS}\\0", "Type")
    if service.start == "Disabled" or old or first is None:
        return service.start == "Auto"
    return in_domain if first == DOMAIN[0][0] else True


@dataclass(slots=True)
class Settings:
    """What the running service works with."""

    type: str = "NTP"
    peers: tuple[str, ...] = ()
    forward: int = STANDALONE_LIMIT
    backward: int = STANDALONE_LIMIT
    client: bool = True


@dataclass
class TimeService:
    """W32Time of one server."""

    registry: Registry
    services: ServiceManager
    network: Network
    clock: Clock
    running: Settings = field(default_factory=Settings)
    early: int = 0  # how many times it has no time data yet
    stale: int = 0  # how many times after that it has none but what it used before
    polls: bool = False  # whether it sets the clock by itself meanwhile
    refused: int = 0  # what w32tm ends with after a resync that set nothing
    synced_at: float | None = None  # by its own clock, since its last start
    source: str = ""
    outcome: Outcome = "no-data"  # of the last time that it should synchronise

    def install(self, kind: str, peers: str, limit: int, *, triggers: bool = True) -> None:
        """Write the settings and let the service read them whenever it starts."""
        self.write(kind, peers)
        if triggers:
            write_triggers(self.registry, DOMAIN)
        self.registry.set(f"{KEY}\\Config", "MaxPosPhaseCorrection", dword(limit))
        self.registry.set(f"{KEY}\\Config", "MaxNegPhaseCorrection", dword(limit))
        self.registry.set(f"{KEY}\\TimeProviders\\NtpClient", "Enabled", dword(1))
        self.services.on_start[SERVICE.lower()] = self._begin

    def write(self, kind: str | None, peers: str | None) -> None:
        """Change the source in the registry, as ``w32tm /config`` does."""
        if kind is not None:
            self.registry.set(f"{KEY}\\Parameters", "Type", sz(kind))
        if peers is not None:
            self.registry.set(f"{KEY}\\Parameters", "NtpServer", sz(peers))

    def _begin(self) -> None:
        self.synced_at, self.source, self.outcome = None, "", "no-data"
        self.load()

    def load(self) -> None:
        """Take over the settings; those of group policy win."""
        peers = self._text("Parameters", "NtpServer") or ""
        self.running = Settings(
            type=self._text("Parameters", "Type") or "NoSync",
            peers=tuple(peer.split(",")[0] for peer in peers.split()),
            forward=self._number("Config", "MaxPosPhaseCorrection", STANDALONE_LIMIT),
            backward=self._number("Config", "MaxNegPhaseCorrection", STANDALONE_LIMIT),
            client=bool(self._number("TimeProviders\\NtpClient", "Enabled", 1)),
        )

    def need_running(self) -> None:
        """WinFault as every request to a stopped time service gives."""
        service = self.services.get(SERVICE)
        if service.state != "Running":
            disabled = service.start == "Disabled"
            raise win32(codes.SERVICE_DISABLED if disabled else codes.SERVICE_NOT_ACTIVE)

    def update(self) -> None:
        """``w32tm /config /update``."""
        self.need_running()
        self.load()

    def resync(self) -> Outcome:
        """``w32tm /resync``: ask the peers, and step the clock if the jump is allowed."""
        self.need_running()
        self.outcome = self._resync()
        return self.outcome

    def _resync(self) -> Outcome:
        if self.early:
            self.early -= 1
            return "no-data"
        if self.stale:
            self.stale -= 1
            if self.polls:
                self._synchronise()
            return "stale"
        return self._synchronise()

    def _synchronise(self) -> Outcome:
        settings = self.running
        if settings.type not in {"NTP", "AllSync"} or not settings.client:
            return "no-data"  # NT5DS: the domain's clock is as wrong as this one
        for peer in settings.peers:
            offset = self._measure(peer)
            if offset is None:
                continue
            limit = settings.forward if offset > 0 else settings.backward
            if limit != ALWAYS and abs(offset) > limit:
                return "too-big"
            self.clock.step(offset)
            self.synced_at, self.source = self.clock.now(), peer
            return "done"
        return "no-data"

    def _measure(self, peer: str) -> float | None:
        try:
            answering = self.network.peer(self.network.resolve(peer), 123)
        except NetFault:
            return None
        if answering.behaviour != "answers":
            self.network.wait(3)
            return None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(60)  # one that stays silent by design was told apart above
            sock.connect((answering.host, answering.port))
            sent = self.clock.now()
            try:
                sock.send(ntp.request(sent))
                packet = sock.recv(512)
            except OSError:
                return None
        return ntp.offset_of(packet, sent, self.clock.now())

    def _text(self, key: str, name: str) -> str | None:
        policy = self.registry.text(f"{POLICY}\\{key}", name)
        return policy if policy is not None else self.registry.text(f"{KEY}\\{key}", name)

    def _number(self, key: str, name: str, default: int) -> int:
        for root in (POLICY, KEY):
            number = self.registry.number(f"{root}\\{key}", name)
            if number is not None:
                return number
        return default
