"""What volact will not do, and why: each rule of conduct as a named refusal."""

from __future__ import annotations

from collections.abc import Iterator

from volact.core.clock import skew_s
from volact.core.context import Context
from volact.core.diagnose.case import Case
from volact.core.diagnose.kms import licensing_held_down
from volact.core.kms import configured, policy_setting, reach_of
from volact.core.licensing import channel_of, is_licensed, kms_clients, windows_products
from volact.model.fact import Known, Unreadable, is_unreadable
from volact.model.facts import Facts
from volact.model.finding import Finding
from volact.model.step import Refusal, Step

# Nothing at all is done on a server with one of these.
_HANDS_OFF = {
    "image-not-entitled": "--override-entitlement REASON",
    "license-byol": "--override-entitlement REASON",
    "kms-host-role": "",
    "not-elevated": "",
    "wsh-disabled": "",
}
_CONSENT = {"key-wrong-channel": "--replace-key"}

# Errors with which activation would only fail, or go to the wrong host.
_BLOCKING = frozenset(
    {
        "release-unsupported",
        "edition-evaluation",
        "service-disabled",
        "service-stopped",
        "licensing-binary-blocked",
        "clock-skew",
        "key-missing",
        "key-wrong-channel",
        "key-wrong-edition",
        "kms-host-set-by-policy",
        "kms-host-per-product-override",
        "kms-host-wrong",
        "kms-port-wrong",
        "kms-name-unresolved",
        "kms-unreachable",
    }
)


def hands_off(findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Refusals that leave the whole server alone.

    An overridden entitlement is no error any more and stops nothing.
    """
    return tuple(
        Refusal(finding=f.id, reason=f.summary, allow_with=_HANDS_OFF[f.id])
        for f in findings
        if f.id in _HANDS_OFF and (f.severity == "error" or f.id == "kms-host-role")
    )


def consent_refusals(findings: tuple[Finding, ...]) -> tuple[Refusal, ...]:
    """Repairs that wait for the person's word."""
    return tuple(
        Refusal(finding=f.id, reason=f.summary, allow_with=_CONSENT.get(f.id, ""))
        for f in findings
        if f.repair == "needs-consent"
    )


def blockers(
    facts: Facts, findings: tuple[Finding, ...], steps: tuple[Step, ...], ctx: Context
) -> tuple[Refusal, ...]:
    """Why Windows is not activated now: errors that stay, facts that are missing."""
    mended = {id for step in steps for id in step.because}
    stay = [f for f in findings if f.severity == "error" and f.id in _BLOCKING - mended]
    refused = [
        Refusal(finding=f.id, reason=f"No activation, it would only fail. {f.summary}")
        for f in stay
        if f.repair != "needs-consent"
    ]
    if not refused:
        refused = [
            Refusal(
                finding="fact-unreadable",
                reason=f"No activation: the server could not say {name}.",
            )
            for name in _missing(facts, steps, ctx)
        ]
    return tuple(refused)


def _missing(facts: Facts, steps: tuple[Step, ...], ctx: Context) -> Iterator[str]:
    """The facts without which activating would be a guess, where they are missing."""
    held_down = licensing_held_down(Case(facts, ctx))
    asked = {
        "its build": is_unreadable(facts.os.build),
        "its edition": is_unreadable(facts.os.sku),
        "what its clock shows": skew_s(facts) is None and not _does(steps, "sync-clock"),
        "whether the licensing program is debugged": is_unreadable(facts.binary.debugger),
        "what group policy sets": isinstance(policy_setting(facts), Unreadable),
        "which products it has": is_unreadable(facts.products) and not held_down,
        "of which channel its keys are": not _channels_known(facts),
        "which KMS host it uses": not _host_known(facts, steps),
        "whether it reaches its KMS host": not _host_reached(facts, steps),
    }
    return (name for name, missing in asked.items() if missing)


def _channels_known(facts: Facts) -> bool:
    return all(
        channel_of(product) != "unknown" or is_licensed(product)
        for product in windows_products(facts)
        if is_unreadable(product.description) or is_unreadable(product.channel)
    )


def _host_known(facts: Facts, steps: tuple[Step, ...]) -> bool:
    """Whether it is certain which host activation will use."""
    if _does(steps, "set-kms-host"):
        return True
    products = kms_clients(facts) or (None,)
    return not any(isinstance(configured(facts, p), Unreadable) for p in products)


def _host_reached(facts: Facts, steps: tuple[Step, ...]) -> bool:
    """Whether the server reaches the host that it will use after these steps."""
    if _does(steps, "set-kms-host") or _does(steps, "clear-kms-host"):
        return True  # planned only where an accepted host is reached
    products = kms_clients(facts) or (None,)
    settings = [configured(facts, product) for product in products]
    return all(
        reach_of(facts, setting.value.host) == "yes"
        for setting in settings
        if isinstance(setting, Known)
    )


def _does(steps: tuple[Step, ...], kind: str) -> bool:
    return any(step.do == kind for step in steps)
