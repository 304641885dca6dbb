"""What volact will not do, and why: each safety rule as a named refusal."""

from __future__ import annotations

from collections.abc import Iterator

from volact.core.assessment import Assessment
from volact.core.assessment.kms import SILENT
from volact.core.assessment.kms_setting import KmsSetting
from volact.core.assessment.service import unread_hooks
from volact.core.findings import BY_ID
from volact.core.findings.clock import CLOCK_SKEW
from volact.core.findings.kept_licence import keeps_licence
from volact.core.findings.reach import KMS_UNREACHABLE, not_reached
from volact.core.findings.unknown import FACT_UNREADABLE
from volact.core.steps.clock import SyncClock
from volact.core.steps.kms_hosts import ClearKmsHost, SetKmsHost
from volact.core.steps.network import AddDns, AddRoute
from volact.core.steps.params import StepDraft, StepParams
from volact.model.fact import Absent, Fact, Known, Unreadable, is_known, is_unreadable
from volact.model.finding import Finding
from volact.model.step import Refusal
from volact.model.text import Text, say

# What lets an activation be tried; silence does where Windows has no licence to lose.
_MAY_BE_REACHED = ("yes", "unclear", "http")


def hands_off(a: Assessment, findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Refusals that leave the whole server alone.

    An overridden entitlement is no error any more and stops nothing; nor does what the
    operator agreed to have repaired.
    """
    if a.licence.undetermined:
        reason = say(
            "The type of its product keys could not be read; the server may be a KMS host."
        )
        return (Refusal(finding=FACT_UNREADABLE.id, reason=reason),)
    return tuple(
        Refusal(
            finding=f.id,
            reason=f.summary,
            allow_with=BY_ID[f.id].consent
            if f.repair == "needs-consent" and f.severity != "accepted"
            else "",
        )
        for f in findings
        if BY_ID[f.id].blocks == "everything" and f.repair != "automatic" and _stops(f, a)
    )


def licence_may_change(a: Assessment, findings: tuple[Finding, ...]) -> bool:
    """Whether keys and KMS hosts may be touched: release and edition are known and right."""
    if any(BY_ID[f.id].blocks == "licence" and _stops(f, a) for f in findings):
        return False
    return is_known(a.facts.os.build) and is_known(a.facts.os.sku)


def kms_hosts_may_be_set(findings: tuple[Finding, ...]) -> bool:
    """Whether a KMS host that is set would be contacted."""
    return not any(BY_ID[f.id].blocks == "kms" for f in findings)


def _stops(finding: Finding, a: Assessment) -> bool:
    """Whether this finding keeps from being done what its kind blocks.

    An error does, and a kind that blocks in any severity; so does an edition
    that no key fits where it is licensed all the same.  What is accepted
    goes on keeping it from being done: acceptance allows nothing.
    """
    kind = BY_ID[finding.id]
    licensed = kind.blocks == "licence" and a.licence.all_licensed
    return finding.own_severity == "error" or kind.blocks_always or licensed


def consent_refusals(findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Repairs that need the operator's consent, each option once."""
    refused: dict[str, Refusal] = {}
    for finding in findings:
        if finding.repair == "needs-consent" and finding.severity != "accepted":
            option = BY_ID[finding.id].consent
            refusal = Refusal(finding=finding.id, reason=finding.summary, allow_with=option)
            refused.setdefault(option or finding.id, refusal)
    return tuple(refused.values())


def waits_for_consent(findings: tuple[Finding, ...], steps: tuple[StepDraft, ...]) -> bool:
    """Whether an error that is repaired only with consent keeps activation from working."""
    repaired = {id for step in steps for id in step.because}
    return any(
        f.own_severity == "error"
        and f.repair == "needs-consent"
        and _blocks_activation(f)
        and f.id not in repaired
        for f in findings
    )


def _blocks_activation(finding: Finding) -> bool:
    return BY_ID[finding.id].blocks in ("activation", "kms", "licence")


def blockers(
    a: Assessment, findings: tuple[Finding, ...], steps: tuple[StepDraft, ...]
) -> tuple[Refusal, ...]:
    """Why Windows is not activated now: errors that stay, facts that are missing."""
    settled = {id for step in steps for id in step.because}
    if _host_reached(a, steps):
        settled.add(KMS_UNREACHABLE.id)  # no host said no: the activation is the judge
    if a.clock.accepted:
        settled.add(CLOCK_SKEW.id)  # the last half hour is an error: the host's clock is another
    if a.renewal.goes_on:
        settled |= {f.id for f in findings if keeps_licence(BY_ID[f.id], f)}
    stay = [f for f in findings if _stops(f, a) and _blocks_activation(f) and f.id not in settled]
    refused = [
        Refusal(
            finding=f.id,
            reason=say("Not activated, because it would fail: {why}", why=f.summary),
        )
        for f in stay
        if f.repair != "needs-consent"
    ]
    return tuple(refused or (*_not_reached(a, steps), *_unread(a, steps)))


def _not_reached(a: Assessment, steps: tuple[StepDraft, ...]) -> Iterator[Refusal]:
    """The host in use was tried in vain; one reason is enough."""
    why = next(_tried_in_vain(a), None)
    if why and not _host_reached(a, steps):
        reason = say("Not activated, because it would fail: {why}", why=why)
        yield Refusal(finding=KMS_UNREACHABLE.id, reason=reason)


def _tried_in_vain(a: Assessment) -> Iterator[Text]:
    """The hosts in use to which no connection was opened, each as a sentence."""
    hosts = (setting.value.host for setting in _settings(a) if isinstance(setting, Known))
    yield from (text for host in hosts if (text := not_reached(a, host)))


def _unread(a: Assessment, steps: tuple[StepDraft, ...]) -> Iterator[Refusal]:
    for name in _missing(a, steps):
        reason = say("Not activated: could not read {what}.", what=name)
        yield Refusal(finding=FACT_UNREADABLE.id, reason=reason)


def _missing(a: Assessment, steps: tuple[StepDraft, ...]) -> Iterator[Text]:
    """The facts without which activating would be a guess, where they are missing."""
    asked = {
        say("its build"): not is_known(a.facts.os.build),
        say("its edition"): not is_known(a.facts.os.sku),
        say("its clock"): a.clock.skew_s is None and not _plans(steps, SyncClock),
        say("whether a debugger is set for the licensing program"): is_unreadable(
            a.facts.binary.debugger
        )
        or bool(unread_hooks(a.facts.binary)),
        say("its group policy"): isinstance(a.kms.policy, Unreadable),
        say("which products it has"): a.licence.unread and not a.service.held_down,
        say("its activation type"): _type_unknown(a),
        say("which KMS host it uses"): not _host_known(a, steps),
        say("whether it reaches its KMS host"): not _host_reached(a, steps)
        and not any(_tried_in_vain(a)),
    }
    return (name for name, missing in asked.items() if missing)


def _type_unknown(a: Assessment) -> bool:
    """Whether it is unknown if a KMS client may use KMS; before 2012 every one may."""
    if a.system.before_2012:
        return False
    return any(is_unreadable(product.facts.vl_enabled) for product in a.licence.clients)


def _host_known(a: Assessment, steps: tuple[StepDraft, ...]) -> bool:
    """Whether it is certain which host activation will use."""
    if _plans(steps, SetKmsHost):
        return True
    return not any(isinstance(setting, Unreadable) for setting in _settings(a))


def _host_reached(a: Assessment, steps: tuple[StepDraft, ...]) -> bool:
    """Whether the server reaches, or may reach, the host that it will use after these steps.

    An inconclusive try prevents nothing: the activation itself decides.  Nor does a
    time-out, or a connection that the server itself does not let out, where Windows is known
    not to be licensed.
    Where the provider leaves the host to DNS and none is known yet, Windows asks.
    """
    by_dns = a.ctx.knowledge.profile.discovery == "dns"
    tried = (*_MAY_BE_REACHED, *SILENT) if a.licence.none_to_lose else _MAY_BE_REACHED
    if _plans(steps, AddDns, AddRoute, SetKmsHost, ClearKmsHost):
        return True  # planned only where an accepted host is reached, or will be
    return all(
        (isinstance(setting, Known) and a.kms.reach_of(setting.value.host) in tried)
        or (isinstance(setting, Absent) and by_dns)
        for setting in _settings(a)
    )


def _settings(a: Assessment) -> list[Fact[KmsSetting]]:
    """The host of every KMS client; the server's own where there is none yet."""
    return [product.kms for product in a.licence.clients] or [a.kms.layers.server]


def _plans(steps: tuple[StepDraft, ...], *kinds: type[StepParams]) -> bool:
    return any(isinstance(step.params, kinds) for step in steps)
