"""Several keys on one server: which of them decides, and which do not matter."""

from __future__ import annotations

from typing import Any

from volact.core.assessment import Assessment
from volact.core.assessment.channel import channel_of
from volact.core.assessment.licence import is_unlicensed, status_word
from volact.core.findings.kind import Found, Place, info, reported
from volact.model.fact import value_of
from volact.model.facts import Product
from volact.model.text import count, say


def _several_keys(a: Assessment) -> Found | None:
    products, deciding = a.licence.products, a.licence.subjects
    if len(products) < 2:
        return None
    tails = ", ".join(product.partial_key or "?" for product in deciding)
    return info(
        say(
            "Windows has {n} product keys; volact judges by {tails}.",
            n=len(products),
            tails=tails,
        ),
        {"products": [_described(p.facts) | {"decides": p in deciding} for p in products]},
        remedy=say("Nothing to do; one key is enough."),
    )


SEVERAL_KEYS = reported(
    id="several-keys",
    rule=_several_keys,
    place=Place.OTHER_KEYS,
    severities=("info",),
    meaning=say("Windows has several product keys."),
    action=say("Judges by the keys that matter, and names them."),
    blocks="nothing",
    detail=None,
)


def _addon_not_licensed(a: Assessment) -> Found | None:
    addons = [
        product
        for product in value_of(a.facts.products) or ()
        if value_of(product.addon) and value_of(product.partial_key) and is_unlicensed(product)
    ]
    if not addons:
        return None
    return info(
        count(
            len(addons),
            "An add-on product is not licensed; this does not affect Windows itself.",
            "{n} add-on products are not licensed; this does not affect Windows itself.",
        ),
        {"products": [_described(product) for product in addons]},
        remedy=say(
            "Activate Extended Security Updates with their own MAK at Microsoft, or enrol the "
            "server in Azure Arc; a KMS host cannot. Virtual machines in Azure need neither."
        ),
    )


ADDON_NOT_LICENSED = reported(
    id="addon-not-licensed",
    rule=_addon_not_licensed,
    place=Place.OTHER_KEYS,
    severities=("info",),
    meaning=say("An add-on, such as Extended Security Updates, is not licensed."),
    action=say("Reports it; it does not affect Windows itself."),
    blocks="nothing",
    detail=None,
)


def _described(product: Product) -> dict[str, Any]:
    status = value_of(product.status)
    return {
        "partial_key": value_of(product.partial_key),
        "name": value_of(product.name),
        "channel": channel_of(product),
        "status": None if status is None else status_word(status),
    }
