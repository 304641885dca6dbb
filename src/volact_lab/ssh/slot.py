"""One place of the fleet: which server is there, on which port, and what it has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from volact_lab.errors import LabError
from volact_lab.faults import FAULTS
from volact_lab.faults.base import Line
from volact_lab.trouble import Act, Gate, Stage
from volact_lab.windows.machine import Machine
from volact_lab.windows.setup import new_machine
from volact_lab.windows.spec import Spec, World


@dataclass
class Slot:
    """A server of the fleet.  The machine is built at its first use."""

    spec: Spec
    world: World | None = None
    port: int = 0
    connections: int = 0
    executions: int = 0
    sftp_operations: int = 0
    requests: int = 0  # over HTTP
    gate: Gate | None = None  # what clients connect to, where there is one
    frail: bool = False  # what runs ends with the connection, as under a strict sshd
    on_report: Callable[[str, LabError], None] = lambda _name, _error: None
    _machine: Machine | None = field(default=None, repr=False)

    @property
    def machine(self) -> Machine:
        """The simulated server, with its faults."""
        if self._machine is None:
            assert self.world is not None, "the lab has not been started"
            self._machine = new_machine(self.spec, self.world)
            self._machine.on_report = self.on_report
            for name in self.spec.faults:
                FAULTS[name].apply(self._machine)
        return self._machine

    def renew(self) -> None:
        """Another server of the same kind takes its place, as it was in the beginning."""
        self._machine = None

    @property
    def reached_by(self) -> int:
        """The port that clients connect to."""
        return self.gate.port if self.gate else self.port

    def reached(self, stage: Stage, peer: int) -> Act | None:
        """A connection from that port is at a stage of its protocol: what happens to it."""
        return self.gate.reached(stage, peer) if self.gate else None

    @property
    def denies_login(self) -> bool:
        """Whether a denial of its trouble is one of the login: its seed decides."""
        return (
            self.gate is not None
            and self.gate.trouble is not None
            and (self.gate.trouble.seed % 2 == 1)
        )

    @property
    def built(self) -> Machine | None:
        """The machine, if it has been asked for yet."""
        return self._machine

    @property
    def line(self) -> Line:
        """What is wrong with the connection to it."""
        lines = (FAULTS[name].line for name in self.spec.faults)
        return next((line for line in lines if line), "")
