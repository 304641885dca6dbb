"""The verdict on a server at the end of a run.

"Did it work" is answered by the closing probe alone, never by a step that reports
its own success.  A licence that was there before an activation that failed
proves nothing: that is ``activation-failed``, one of the closing probe's findings.
"""

from __future__ import annotations

import msgspec

from volact.core.assessment import Assessment
from volact.core.findings.attempts import ACTIVATION_FAILED, LICENSED_BY_FORMER_KMS
from volact.core.findings.foreign import LICENSED_BY_OTHER_KMS
from volact.core.findings.session import RESTART_NEEDED
from volact.core.findings.term import GRACE_ENDING
from volact.core.main_cause import NOT_BY_KMS
from volact.core.steps.activation import ACTIVATE
from volact.model.finding import Finding
from volact.model.report import Verdict
from volact.model.step import Plan

UNPROVEN = ACTIVATION_FAILED.id


class Verification(msgspec.Struct, frozen=True):
    """The word of the JSON document, and which findings are gone."""

    word: Verdict
    resolved: tuple[str, ...] = ()


def verify(
    plan: Plan,
    before: tuple[Finding, ...],
    after: tuple[Finding, ...],
    now: Assessment,
) -> Verification:
    """Judge one server by what its closing probe found.

    Args:
        plan: the plan that was applied, ``Plan()`` when none was.
        before: the findings before it.
        after: the findings of the closing probe; those before where nothing was applied.
        now: the server as the closing probe shows it, with the results of the
            steps; () where the answer was lost, the closing probe decides all the same.

    Returns:
        The verdict, and which findings are gone.
    """
    resolved = _resolved(before, after)
    if is_healthy(now, after):
        return Verification("healthy", resolved)
    if any(finding.id == RESTART_NEEDED.id for finding in after):
        return Verification("attention", resolved)  # only then it shows whether the steps helped
    if plan.steps and not confirmed(plan, after, now):
        return Verification("failed", resolved)
    return Verification("attention", resolved)


def is_healthy(a: Assessment, findings: tuple[Finding, ...]) -> bool:
    """No error is left, and what licenses Windows is an accepted KMS host or accepted itself."""
    if any(f.severity == "error" for f in findings):
        return False
    if a.licensed_by_accepted:
        return True
    why = [f for f in findings if f.own_severity == "error" or f.id in NOT_BY_KMS]
    return bool(why) and all(f.severity == "accepted" for f in why)


def confirmed(plan: Plan, after: tuple[Finding, ...], a: Assessment) -> bool:
    """Whether the closing probe shows what the steps were for.

    Every finding they were for is gone, and where Windows was to be activated
    it is licensed by an accepted host, or, where Active Directory has renewed its own
    licence, by that.

    Args:
        plan: what was applied.
        after: the findings of the closing probe.
        a: the server as that probe shows it.
    """
    left = {finding.id for finding in after}
    causes = {cause for step in plan.steps for cause in step.because}
    if causes & left:
        return False
    activated = [step for step in plan.steps if step.do == ACTIVATE.name]
    if not activated:
        return True
    only_renewed = all(set(step.because) == {GRACE_ENDING.id} for step in activated)
    kept = a.licensed_by_accepted or (only_renewed and _by_directory(a))
    return kept and UNPROVEN not in left


def _by_directory(a: Assessment) -> bool:
    """Whether Windows is licensed, by Active Directory alone."""
    return a.licence.all_licensed and all(bool(p.by_directory) for p in a.licence.subjects)


def _resolved(before: tuple[Finding, ...], after: tuple[Finding, ...]) -> tuple[str, ...]:
    left = {finding.id for finding in after}
    if left & {UNPROVEN, LICENSED_BY_FORMER_KMS.id}:
        left.add(LICENSED_BY_OTHER_KMS.id)  # the host that is set now has licensed nothing yet
    return tuple(finding.id for finding in before if finding.id not in left)
