"""Is Windows licensed, for how long, and does the renewal work?"""

from __future__ import annotations

from typing import Any

from volact.core import shell
from volact.core.assessment import Assessment
from volact.core.assessment.attempts import Attempt
from volact.core.assessment.licence import FULL_TERM_MIN, ProductState, status_text
from volact.core.codes import hex_code, named
from volact.core.consent import repair_with
from volact.core.diagnose.case import error, info, on_server, warning
from volact.model.fact import ABSENT, Unreadable, value_of
from volact.model.finding import Finding, Repair
from volact.model.text import Text, ready, say

ENDING_MIN = 30 * 24 * 60  # Windows itself begins to warn 30 days before the end
DEFAULT_RENEWAL_MIN = 10_080  # 7 days

# Classes of codes that are a state or name no cause.
_NO_CAUSE = frozenset({"state", "umbrella-kms", "name-only", "transient"})

# Codes by which the licence store itself says that it is damaged.
STORE_CODES = frozenset(
    {
        0xC004E002,
        0xC004E003,
        0xC004E015,
        0xC004F01F,
        0xC004F020,
        0xC004F022,
        0xC004F027,
        0xC004D301,
        *range(0x8004E101, 0x8004E10F),
    }
)


def not_licensed(a: Assessment) -> Finding | None:
    """Windows has a key and is not licensed."""
    products = a.licence.unlicensed
    if not products:
        return None
    attempt = a.attempts.last
    return error(
        "not-licensed",
        _not_licensed_summary(a, products[0], attempt.code if attempt else None),
        {
            "products": [_described(product) for product in products],
            **_tried(a, attempt),
        },
        repair=_activation(a, products),
        remedy=_not_licensed_remedy(a, attempt),
    )


def grace_ending(a: Assessment) -> Finding | None:
    """Licensed, but the licence ends within 30 days."""
    ending = [p for p in _term_products(a) if p.left_min <= ENDING_MIN]
    if not ending:
        return None
    left = min(product.left_min for product in ending)
    return error(
        "grace-ending",
        say(
            "The licence ends in {left} days, because it was not renewed for {since} days.",
            left=left // 1440,
            since=(FULL_TERM_MIN - left) // 1440,
        ),
        {"left_min": left},
        repair="automatic",
        remedy=on_server(shell.activate()),
    )


def renewal_overdue(a: Assessment) -> Finding | None:
    """Licensed, but two renewals in a row did not happen."""
    late = [p for p in _term_products(a) if _since_min(p) > 2 * _interval_min(p)]
    if not late:
        return None
    since = max(_since_min(product) for product in late)
    return warning(
        "renewal-overdue",
        say(
            "The last renewal was {since} days ago; it is due every {interval} days.",
            since=since // 1440,
            interval=_interval_min(late[0]) // 1440,
        ),
        {"since_min": since, "interval_min": _interval_min(late[0])},
        remedy=say(
            "On the server: {command}, and read the code it gives", command=shell.activate()
        ),
    )


def rearm_exhausted(a: Assessment) -> Finding | None:
    """No rearm is left; that matters to images, not to activation."""
    if value_of(a.facts.licensing.rearm) != 0:
        return None
    return info(
        "rearm-exhausted",
        say("No rearm is left, so images made from this server cannot be given a new identity."),
        {"rearm": 0},
        remedy=say("Activation needs none. Make new images from a fresh installation."),
    )


def token_store_damaged(a: Assessment) -> Finding | None:
    """The licence store says of itself that it is damaged."""
    codes = [code for code in _current_codes(a) if code in STORE_CODES]
    if not codes:
        return None
    return error(
        "token-store-damaged",
        say(
            "The licence store is damaged: {code}.",
            code=named(codes[0], a.ctx.knowledge.errors),
        ),
        {"code": hex_code(codes[0])},
        repair=repair_with("rebuild-token-store", a.ctx) if _may_rebuild(a) else "manual",
        remedy=say(
            "On the server, gentlest first: restart the licensing service; {command}; "
            "rebuild tokens.dat as the page of this finding says.",
            command=f"{shell.SLMGR} -rilc",
        ),
    )


def _may_rebuild(a: Assessment) -> bool:
    """There is a store to be renamed, and no earlier one in its way."""
    store = a.facts.store
    return value_of(store.tokens) is not None and value_of(store.spare) is False


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
    """The inner cause of the last activation: what, of which class, whom, when, found where."""
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


def _not_licensed_remedy(a: Assessment, attempt: Attempt | None) -> Text:
    """What the code itself calls for, where it says more than that no host was found."""
    known = a.ctx.knowledge.errors.get(attempt.code) if attempt else None
    if known is None or known.family in _NO_CAUSE or not known.remedy:
        return say(
            "Mend the other findings first, then on the server: {command}",
            command=shell.activate(),
        )
    return say(
        "{remedy} Mend the other findings too, then on the server: {command}",
        remedy=ready(known.remedy),
        command=shell.activate(),
    )


def _activation(a: Assessment, products: tuple[ProductState, ...]) -> Repair:
    """Only a KMS client is activated by volact, and never on a KMS host."""
    clients = any(product.channel == "kms-client" for product in products)
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


def _term_products(a: Assessment) -> list[ProductState]:
    """Licensed KMS clients whose licence ends; 0 minutes left means it does not."""
    return [p for p in a.licence.clients if p.licensed and p.left_min > 0]


def _since_min(product: ProductState) -> int:
    return FULL_TERM_MIN - product.left_min


def _interval_min(product: ProductState) -> int:
    interval = value_of(product.facts.other.get("VLRenewalInterval", ABSENT))
    return interval if isinstance(interval, int) and interval else DEFAULT_RENEWAL_MIN


def _current_codes(a: Assessment) -> list[int]:
    """Codes that speak of the present: reasons, failed questions, the last attempt."""
    facts = a.facts
    asked = (facts.products, facts.licensing.version)
    codes = [fact.hresult for fact in asked if isinstance(fact, Unreadable)]
    codes += [p.reason for p in a.licence.products if not p.licensed]
    if any(not product.licensed for product in a.licence.subjects):
        codes.append(a.attempts.code)
    return [code for code in codes if code]
