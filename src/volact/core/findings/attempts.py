"""Licensed, and the host that is set has not renewed it: whose licence is that?

Windows keeps a licence for 180 days even if the next attempt fails, so a
licensed server that was pointed at another host is not licensed by that host
until an attempt there has worked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from volact.core.assessment import Assessment
from volact.core.assessment.clock import KMS_WINDOW_S
from volact.core.assessment.licence import FULL_TERM_MIN, ProductState
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
from volact.model.profile import HostPort
from volact.model.text import Text, raw, say, typed

# A licence this near to its full term was renewed just now.
_JUST_NOW = timedelta(minutes=15)
# The clock that stamped a success was right to four hours, else no KMS host had answered.
_SAME_TIME = timedelta(seconds=KMS_WINDOW_S)


def activation_failed(a: Assessment) -> Found | None:
    """Licensed, but the last attempt at the host that is set failed."""
    product = _in_doubt(a)
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
    rule=activation_failed,
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


def licensed_by_former_kms(a: Assessment) -> Found | None:
    """Licensed by another host's activation; the provider's is set since, and has not renewed."""
    former, present = value_of(a.kms.layers.last_success), a.kms.effective
    if former is None or present is None or not _renewed_last_by(a, former.host):
        return None
    cloud = whose(a, former.host)
    name = raw(str(former.host))
    return warning(
        say(
            "Windows was last activated by {host}, on {date}; {right}, which is configured now, "
            "has not activated it yet.",
            host=name if cloud is None else say("{host} of {cloud}", host=name, cloud=cloud),
            date=a.attempts.at[:10],
            right=present.host,
        ),
        {"host": str(former.host), "at": a.attempts.at, "configured": str(present.host)},
        remedy=say(
            "The next renewal goes to {right}. To prove it now, on the server: {command}",
            right=present.host,
            command=typed(a.console.activate()),
        ),
    )


LICENSED_BY_FORMER_KMS = reported(
    id="licensed-by-former-kms",
    rule=licensed_by_former_kms,
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


def _renewed_last_by(a: Assessment, host: HostPort) -> bool:
    """Whether the licence is known to be of this host's success, which is not the provider's."""
    if not a.licensed_by_accepted or a.kms.by_dns or a.kms.is_the_providers(host):
        return False
    at = _moment(a.attempts.at)
    if at is None or a.attempts.answer != 0 or any(r.do == "activate" for r in a.results):
        return False
    renewed = [_renewed(a, product) for product in a.licence.clients]
    return all(moment is not None and abs(moment - at) <= _SAME_TIME for moment in renewed)


def _in_doubt(a: Assessment) -> ProductState | None:
    """The licensed KMS client of which it is not proven that its host licensed it."""
    if a.licence.is_kms_host or not a.licence.all_licensed:
        return None
    products = [p for p in a.licence.clients if not p.by_directory]
    failed = _step_failed if _tried_now(a) else _event_failed
    return next((product for product in products if failed(a, product)), None)


def _tried_now(a: Assessment) -> bool:
    """Whether an activation that was just tried did not work."""
    tried = [result for result in a.results if result.do == "activate"]
    return bool(tried) and not tried[-1].ok


def _step_failed(a: Assessment, product: ProductState) -> bool:
    """It did, unless Windows was activated all the same, by itself, a moment ago."""
    renewed = _renewed(a, product)
    just_now = renewed is not None and a.ctx.now - renewed <= _JUST_NOW
    return not just_now or bool(a.attempts.answer)


def _event_failed(a: Assessment, product: ProductState) -> bool:
    """The newest attempt failed, at the very host that is set, and none has worked since."""
    if not a.attempts.answer or not _at_its_host(a, product):
        return False
    renewed, tried = _renewed(a, product), _moment(a.attempts.at)
    return renewed is None or tried is None or renewed < tried


def _at_its_host(a: Assessment, product: ProductState) -> bool:
    """A failure at another company's host belongs to ``licensed-by-other-kms``."""
    setting = value_of(product.kms)
    if setting is None:
        return False
    accepted = a.kms.is_the_providers(setting.host) or a.kms.by_dns
    asked = a.attempts.asked
    return accepted and asked is not None and a.kms.names.same(asked, setting.host)


def _renewed(a: Assessment, product: ProductState) -> datetime | None:
    """When the licence was last renewed: a renewal gives it its full term."""
    left = value_of(product.facts.grace_min)
    if not left or left > FULL_TERM_MIN:
        return None
    return a.ctx.now - timedelta(minutes=FULL_TERM_MIN - left)


def _moment(text: str) -> datetime | None:
    """An event's time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


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
