"""Is Windows licensed, for how long, and does the renewal work?"""

from __future__ import annotations

from typing import Any

from volact.core import shell
from volact.core.codes import Attempt, hex_code, last_attempt, last_code, named
from volact.core.consent import repair_with
from volact.core.diagnose.case import Case, error, info, on_server, warning
from volact.core.licensing import (
    FULL_TERM_MIN,
    channel_of,
    is_kms_host,
    is_licensed,
    kms_clients,
    status_text,
    status_word,
    subjects,
    unlicensed,
    windows_products,
)
from volact.model.fact import ABSENT, Unreadable, value_of
from volact.model.facts import Product
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


def not_licensed(case: Case) -> Finding | None:
    """Windows has a key and is not licensed."""
    products = unlicensed(case.facts)
    if not products:
        return None
    attempt = last_attempt(case.facts, case.results)
    return error(
        "not-licensed",
        _not_licensed_summary(case, products[0], attempt.code if attempt else None),
        {
            "products": [_described(product) for product in products],
            **_tried(case, attempt),
        },
        repair=_activation(case, products),
        remedy=_not_licensed_remedy(case, attempt),
    )


def grace_ending(case: Case) -> Finding | None:
    """Licensed, but the licence ends within 30 days."""
    ending = [p for p in _term_products(case) if _left_min(p) <= ENDING_MIN]
    if not ending:
        return None
    left = min(_left_min(product) for product in ending)
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


def renewal_overdue(case: Case) -> Finding | None:
    """Licensed, but two renewals in a row did not happen."""
    late = [p for p in _term_products(case) if _since_min(p) > 2 * _interval_min(p)]
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


def rearm_exhausted(case: Case) -> Finding | None:
    """No rearm is left; that matters to images, not to activation."""
    if value_of(case.facts.licensing.rearm) != 0:
        return None
    return info(
        "rearm-exhausted",
        say("No rearm is left, so images made from this server cannot be given a new identity."),
        {"rearm": 0},
        remedy=say("Activation needs none. Make new images from a fresh installation."),
    )


def token_store_damaged(case: Case) -> Finding | None:
    """The licence store says of itself that it is damaged."""
    codes = [code for code in _current_codes(case) if code in STORE_CODES]
    if not codes:
        return None
    return error(
        "token-store-damaged",
        say(
            "The licence store is damaged: {code}.",
            code=named(codes[0], case.ctx.knowledge.errors),
        ),
        {"code": hex_code(codes[0])},
        repair=repair_with("rebuild-token-store", case.ctx) if _may_rebuild(case) else "manual",
        remedy=say(
            "On the server, gentlest first: restart the licensing service; {command}; "
            "rebuild tokens.dat as the page of this finding says.",
            command=f"{shell.SLMGR} -rilc",
        ),
    )


def _may_rebuild(case: Case) -> bool:
    """There is a store to be renamed, and no earlier one in its way."""
    store = case.facts.store
    return value_of(store.tokens) is not None and value_of(store.spare) is False


def _not_licensed_summary(case: Case, product: Product, code: int | None) -> Text:
    status = status_text(value_of(product.status) or 0)
    reason = code or value_of(product.reason)
    if not reason:
        return say("Windows is not licensed ({status}).", status=status)
    errors = case.ctx.knowledge.errors
    return say(
        "Windows is not licensed ({status}): {code}.", status=status, code=named(reason, errors)
    )


def _tried(case: Case, attempt: Attempt | None) -> dict[str, Any]:
    """The inner cause of the last activation: what, of which class, whom, when, found where."""
    if attempt is None:
        return {"code": None}
    known = case.ctx.knowledge.errors.get(attempt.code)
    told = {
        "symbol": known.symbol if known else "",
        "class": known.family if known else "",
        "asked": attempt.host,
        "at": attempt.at,
        "from": attempt.source,
    }
    return {"code": hex_code(attempt.code), **{key: text for key, text in told.items() if text}}


def _not_licensed_remedy(case: Case, attempt: Attempt | None) -> Text:
    """What the code itself calls for, where it says more than that no host was found."""
    known = case.ctx.knowledge.errors.get(attempt.code) if attempt else None
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


def _activation(case: Case, products: tuple[Product, ...]) -> Repair:
    """Only a KMS client is activated by volact, and never on a KMS host."""
    clients = any(channel_of(product) == "kms-client" for product in products)
    return "automatic" if clients and not is_kms_host(case.facts) else "manual"


def _described(product: Product) -> dict[str, Any]:
    status, reason = value_of(product.status), value_of(product.reason)
    return {
        "partial_key": value_of(product.partial_key),
        "channel": channel_of(product),
        "status": None if status is None else status_word(status),
        "reason": None if reason is None else hex_code(reason),
        "left_min": value_of(product.grace_min),
    }


def _term_products(case: Case) -> list[Product]:
    """Licensed KMS clients whose licence ends; 0 minutes left means it does not."""
    return [p for p in kms_clients(case.facts) if is_licensed(p) and _left_min(p) > 0]


def _left_min(product: Product) -> int:
    return value_of(product.grace_min) or 0


def _since_min(product: Product) -> int:
    return FULL_TERM_MIN - _left_min(product)


def _interval_min(product: Product) -> int:
    interval = value_of(product.other.get("VLRenewalInterval", ABSENT))
    return interval if isinstance(interval, int) and interval else DEFAULT_RENEWAL_MIN


def _current_codes(case: Case) -> list[int]:
    """Codes that speak of the present: reasons, failed questions, the last attempt."""
    facts = case.facts
    asked = (facts.products, facts.licensing.version)
    codes = [fact.hresult for fact in asked if isinstance(fact, Unreadable)]
    codes += [value_of(p.reason) for p in windows_products(facts) if not is_licensed(p)]
    if any(not is_licensed(product) for product in subjects(facts)):
        codes.append(last_code(facts, case.results))
    return [code for code in codes if code]
