"""Is Windows licensed, and if not, why did the last activation fail?"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from volact.core.assessment import Assessment
from volact.core.assessment.attempts import Attempt
from volact.core.assessment.licence import ProductState, status_text
from volact.core.codes import hex_code, named
from volact.core.findings.kind import FindingKind, Found, Place, error, evidence_field, remedy_of
from volact.core.findings.kms_host import HOST_REFUSALS, TOO_OLD, refusing_cloud
from volact.model.fact import value_of
from volact.model.finding import Finding, Repair
from volact.model.profile import ErrorInfo
from volact.model.text import Text, say, typed

# Classes of codes that are a state or name no cause.
_NO_CAUSE = frozenset({"state", "umbrella-kms", "name-only", "transient"})
# Classes of LicenseStatusReason that say why, with no attempt on record.
_OWN_CAUSES = frozenset({"genuine", "hardware"})


def _not_licensed(a: Assessment) -> Found | None:
    products = a.licence.unlicensed
    if not products:
        return None
    attempt = a.attempts.last
    return error(
        _not_licensed_summary(a, products[0], attempt.code if attempt else None),
        {
            "products": [_described(product) for product in products],
            **_tried(a, attempt),
            **_uncertain(a),
        },
        repair=_activation(a, products),
        remedy=_not_licensed_remedy(a, attempt),
    )


NOT_LICENSED = FindingKind(
    id="not-licensed",
    rule=_not_licensed,
    place=Place.LICENCE,
    severities=("error",),
    meaning=say("Windows has a key but no valid licence."),
    action=say("Repairs what prevents activation, then activates."),
    blocks="nothing",
    calls_for="work",
    consent="",
    repair_steps=None,
    detail=evidence_field("code"),
)


def _not_licensed_summary(a: Assessment, product: ProductState, code: int | None) -> Text:
    status = status_text(value_of(product.facts.status) or 0)
    reason = code or product.reason
    if not reason:
        return say("Windows is not licensed ({status}).", status=status)
    errors = a.ctx.knowledge.errors
    return say(
        "Windows is not licensed ({status}): {code}.", status=status, code=named(reason, errors)
    )


def _tried(a: Assessment, attempt: Attempt | None) -> dict[str, Any]:
    """The inner cause of the last activation: code, class, product and host, time, source."""
    if attempt is None:
        return {"code": None}
    known = a.ctx.knowledge.errors.get(attempt.code)
    told = {
        "symbol": known.symbol if known else "",
        "class": known.family if known else "",
        "asked": attempt.host,
        "at": attempt.at,
        "from": attempt.source,
    }
    return {"code": hex_code(attempt.code), **{key: text for key, text in told.items() if text}}


def _uncertain(a: Assessment) -> dict[str, Any]:
    """The KMS hosts of which a try showed too little, such as one cut short by the deadline."""
    hosts = {str(host): "unclear" for host in a.kms.targets if a.kms.reach_of(host) == "unclear"}
    return {"reach": hosts} if hosts and not a.kms.target_reached else {}


def _not_licensed_remedy(a: Assessment, attempt: Attempt | None) -> Text:
    """The remedy for the code itself, where it means more than that no host was found."""
    errors = a.ctx.knowledge.errors
    known = errors.get(attempt.code) if attempt else _reason(a)
    if known and known.code in TOO_OLD | HOST_REFUSALS and refusing_cloud(a):
        known = None  # it is for the host's administrator, which is the cloud
    if known and known.family == "dns" and _host_is_reached(a):
        known = None  # that was before: the host is set and found now
    if known is None or known.family in _NO_CAUSE or not known.remedy:
        return say(
            "Repair the other findings first, then on the server: {command}",
            command=typed(a.console.activate()),
        )
    return say(
        "{remedy} Repair the other findings too, then on the server: {command}",
        remedy=remedy_of(known, a),
        command=typed(a.console.activate()),
    )


def _host_is_reached(a: Assessment) -> bool:
    """Whether the KMS host in use is set, not discovered, and reached."""
    setting = a.kms.effective
    if setting is None or setting.layer in ("discovered", "event"):
        return False
    return a.kms.reach_of(setting.host) == "yes"


def alone(finding: Finding) -> Finding:
    """Not licensed, and there is no other error or warning to be repaired first."""
    assert isinstance(finding.remedy, Text)
    told = finding.remedy.args
    remedy = (
        say("{remedy} Then on the server: {command}", **told)
        if "remedy" in told
        else say("On the server: {commands}", commands=told["command"])
    )
    return replace(finding, remedy=remedy)


def _reason(a: Assessment) -> ErrorInfo | None:
    """LicenseStatusReason, where it is a cause of its own and not what follows from one."""
    known = a.ctx.knowledge.errors.get(a.licence.unlicensed[0].reason or 0)
    return known if known and known.family in _OWN_CAUSES else None


def _activation(a: Assessment, products: tuple[ProductState, ...]) -> Repair:
    """Only a KMS client is activated by volact, and never on a KMS host."""
    clients = any(product.is_client for product in products)
    return "automatic" if clients and not a.licence.is_kms_host else "manual"


def _described(product: ProductState) -> dict[str, Any]:
    reason = product.reason
    return {
        "partial_key": product.partial_key,
        "channel": product.channel,
        "status": product.status_word,
        "reason": None if reason is None else hex_code(reason),
        "left_min": value_of(product.facts.grace_min),
    }
