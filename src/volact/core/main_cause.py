"""The main cause of a server's verdict, as one finding and as one stable word.

Every cause of a server, for comparing servers, is in ``cluster_causes``.
"""

from __future__ import annotations

from volact.core.findings.channel import LICENSED_BY_OWN_KEY
from volact.core.findings.foreign import LICENSED_BY_OTHER_KMS
from volact.core.findings.key import KMS_HOST_ROLE
from volact.core.findings.unknown import FACT_UNREADABLE
from volact.model.finding import Finding
from volact.model.report import ServerReport

# Each says by itself, in any severity, why no accepted KMS host licenses a server.
NOT_BY_KMS = frozenset(
    kind.id for kind in (KMS_HOST_ROLE, LICENSED_BY_OWN_KEY, LICENSED_BY_OTHER_KMS, FACT_UNREADABLE)
)


def lead(server: ServerReport) -> Finding | None:
    """The main finding of a server.

    Its first error, else what keeps it from being healthy, else its first warning, else
    ``None``.  A finding that the operator accepts is none.
    """
    found = [finding for finding in server.findings if finding.severity != "accepted"]
    healthy = server.verdict == "healthy"
    for picked in (
        [finding for finding in found if finding.severity == "error"],
        [finding for finding in found if finding.id in NOT_BY_KMS and not healthy],
        [finding for finding in found if finding.severity == "warning"],
    ):
        if picked:
            return picked[0]
    return None


def next_lapse(server: ServerReport) -> Finding | None:
    """The accepted finding with the earliest end, of those without which it is not healthy."""
    ends = {
        finding.accepted.until: finding
        for finding in server.findings
        if finding.accepted
        and finding.accepted.until
        and (finding.own_severity == "error" or finding.id in NOT_BY_KMS)
    }
    return ends[min(ends)] if ends and server.verdict == "healthy" else None


def cause(server: ServerReport) -> str:
    """The stable word for a server's verdict: a finding's id, ``error:<kind>``, or ``""``."""
    if server.error is not None:
        return f"error:{server.error.kind}"
    first = lead(server)
    return first.id if first else ""
