"""A licence that is left as it is, because its release or edition is not known to be covered.

Windows is licensed, and no repair of volact's touches key or KMS host: what only such a
repair would mend is left to a person.  Which steps are planned is decided in ``plan``.
"""

from __future__ import annotations

from msgspec.structs import replace

from volact.core.assessment import Assessment
from volact.core.findings.kind import FindingKind
from volact.core.steps import kind_of
from volact.model.finding import Finding

KindAndFinding = tuple[FindingKind, Finding]


def left_to_a_person(found: list[KindAndFinding], a: Assessment) -> list[KindAndFinding]:
    """The same findings, with the repairs that volact does not make called manual."""
    if not any(keeps_licence(kind, finding, a) for kind, finding in found):
        return found
    return [
        (kind, replace(finding, repair="manual") if _needs_change(kind, a) else finding)
        for kind, finding in found
    ]


def keeps_licence(kind: FindingKind, finding: Finding, a: Assessment) -> bool:
    """Whether this is a mere warning, and keeps the licence that is there as it is."""
    return kind.blocks == "licence" and finding.own_severity == "warning" and a.licence.all_licensed


def _needs_change(kind: FindingKind, a: Assessment) -> bool:
    """Whether it is mended by changing the licence only.

    An activation changes nothing where the host that is asked has licensed Windows before.
    """
    steps = list(kind.repair_steps(a)) if kind.repair_steps else []
    if steps:
        return all(kind_of(step).changes_licence for step in steps)
    return kind.calls_for in ("activation", "work") and not a.licensed_by_accepted
