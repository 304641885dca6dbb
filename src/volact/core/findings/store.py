"""The licence store and the product policy: are they damaged?"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.codes import hex_code, named
from volact.core.consent import allow, repair_with
from volact.core.findings.kind import FindingKind, Found, Place, error, evidence_field, reported
from volact.core.steps.token_store import REBUILD_TOKEN_STORE, RebuildTokenStore
from volact.model.fact import Absent, Unreadable, value_of
from volact.model.facts import Product
from volact.model.text import say, typed

# Codes by which the licence store itself reports that it is damaged.
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
# A healthy server holds tens of thousands of bytes; this length is the
# documented sign of a damaged one, which also shows as 2 GB of usable memory.
DAMAGED_POLICY_BYTES = 1960


def _token_store_damaged(a: Assessment) -> Found | None:
    codes = [code for code in _current_codes(a) if code in STORE_CODES]
    if not codes:
        return None
    return error(
        say(
            "The licence store is damaged: {code}.",
            code=named(codes[0], a.ctx.knowledge.errors),
        ),
        {"code": hex_code(codes[0])},
        repair=repair_with(REBUILD_TOKEN_STORE.name, a.ctx) if _may_rebuild(a) else "manual",
        remedy=say(
            "On the server, in this order: restart the licensing service; {command}; rebuild "
            "tokens.dat as this finding's page describes. The rebuilt store has no keys: a MAK, a "
            "retail key or a KMS host key must be entered again, so have it ready.",
            command=typed(a.console.reinstall_licences()),
        ),
    )


TOKEN_STORE_DAMAGED = FindingKind(
    id="token-store-damaged",
    rule=_token_store_damaged,
    place=Place.STORE,
    severities=("error",),
    meaning=say("Windows reports that the licence store is damaged."),
    action=say(
        "Rebuilds it with --allow rebuild-token-store when nothing else is left to repair and "
        "every key is a KMS client key; you restart the server twice."
    ),
    blocks="nothing",
    calls_for="nothing",
    consent=allow(REBUILD_TOKEN_STORE.name),
    repair_steps=lambda a: (RebuildTokenStore(),),
    detail=evidence_field("code"),
)


def _may_rebuild(a: Assessment) -> bool:
    """There is a store to be renamed, no earlier one in its way, and no key that would be lost."""
    store = a.facts.store
    there = value_of(store.tokens) is not None and value_of(store.spare) is False
    return there and _keys_are_published(a)


def _keys_are_published(a: Assessment) -> bool:
    """Every key is known to be a KMS client key: a rebuilt store has none, and volact knows these.

    Add-ons have keys of their own, as those for extended updates.
    """
    keyed = [p for p in value_of(a.facts.products) or () if _may_have_key(p)]
    known = a.licence.products_known and a.system.published_key is not None
    return known and len(keyed) == len(a.licence.clients)


def _may_have_key(product: Product) -> bool:
    return not isinstance(product.partial_key, Absent) and value_of(product.partial_key) != ""


def _current_codes(a: Assessment) -> list[int]:
    """Codes about the present state: reasons, failed questions, the last attempt."""
    facts = a.facts
    asked = (facts.products, facts.licensing.version)
    codes = [fact.hresult for fact in asked if isinstance(fact, Unreadable)]
    codes += [p.reason for p in a.licence.products if not p.licensed]
    if any(not product.licensed for product in a.licence.subjects):
        codes.append(a.attempts.code)
    return [code for code in codes if code]


def _product_policy_damaged(a: Assessment) -> Found | None:
    """The registry's ProductPolicy has the length of a damaged one."""
    length = value_of(a.facts.policy_len)
    if length is None or not 0 < length <= DAMAGED_POLICY_BYTES:
        return None
    return error(
        say(
            "The product policy in the registry is {length} bytes long, the length of a "
            "damaged one; Windows may then use only 2 GB of memory.",
            length=length,
        ),
        {"bytes": length},
        remedy=say(
            "Once it is licensed, restart the server and check again; if the finding remains, "
            "on the server: {command}, then activate again and restart.",
            command=typed(a.console.reinstall_licences()),
        ),
    )


PRODUCT_POLICY_DAMAGED = reported(
    id="product-policy-damaged",
    rule=_product_policy_damaged,
    place=Place.STORE,
    severities=("error",),
    meaning=say(
        "The product policy in the registry is damaged; Windows may use only 2 GB of memory."
    ),
    action=say("Activates if needed, and reports what remains: a restart."),
    blocks="nothing",
    detail=None,
)
