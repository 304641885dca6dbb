"""Has Windows a key, of the right channel, for the right edition?"""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.case import Case, error, info, on_server
from volact.core.diagnose.edition import is_evaluation
from volact.core.licensing import (
    channel_of,
    has_key,
    is_kms_host,
    is_licensed,
    is_unlicensed,
    kms_clients,
    windows_products,
)
from volact.core.release import edition_by_partial, gvlk_for
from volact.model.fact import value_of
from volact.model.facts import Product
from volact.model.finding import Finding
from volact.model.text import say


def key_missing(case: Case) -> Finding | None:
    """Windows has no product key at all."""
    if has_key(case.facts) is not False or is_evaluation(case):
        return None
    edition = gvlk_for(case.facts.os, case.ctx.knowledge.editions)
    if edition is None:
        remedy = say("Install the client key of this edition; no published one is known for it.")
    else:
        remedy = on_server(shell.install_key(edition.gvlk))
    return error(
        "key-missing",
        say("Windows has no product key, so there is nothing to activate."),
        {"edition": edition.title if edition else None},
        repair="automatic" if edition else "manual",
        remedy=remedy,
    )


def key_wrong_edition(case: Case) -> Finding | None:
    """The client key is one of another edition or release."""
    clients = kms_clients(case.facts)
    edition = gvlk_for(case.facts.os, case.ctx.knowledge.editions)
    if edition is None or not clients or not all(is_unlicensed(p) for p in clients):
        return None
    partials = [value_of(product.partial_key) or "" for product in clients]
    if any(edition.gvlk.endswith(f"-{partial}") for partial in partials) or _in_use(case):
        return None
    other = edition_by_partial(partials[0], case.ctx.knowledge.editions)
    this = f"{edition.release} {edition.title}"
    return error(
        "key-wrong-edition",
        say(
            "The client key ending in {partial} is one of {other}; this server is {this}.",
            partial=partials[0],
            other=f"{other.release} {other.title}",
            this=this,
        )
        if other
        else say(
            "The client key ending in {partial} is not a published one; this server is {this}.",
            partial=partials[0],
            this=this,
        ),
        {"partial_key": partials[0], "expected": edition.gvlk[-5:]},
        repair="automatic" if not _own_keys(case) or case.ctx.policy.replace_key else "manual",
        remedy=on_server(shell.install_key(edition.gvlk)),
    )


def _own_keys(case: Case) -> list[Product]:
    """Keys of other channels: their owner's, so none gives way without the person's word."""
    products = windows_products(case.facts)
    return [p for p in products if channel_of(p) not in ("kms-client", "eval")]


def _in_use(case: Case) -> bool:
    """Whether another key beside the client key licenses Windows."""
    return any(is_licensed(product) for product in windows_products(case.facts))


def kms_host_role(case: Case) -> Finding | None:
    """This server is a KMS host: hands off."""
    facts = case.facts
    if not is_kms_host(facts):
        return None
    keys = [product for product in windows_products(facts) if channel_of(product) == "kms-host"]
    return info(
        "kms-host-role",
        say("This server is itself a KMS host, so volact changes nothing on it."),
        {
            "host_key": value_of(keys[0].partial_key) if keys else None,
            "says_so": (value_of(facts.licensing.is_kms_host) or 0) > 0,
            "licensed": all(is_licensed(key) for key in keys) if keys else None,
        },
        remedy=say("Nothing to do."),
    )
