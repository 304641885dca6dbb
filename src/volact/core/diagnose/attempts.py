"""Licensed, and the last attempt to renew failed: whose licence is that?

Windows keeps a licence for 180 days whatever happens to the next attempt, so a
licensed server that was pointed at another host is not licensed by that host
until an attempt there has worked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from volact.core import shell
from volact.core.codes import hex_code, kms_answer, last_attempt, named, tried_at, tried_host
from volact.core.diagnose.case import Case, error, on_server
from volact.core.kms import accepted_hosts, is_accepted_name, is_pinned, same_host, serving
from volact.core.licensing import (
    FULL_TERM_MIN,
    all_licensed,
    by_directory,
    ends_at,
    is_kms_host,
    kms_clients,
)
from volact.model.fact import value_of
from volact.model.facts import Product
from volact.model.finding import Finding
from volact.model.profile import HostPort
from volact.model.text import Text, say

# A licence this near to its full term was renewed just now.
_JUST_NOW = timedelta(minutes=15)


def activation_failed(case: Case) -> Finding | None:
    """Licensed, but the last attempt at the host that is set failed."""
    product = _in_doubt(case)
    if product is None:
        return None
    attempt = last_attempt(case.facts, case.results)
    setting = value_of(serving(case.facts, product))
    host = str(setting.host) if setting else tried_host(case.facts)
    ends = ends_at(product, case.ctx.now)
    return error(
        "activation-failed",
        _summary(case, host, attempt.code if attempt else None, ends),
        {
            "code": hex_code(attempt.code) if attempt else None,
            "host": host,
            "at": attempt.at if attempt else "",
            "from": attempt.source if attempt else "step",
            "left_min": value_of(product.grace_min),
            "ends": ends or None,
        },
        repair="automatic",
        remedy=on_server(shell.activate()),
    )


def _in_doubt(case: Case) -> Product | None:
    """The licensed KMS client of which it is not proven that its host licensed it."""
    if is_kms_host(case.facts) or not all_licensed(case.facts):
        return None
    products = [p for p in kms_clients(case.facts) if not by_directory(p)]
    failed = _step_failed if _tried_now(case) else _event_failed
    return next((product for product in products if failed(case, product)), None)


def _tried_now(case: Case) -> bool:
    """Whether an activation that was just tried did not work."""
    tried = [result for result in case.results if result.do == "activate"]
    return bool(tried) and not tried[-1].ok


def _step_failed(case: Case, product: Product) -> bool:
    """It did, unless Windows was activated all the same, by itself, a moment ago."""
    renewed = _renewed(case, product)
    just_now = renewed is not None and case.ctx.now - renewed <= _JUST_NOW
    return not just_now or bool(kms_answer(case.facts))


def _event_failed(case: Case, product: Product) -> bool:
    """The newest attempt failed, at the very host that is set, and none has worked since."""
    if not kms_answer(case.facts) or not _at_its_host(case, product):
        return False
    renewed, tried = _renewed(case, product), _moment(tried_at(case.facts))
    return renewed is None or tried is None or renewed < tried


def _at_its_host(case: Case, product: Product) -> bool:
    """A failure at another company's host is ``licensed-by-other-kms``'s affair."""
    setting = value_of(serving(case.facts, product))
    if setting is None:
        return False
    host, ctx = setting.host, case.ctx
    chosen_by_dns = not accepted_hosts(case.facts, ctx) and ctx.knowledge.profile.discovery == "dns"
    accepted = is_accepted_name(host, case.facts, ctx) or is_pinned(host, ctx) or chosen_by_dns
    try:
        return accepted and same_host(HostPort.parse(tried_host(case.facts)), host)
    except ValueError:
        return False


def _renewed(case: Case, product: Product) -> datetime | None:
    """When the licence was last renewed: a renewal gives it its full term."""
    left = value_of(product.grace_min)
    if not left or left > FULL_TERM_MIN:
        return None
    return case.ctx.now - timedelta(minutes=FULL_TERM_MIN - left)


def _moment(text: str) -> datetime | None:
    """An event's time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _summary(case: Case, host: str, code: int | None, ends: str) -> Text:
    until = say("it ends on {date}", date=ends[:10]) if ends else say("when it ends is not known")
    where = host or say("its KMS host")
    if code is None:
        return say(
            "Windows is licensed, but the last attempt at {host} did not work; {until}.",
            host=where,
            until=until,
        )
    return say(
        "Windows is licensed, but the last attempt at {host} failed with {code}; {until}.",
        host=where,
        code=named(code, case.ctx.knowledge.errors),
        until=until,
    )
