"""Has Windows a key, of the right channel, for the right edition?"""

from __future__ import annotations

from functools import partial

from volact.core.assessment import Assessment
from volact.core.assessment.licence import ProductState
from volact.core.assessment.system import edition_by_partial
from volact.core.findings.kind import FindingKind, Found, Place, error, info, on_server, reported
from volact.core.findings.shared_repairs import client_key, replace_key
from volact.model.fact import value_of
from volact.model.text import raw, say


def _key_missing(a: Assessment) -> Found | None:
    if a.licence.has_key is not False or a.licence.is_evaluation:
        return None
    edition = a.system.published_key
    if edition is None:
        remedy = say("Install the KMS client key of this edition; no published one is known.")
    else:
        remedy = on_server(a.console.install_key(edition.gvlk))
    return error(
        say("Windows has no product key, so there is nothing to activate."),
        {"edition": edition.title if edition else None},
        repair="automatic" if edition else "manual",
        remedy=remedy,
    )


KEY_MISSING = FindingKind(
    id="key-missing",
    rule=_key_missing,
    place=Place.KEY,
    severities=("error",),
    meaning=say("Windows has no product key."),
    action=say("Installs the published KMS client key (GVLK) for this build and edition."),
    blocks="activation",
    calls_for="work",
    consent="",
    repair_steps=partial(client_key, replace=False),
    detail=None,
)


def _key_wrong_edition(a: Assessment) -> Found | None:
    clients = a.licence.clients
    edition = a.system.published_key
    if edition is None or not clients or not all(p.licensed is False for p in clients):
        return None
    partials = [product.partial_key or "" for product in clients]
    if any(edition.gvlk.endswith(f"-{partial}") for partial in partials) or a.licence.in_use:
        return None
    other = edition_by_partial(partials[0], a.ctx.knowledge.editions)
    this = f"{edition.release} {edition.title}"
    return error(
        say(
            "The KMS client key ending in {partial} belongs to {other}; this server is {this}.",
            partial=partials[0],
            other=f"{other.release} {other.title}",
            this=this,
        )
        if other
        else say(
            "The KMS client key ending in {partial} is not a published one; this server is {this}.",
            partial=partials[0],
            this=this,
        ),
        {"partial_key": partials[0], "expected": edition.gvlk[-5:]},
        repair="automatic" if not _own_keys(a) or a.ctx.policy.replace_key else "manual",
        remedy=on_server(a.console.install_key(edition.gvlk)),
    )


KEY_WRONG_EDITION = FindingKind(
    id="key-wrong-edition",
    rule=_key_wrong_edition,
    place=Place.KEY,
    severities=("error",),
    meaning=say("The KMS client key belongs to another edition or release."),
    action=say("Installs the published KMS client key for this edition and release."),
    blocks="activation",
    calls_for="work",
    consent="",
    repair_steps=replace_key,
    detail=None,
)


def _own_keys(a: Assessment) -> list[ProductState]:
    """Keys of other channels: their owner's, so none is replaced without consent."""
    products = a.licence.products
    return [p for p in products if p.channel not in ("kms-client", "eval")]


def _kms_host_role(a: Assessment) -> Found | None:
    facts = a.facts
    if not a.licence.is_kms_host:
        return None
    keys = [product for product in a.licence.products if product.channel == "kms-host"]
    return info(
        say("This server is itself a KMS host, so volact does not change it."),
        {
            "host_key": keys[0].partial_key if keys else None,
            "says_so": (value_of(facts.licensing.is_kms_host) or 0) > 0,
            "licensed": all(key.licensed for key in keys) if keys else None,
        },
        remedy=say("If this is meant, accept it: {option}", option=raw("--ignore kms-host-role")),
    )


KMS_HOST_ROLE = reported(
    id="kms-host-role",
    rule=_kms_host_role,
    place=Place.KMS_HOST_ROLE,
    severities=("info",),
    meaning=say("This server is itself a KMS host."),
    action=say("Nothing: volact does not change KMS hosts."),
    blocks="everything",
    detail=None,
)
