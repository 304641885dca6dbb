"""One place of the fleet: which server is there, on which port, and what it has seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from volact.lab.errors import LabError
from volact.lab.faults import FAULTS
from volact.lab.faults.base import Line
from volact.lab.windows.machine import Machine
from volact.lab.windows.spec import Spec, World


@dataclass
class Slot:
    """A server of the fleet.  The machine is built when somebody first asks for it."""

    spec: Spec
    world: World | None = None
    port: int = 0
    connections: int = 0
    executions: int = 0
    sftp_operations: int = 0
    requests: int = 0  # over HTTP
    on_report: Callable[[str, LabError], None] = lambda _name, _error: None
    _machine: Machine | None = field(default=None, repr=False)

    @property
    def machine(self) -> Machine:
        """The simulated server, with its faults."""
        if self._machine is None:
            assert self.world is not None, "the lab has not been started"
            self._machine = Machine(self.spec, self.world)
            self._machine.on_report = self.on_report
            for name in self.spec.faults:
                FAULTS[name].apply(self._machine)
        return self._machine

    @property
    def built(self) -> Machine | None:
        """The machine, if anybody has asked for it yet."""
        return self._machine

    @property
    def line(self) -> Line:
        """What is wrong with the connection to it."""
        lines = (FAULTS[name].line for name in self.spec.faults)
        return next((line for line in lines if line), "")
