"""What was measured, as values and as a JSON file."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from measure import Cost
from visitors import BARE, CHECK


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when."""

    date: str
    processor: str
    cores: int
    memory_gb: float
    python: str
    load: float  # of the minute before: what else went on


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One visitor at one lab; medians of its rounds."""

    name: str
    servers: int
    wall_s: float
    wall_range_s: tuple[float, float]
    cpu_s: float
    memory_kb: int
    lab_cpu_s: float  # of one round
    rounds: int

    @classmethod
    def of(cls, name: str, servers: int, costs: Sequence[Cost], lab_cpu_s: float) -> Row:
        """The medians."""
        walls = [cost.wall_s for cost in costs]
        return cls(
            name=name,
            servers=servers,
            wall_s=round(statistics.median(walls), 3),
            wall_range_s=(round(min(walls), 3), round(max(walls), 3)),
            cpu_s=round(statistics.median(cost.cpu_s for cost in costs), 3),
            memory_kb=max(cost.memory_kb for cost in costs),
            lab_cpu_s=round(lab_cpu_s / len(costs), 3),
            rounds=len(costs),
        )

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds a server."""
        return self.cpu_s / self.servers * 1000

    @property
    def wall_ms(self) -> float:
        """Wall milliseconds a server."""
        return self.wall_s / self.servers * 1000

    def line(self) -> str:
        """For the terminal."""
        return (
            f"{self.name}: {self.wall_s:.1f} s, {self.cpu_ms:.2f} ms CPU a server, "
            f"{self.memory_kb / 1024:.0f} MB"
        )


class Piece(msgspec.Struct, frozen=True):
    """What one part of a visit costs the controller, in milliseconds of CPU."""

    name: str
    ms: float


class Trips(msgspec.Struct, frozen=True):
    """How many round trips something takes."""

    name: str
    count: float


class Results(msgspec.Struct, frozen=True):
    """Everything of one go; the lists fill as it proceeds."""

    machine: Machine
    peers: dict[str, str]
    rows: list[Row] = msgspec.field(default_factory=list)
    grown: list[Row] = msgspec.field(default_factory=list)
    pieces: list[Piece] = msgspec.field(default_factory=list)
    trips: list[Trips] = msgspec.field(default_factory=list)
    slow: list[Row] = msgspec.field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether there is something to compare, and something to compare it with."""
        sizes = {row.servers for row in self.rows}
        bases = [{row.name for row in self.rows if row.servers == size} for size in sizes]
        return bool(bases) and all({BARE, CHECK} <= names for names in bases)

    def write(self, path: Path) -> None:
        """As a file, for comparison."""
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")


def machine() -> Machine:
    """This one, now."""
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        processor=_processor(),
        cores=os.cpu_count() or 0,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        load=round(os.getloadavg()[0], 2),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
