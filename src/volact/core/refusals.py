"""What volact will not do, and why: each rule of conduct as a named refusal."""

from __future__ import annotations

from collections.abc import Iterator

from volact.core.clock import skew_s
from volact.core.consent import option_for
from volact.core.context import Context
from volact.core.diagnose.case import Case
from volact.core.diagnose.kms import licensing_held_down
from volact.core.kms import Setting, configured, policy_setting, reach_of, serving
from volact.core.licensing import all_licensed, kms_clients, undetermined
from volact.core.release import is_2008, is_2008_r2
from volact.core.steps.clock import SyncClock
from volact.core.steps.kind import StepDraft, StepParams
from volact.core.steps.kms_hosts import ClearKmsHost, SetKmsHost
from volact.core.steps.network import AddDns, AddRoute
from volact.model.fact import Absent, Fact, Known, Unreadable, is_unreadable
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.step import Refusal
from volact.model.text import Text, say

# Nothing at all is done on a server with one of these.
_HANDS_OFF = {
    "image-not-entitled": "--override-entitlement REASON",
    "license-byol": "--override-entitlement REASON",
    "kms-host-role": "",
    "not-elevated": "",
    "wsh-disabled": "",
    "restart-needed": "",
}

# Errors with which activation would only fail, or go to the wrong host.
_BLOCKING = frozenset(
    {
        "release-unsupported",
        "release-without-gvlk",
        "azure-edition-elsewhere",
        "edition-evaluation",
        "rights-lost",
        "activation-type-forced",
        "firewall-blocks-kms",
        "service-disabled",
        "service-stopped",
        "licensing-binary-blocked",
        "clock-skew",
        "key-missing",
        "key-wrong-channel",
        "key-avma",
        "key-wrong-edition",
        "kms-host-set-by-policy",
        "kms-host-per-product-override",
        "kms-host-wrong",
        "kms-port-wrong",
        "kms-name-unresolved",
        "kms-unreachable",
    }
)

# Errors of the edition: keys and KMS hosts stay as they are.
_NO_KEY_FITS = frozenset(
    {
        "release-unsupported",
        "release-without-gvlk",
        "azure-edition-elsewhere",
        "edition-evaluation",
    }
)


def hands_off(facts: Facts, findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Refusals that leave the whole server alone.

    An overridden entitlement is no error any more and stops nothing.
    """
    if undetermined(facts):
        reason = say("Of which kind its keys are could not be read; it may be a KMS host.")
        return (Refusal(finding="fact-unreadable", reason=reason),)
    return tuple(
        Refusal(finding=f.id, reason=f.summary, allow_with=_HANDS_OFF[f.id])
        for f in findings
        if f.id in _HANDS_OFF and (f.severity == "error" or f.id == "kms-host-role")
    )


def licence_may_change(facts: Facts, findings: tuple[Finding, ...]) -> bool:
    """Whether keys and KMS hosts may be touched: release and edition are known and right."""
    if any(finding.id in _NO_KEY_FITS and _stops(finding, facts) for finding in findings):
        return False
    return not is_unreadable(facts.os.build) and not is_unreadable(facts.os.sku)


def _stops(finding: Finding, facts: Facts) -> bool:
    """An error does; so does an edition that no key fits where it is licensed all the same."""
    licensed = finding.id in _NO_KEY_FITS and all_licensed(facts)
    return finding.severity == "error" or licensed


def consent_refusals(findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Repairs that wait for the person's word, each option once."""
    refused: dict[str, Refusal] = {}
    for finding in findings:
        if finding.repair == "needs-consent":
            option = option_for(finding)
            refusal = Refusal(finding=finding.id, reason=finding.summary, allow_with=option)
            refused.setdefault(option or finding.id, refusal)
    return tuple(refused.values())


def waits_for_consent(findings: tuple[Finding, ...], steps: tuple[StepDraft, ...]) -> bool:
    """Whether an error that only a person's word would mend keeps activation from working."""
    mended = {id for step in steps for id in step.because}
    return any(
        f.severity == "error" and f.repair == "needs-consent" and f.id in _BLOCKING - mended
        for f in findings
    )


def blockers(
    facts: Facts, findings: tuple[Finding, ...], steps: tuple[StepDraft, ...], ctx: Context
) -> tuple[Refusal, ...]:
    """Why Windows is not activated now: errors that stay, facts that are missing."""
    mended = {id for step in steps for id in step.because}
    stay = [f for f in findings if _stops(f, facts) and f.id in _BLOCKING - mended]
    refused = [
        Refusal(
            finding=f.id,
            reason=say("Not activated, as it would only fail: {why}", why=f.summary),
        )
        for f in stay
        if f.repair != "needs-consent"
    ]
    if not refused:
        refused = [
            Refusal(
                finding="fact-unreadable",
                reason=say("Not activated: the server could not say {what}.", what=name),
            )
            for name in _missing(facts, steps, ctx)
        ]
    return tuple(refused)


def _missing(facts: Facts, steps: tuple[StepDraft, ...], ctx: Context) -> Iterator[Text]:
    """The facts without which activating would be a guess, where they are missing."""
    held_down = licensing_held_down(Case(facts, ctx))
    asked = {
        say("its build"): is_unreadable(facts.os.build),
        say("its edition"): is_unreadable(facts.os.sku),
        say("what its clock shows"): skew_s(facts) is None and not _plans(steps, SyncClock),
        say("whether the licensing program is debugged"): is_unreadable(facts.binary.debugger),
        say("what group policy sets"): isinstance(policy_setting(facts), Unreadable),
        say("which products it has"): is_unreadable(facts.products) and not held_down,
        say("how it may be activated"): _way_unknown(facts),
        say("which KMS host it uses"): not _host_known(facts, steps),
        say("whether it reaches its KMS host"): not _host_reached(facts, steps, ctx),
    }
    return (name for name, missing in asked.items() if missing)


def _way_unknown(facts: Facts) -> bool:
    """Whether a KMS client does not say if it may use KMS; before 2012 every one may."""
    if is_2008(facts.os) or is_2008_r2(facts.os):
        return False
    return any(is_unreadable(product.vl_enabled) for product in kms_clients(facts))


def _host_known(facts: Facts, steps: tuple[StepDraft, ...]) -> bool:
    """Whether it is certain which host activation will use."""
    if _plans(steps, SetKmsHost):
        return True
    return not any(isinstance(setting, Unreadable) for setting in _settings(facts))


def _host_reached(facts: Facts, steps: tuple[StepDraft, ...], ctx: Context) -> bool:
    """Whether the server reaches the host that it will use after these steps.

    Where the provider leaves the host to DNS and none is known yet, Windows asks.
    """
    by_dns = ctx.knowledge.profile.discovery == "dns"
    if _plans(steps, AddDns, AddRoute, SetKmsHost, ClearKmsHost):
        return True  # planned only where an accepted host is reached, or will be
    return all(
        (isinstance(setting, Known) and reach_of(facts, setting.value.host) == "yes")
        or (isinstance(setting, Absent) and by_dns)
        for setting in _settings(facts)
    )


def _settings(facts: Facts) -> list[Fact[Setting]]:
    """The host of every KMS client; the server's own where there is none yet."""
    products = kms_clients(facts)
    return [serving(facts, p) for p in products] if products else [configured(facts, None)]


def _plans(steps: tuple[StepDraft, ...], *kinds: type[StepParams]) -> bool:
    return any(isinstance(step.params, kinds) for step in steps)
