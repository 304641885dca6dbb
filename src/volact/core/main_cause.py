"""The main cause of a server's verdict, as one finding and as one stable word.

Every cause of a server, for comparing servers, is in ``cluster_causes``.
"""

from __future__ import annotations

from volact.model.finding import Finding
from volact.model.report import ServerReport

_ORDER = {"error": 0, "warning": 1, "info": 2}


def lead(server: ServerReport) -> Finding | None:
    """The main finding of a server: its first error, else its first warning, else ``None``."""
    ranked = sorted(server.findings, key=lambda finding: _ORDER[finding.severity])
    return ranked[0] if ranked and ranked[0].severity != "info" else None


def cause(server: ServerReport) -> str:
    """The stable word for a server's verdict: a finding's id, ``error:<kind>``, or ``""``."""
    if server.error is not None:
        return f"error:{server.error.kind}"
    first = lead(server)
    return first.id if first else ""
