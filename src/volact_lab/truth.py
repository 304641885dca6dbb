"""What was done to each server and what has to come of it."""

from __future__ import annotations

from dataclasses import dataclass

from volact.errors import ErrorKind
from volact.model.report import Verdict
from volact_lab.faults import FAULTS
from volact_lab.windows.spec import Spec


@dataclass(frozen=True, slots=True)
class Truth:
    """One server: its kind, its faults, and what volact must find and achieve.

    ``findings`` must be there at a check (there may be more); ``verdict`` is
    after ``activate``; ``error`` is the kind of error of an unreachable one.
    """

    name: str
    release: str
    language: str
    shell: str
    user: str
    transport: str
    faults: tuple[str, ...]
    findings: tuple[str, ...]
    verdict: Verdict
    error: ErrorKind | None
    agreed: Verdict  # after activate with every consent that an option gives


_WORST: tuple[Verdict, ...] = ("unreachable", "failed", "attention", "healthy")


def truth_of(spec: Spec) -> Truth:
    """The truth about one server."""
    faults = [FAULTS[name] for name in spec.faults]
    findings = [finding for fault in faults for finding in fault.findings(spec)]
    verdicts: list[Verdict] = [fault.ends(spec) for fault in faults] or ["healthy"]
    return Truth(
        name=spec.name,
        release=spec.release,
        language=spec.language,
        shell=spec.shell,
        user=spec.user,
        transport=spec.transport,
        faults=spec.faults,
        findings=tuple(dict.fromkeys(findings)),
        verdict=min(verdicts, key=_WORST.index),
        error=next((fault.error_over(spec.transport) for fault in faults if fault.error), None),
        agreed=min(
            (fault.agreed_ends(spec) for fault in faults), key=_WORST.index, default="healthy"
        ),
    )
