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
from volact.model.text import say

KindAndFinding = tuple[FindingKind, Finding]

_KEPT = say(
    "volact changes neither key nor KMS host on a release or edition of which it is not known "
    "that the provider's licence covers it."
)
_REMOVE = say("Find out what was installed, and remove it. {kept}", kept=_KEPT)


def left_to_a_person(found: list[KindAndFinding], a: Assessment) -> list[KindAndFinding]:
    """The same findings, with the repairs that volact does not make called manual."""
    if not a.licence.all_licensed or not any(keeps_licence(*one) for one in found):
        return found
    return [
        (kind, _by_hand(kind, finding) if _needs_change(kind, a) else finding)
        for kind, finding in found
    ]


def _by_hand(kind: FindingKind, finding: Finding) -> Finding:
    """Without the option that would allow the repair elsewhere."""
    if finding.repair != "needs-consent":
        return replace(finding, repair="manual")
    remedy = _REMOVE if kind.blocks == "everything" else _KEPT
    return replace(finding, repair="manual", remedy=remedy)


def keeps_licence(kind: FindingKind, finding: Finding) -> bool:
    """Whether this is a mere warning of a licensed Windows, whose licence stays as it is."""
    return kind.blocks == "licence" and finding.own_severity == "warning"


def _needs_change(kind: FindingKind, a: Assessment) -> bool:
    """Whether it is mended by changing the licence only.

    An activation changes nothing where the host that is asked has licensed Windows before.
    """
    steps = list(kind.repair_steps(a)) if kind.repair_steps else []
    if steps:
        return all(kind_of(step).changes_licence for step in steps)
    return kind.calls_for in ("activation", "work") and not a.renewal.goes_on
