"""What a fault is: how it is done to a server, and what has to come of it.

What has to come of it is the lab's own statement, written next to the fault;
it is never computed by the code that is to be tested with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from volact.errors import ErrorKind
from volact.model.report import Verdict
from volact_lab.windows.machine import Machine
from volact_lab.windows.spec import Spec

Line = Literal["", "auth", "host-key", "refused", "hang", "truncated", "garbled"]
EVERY = ("2008", "2008 R2", "2012", "2012 R2", "2016", "2019", "2022", "2025")
SINCE_2008_R2 = EVERY[1:]
SINCE_2012 = EVERY[2:]


def nothing(_machine: Machine) -> None:
    """Leave the server as it is."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    ``findings`` are those that must be there at a check; ``verdict`` is where
    the server must stand after ``activate``; ``line`` is what is wrong with
    the connection instead of the server.
    """

    id: str
    findings: Callable[[Spec], tuple[str, ...]]
    verdict: Verdict | Callable[[Spec], Verdict]
    apply: Callable[[Machine], None] = nothing
    releases: tuple[str, ...] = EVERY
    domain_member: bool = False
    line: Line = ""
    error: ErrorKind | None = None
    home_only: bool = False  # the servers of other clouds cannot have it
    agreed: Callable[[Spec], Verdict] | None = None  # where it stands with every consent

    def ends(self, spec: Spec) -> Verdict:
        """Where this server must stand after ``activate``."""
        return self.verdict(spec) if callable(self.verdict) else self.verdict

    def error_over(self, transport: str) -> ErrorKind | None:
        """The kind of error; over WinRM it is the certificate that is not known."""
        changed = self.error == "host-key-changed" and transport != "ssh"
        return "host-key" if changed else self.error

    def agreed_ends(self, spec: Spec) -> Verdict:
        """Where it must stand with every consent that an option gives."""
        return self.agreed(spec) if self.agreed else self.ends(spec)


def always(*findings: str) -> Callable[[Spec], tuple[str, ...]]:
    """The same findings on every server."""
    return lambda _spec: findings
