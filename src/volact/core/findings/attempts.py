"""Licensed, and the host that is set has not renewed it: whose licence is that?"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.codes import hex_code, named
from volact.core.findings.foreign import whose
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    on_server,
    reported,
    warning,
)
from volact.model.fact import value_of
from volact.model.text import Text, raw, say, typed


def _activation_failed(a: Assessment) -> Found | None:
    product = a.renewal.failed
    if product is None:
        return None
    attempt = a.attempts.last
    setting = value_of(product.kms)
    host = str(setting.host) if setting else a.attempts.host
    ends = product.ends(a.ctx.now)
    return error(
        _summary(a, host, attempt.code if attempt else None, ends),
        {
            "code": hex_code(attempt.code) if attempt else None,
            "host": host,
            "at": attempt.at if attempt else "",
            "from": attempt.source if attempt else "step",
            "left_min": value_of(product.facts.grace_min),
            "ends": ends or None,
        },
        repair="automatic",
        remedy=on_server(a.console.activate()),
    )


ACTIVATION_FAILED = FindingKind(
    id="activation-failed",
    rule=_activation_failed,
    place=Place.LICENCE,
    severities=("error",),
    meaning=say(
        "Windows is licensed, but the last activation against the configured KMS host failed."
    ),
    action=say("Activates again; the server is not healthy until that succeeds."),
    blocks="nothing",
    calls_for="activation",
    consent="",
    repair_steps=None,
    detail=evidence_field("code"),
)


def _licensed_by_former_kms(a: Assessment) -> Found | None:
    former, present = a.renewal.former, a.kms.effective
    if former is None or present is None:
        return None
    cloud = whose(a, former)
    name = raw(str(former))
    return warning(
        say(
            "Windows was last activated by {host}, on {date}; {right}, which is configured now, "
            "has not activated it yet.",
            host=name if cloud is None else say("{host} of {cloud}", host=name, cloud=cloud),
            date=a.attempts.at[:10],
            right=present.host,
        ),
        {"host": str(former), "at": a.attempts.at, "configured": str(present.host)},
        remedy=say(
            "The next renewal goes to {right}. To prove it now, on the server: {command}",
            right=present.host,
            command=typed(a.console.activate()),
        ),
    )


LICENSED_BY_FORMER_KMS = reported(
    id="licensed-by-former-kms",
    rule=_licensed_by_former_kms,
    place=Place.LICENCE,
    severities=("warning",),
    meaning=say(
        "Windows is licensed by the activation of another KMS host; the provider's was "
        "configured later and has not activated it yet."
    ),
    action=say("Reports it; the licence is valid, and the next renewal goes to the provider."),
    blocks="nothing",
    detail=evidence_field("host"),
)


def _summary(a: Assessment, host: str, code: int | None, ends: str) -> Text:
    until = say("the licence ends on {date}", date=ends[:10]) if ends else say("expiry unknown")
    where = host or say("its KMS host")
    if code is None:
        return say(
            "Windows is licensed, but the last activation against {host} failed; {until}.",
            host=where,
            until=until,
        )
    return say(
        "Windows is licensed, but the last activation against {host} failed with {code}; {until}.",
        host=where,
        code=named(code, a.ctx.knowledge.errors),
        until=until,
    )
