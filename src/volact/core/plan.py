"""Findings and facts become ordered steps, or the reason for doing nothing.

The safety rules are here and in ``refusals``:

- nothing rests on a fact that could not be read.  Four exceptions, each safe
  by itself: a silent licensing service that is stopped or held down by a known
  fault is started (and then activated, which is an "ensure"); an unknown
  image does not stop work; unknown elevation does not, because Windows
  refuses what it must; rights, firewall rules and an awaited restart that were
  not asked about, or not answered, do not, because activation then fails and
  changes nothing;
- a server licensed by an accepted host is changed only to repair an error;
- no activation while an error that would make it fail stays unrepaired.
"""

from __future__ import annotations

from collections.abc import Iterable

from volact.core.assessment import Assessment
from volact.core.findings import BY_ID
from volact.core.refusals import (
    blockers,
    consent_refusals,
    hands_off,
    kms_hosts_may_be_set,
    licence_may_change,
    waits_for_consent,
)
from volact.core.steps import KINDS, kind_of, rank_of
from volact.core.steps.activation import ACTIVATE, Activate
from volact.core.steps.clock import SyncClock
from volact.core.steps.kms_hosts import ClearKmsHost, PutBackKmsHost, SetKmsHost
from volact.core.steps.params import ALWAYS, Guard, StepDraft
from volact.core.steps.wire import to_wire
from volact.model.finding import Finding
from volact.model.step import Plan, Refusal
from volact.model.text import say


def make_plan(a: Assessment, findings: tuple[Finding, ...]) -> Plan:
    """What to do about the findings of a server.

    Args:
        a: the server as it was assessed.
        findings: what ``diagnose`` found on it.

    Returns:
        The steps in their safe order, or the reason for doing nothing; with the
        refusals, each naming the option that would change it.
    """
    stopped = hands_off(a, findings)
    if stopped:
        return Plan(refusals=stopped, reason=stopped[0].reason)
    may_change = licence_may_change(a, findings)
    wanted = _worth_repairing(a, findings, may_change=may_change)
    steps = _repairs(a, wanted)
    if not may_change:
        steps = tuple(step for step in steps if not kind_of(step.params).changes_licence)
    if not kms_hosts_may_be_set(findings):
        steps = tuple(s for s in steps if not isinstance(s.params, SetKmsHost | ClearKmsHost))
    refusals = consent_refusals(findings)
    steps, put_off = _alone(steps)
    refusals += put_off
    causes = _activation_causes(a, wanted)
    alone = any(kind_of(step.params).alone for step in steps)
    if causes and not alone and not waits_for_consent(findings, steps):
        blocked = blockers(a, findings, steps)
        refusals += blocked
        if not blocked:
            steps = (*steps, _activation(a, causes, steps))
    steps = _with_judge(steps)
    reason = "" if steps else _reason(a, findings, refusals)
    return Plan(steps=tuple(map(to_wire, steps)), refusals=refusals, reason=reason)


def _worth_repairing(
    a: Assessment, findings: tuple[Finding, ...], *, may_change: bool
) -> tuple[Finding, ...]:
    """Automatic repairs; mere warnings only where the server needs work anyway."""
    needs_work = any(f.severity == "error" and BY_ID[f.id].calls_for == "work" for f in findings)
    gentle = a.licensed_by_accepted or not needs_work or not may_change
    return tuple(
        finding
        for finding in findings
        if finding.repair == "automatic"
        and (finding.severity == "error" or (finding.severity == "warning" and not gentle))
    )


def _repairs(a: Assessment, wanted: Iterable[Finding]) -> tuple[StepDraft, ...]:
    """The steps for these findings, each once, in the safe order."""
    merged: list[StepDraft] = []
    for finding in wanted:
        steps_of = BY_ID[finding.id].repair_steps
        for params in steps_of(a) if steps_of else ():
            _merge(merged, StepDraft(params=params, because=(finding.id,)))
    return tuple(sorted(merged, key=lambda step: rank_of(step.params)))


def _alone(steps: tuple[StepDraft, ...]) -> tuple[tuple[StepDraft, ...], tuple[Refusal, ...]]:
    """A last resort is planned alone, and only when nothing else is left to repair."""
    last = [step for step in steps if kind_of(step.params).alone]
    others = tuple(step for step in steps if not kind_of(step.params).alone)
    if not last or not others:
        return tuple(last[:1]) or others, ()
    later = say("The other repairs come first; run volact again for this one.")
    return others, tuple(Refusal(finding=step.because[0], reason=later) for step in last)


def _merge(steps: list[StepDraft], step: StepDraft) -> None:
    """Add a step, or its cause to the same step that is there already."""
    for at, known in enumerate(steps):
        if known.params == step.params:
            because = tuple(dict.fromkeys((*known.because, *step.because)))
            steps[at] = StepDraft(params=step.params, because=because)
            return
    steps.append(step)


def _activation_causes(a: Assessment, wanted: tuple[Finding, ...]) -> tuple[str, ...]:
    """The findings that an activation is for; () when none is called for."""
    causes = [f.id for f in wanted if BY_ID[f.id].calls_for in ("activation", "work")]
    if (a.service.silent or a.licence.unread) and a.service.held_down:
        causes += [f.id for f in wanted if BY_ID[f.id].calls_for == "activation-if-silent"]
    return tuple(causes)


def _activation(a: Assessment, causes: tuple[str, ...], steps: tuple[StepDraft, ...]) -> StepDraft:
    """The activation after these steps; it is skipped when one that it needs has failed."""
    planned = {type(step.params) for step in steps}
    planned -= {SyncClock} if a.clock.accepted else set()
    needed = tuple(k.name for k in KINDS if k.activation_needs_it and k.params in planned)
    guard = Guard(unless_failed=needed) if needed else ALWAYS
    return StepDraft(params=Activate(), because=causes, guard=guard)


def _with_judge(steps: tuple[StepDraft, ...]) -> tuple[StepDraft, ...]:
    """Set a KMS host of uncertain reach only to test it by activation; restore if that fails."""
    unproven = [step for step in steps if getattr(step.params, "unproven", False)]
    if not any(isinstance(step.params, Activate) for step in steps):
        return tuple(step for step in steps if step not in unproven)
    return (*steps, *map(_put_back, unproven))


def _put_back(step: StepDraft) -> StepDraft:
    assert isinstance(step.params, SetKmsHost | ClearKmsHost)
    params = PutBackKmsHost(
        layer=step.params.layer, product=step.params.product, if_failed=(ACTIVATE.name,)
    )
    return StepDraft(params=params, because=step.because)


def _reason(
    a: Assessment,
    findings: tuple[Finding, ...],
    refusals: tuple[Refusal, ...],
) -> str:
    """Why there are no steps, as one sentence."""
    if a.licensed_by_accepted and not any(f.severity == "error" for f in findings):
        if a.ctx.knowledge.profile.own_hosts:
            return say("Nothing to do: licensed by the KMS host named with --kms-host.")
        return say("Nothing to do: licensed by the provider's KMS host.")
    if refusals:
        return refusals[0].reason
    manual = next((f for f in findings if f.severity == "error"), None)
    if manual:
        return say("volact may not repair this by itself: {why}", why=manual.summary)
    return say("Nothing to do.")
