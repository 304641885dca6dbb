"""Activation by Active Directory: the activation object, and the way to it."""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.codes import hex_code, named
from volact.core.findings.kind import Found, Place, error, evidence_field, reported, warning
from volact.model.fact import value_of
from volact.model.text import raw, say, typed

# The object is missing or cannot be used; no domain controller, no LDAP server answers.
_OBJECT = frozenset({0xC004F081, 0xC004F082, 0xC004F083})
_CODES = _OBJECT | {0x8007054B, 0x8007203A, 0x80072020}


def _directory_activation_failed(a: Assessment) -> Found | None:
    for product in a.licence.clients:
        told = (a.attempts.code, product.reason)
        code = next((code for code in told if code in _CODES), None)
        if code is None or (product.licensed and not product.by_directory):
            continue
        missing = code in _OBJECT
        make = warning if product.licensed else error
        return make(
            say(
                "Active Directory has no activation object that Windows can use: {code}.",
                code=named(code, a.ctx.knowledge.errors),
            )
            if missing
            else say(
                "Active Directory does not answer, so no activation object can be read: {code}.",
                code=named(code, a.ctx.knowledge.errors),
            ),
            {
                "code": hex_code(code),
                "domain": value_of(a.facts.os.domain),
                "type": value_of(product.facts.vl_enabled),
                "ends": product.ends(a.ctx.now) or None,
            },
            remedy=say(
                "Domain administrator: the object is made with a KMS host key that knows this "
                "release, in {container}. Otherwise use KMS, on the server: {command}",
                container=raw(
                    "CN=Activation Objects,CN=Microsoft SPP,CN=Services,CN=Configuration"
                ),
                command=typed(a.console.use_kms()),
            )
            if missing
            else say(
                "Check the way to a domain controller (DNS, TCP 389, the computer's account): "
                "{command}",
                command=typed("nltest /dsgetdc:"),
            ),
        )
    return None


DIRECTORY_ACTIVATION_FAILED = reported(
    id="directory-activation-failed",
    rule=_directory_activation_failed,
    place=Place.KMS_ANSWER,
    severities=("error", "warning"),
    meaning=say("Activation by Active Directory failed: no activation object, or no answer."),
    action=say("Reports it; how a domain licenses its members is the domain's own decision."),
    blocks="nothing",
    detail=evidence_field("code"),
)
