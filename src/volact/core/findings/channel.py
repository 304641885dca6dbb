"""Keys of another channel than KMS: retail, MAK, the computer's maker, Hyper-V.

A key that licenses Windows is never touched; one that does not is replaced only
with the operator's consent.
"""

from __future__ import annotations

from volact.core.assessment import Assessment
from volact.core.assessment.channel import OWN_CHANNELS, KeyChannel
from volact.core.assessment.licence import ProductState
from volact.core.consent import REPLACE_KEY
from volact.core.findings.kind import (
    FindingKind,
    Found,
    Place,
    error,
    evidence_field,
    info,
    reported,
)
from volact.core.findings.shared_repairs import replace_key
from volact.model.fact import is_unreadable, value_of
from volact.model.finding import Repair
from volact.model.text import Text, raw, say, typed

OWN_KEYS: dict[KeyChannel, Text] = {
    "mak": say("a MAK"),
    "retail": say("a retail key"),
    "oem": say("an OEM key"),
    "avma": say("an AVMA key"),
}
_KINDS = (*OWN_CHANNELS, "unknown")


def _licensed_by_own_key(a: Assessment) -> Found | None:
    licensed = [product for product in _others(a) if product.licensed]
    if not licensed:
        return None
    channel = licensed[0].channel
    return info(
        say(
            "Windows is licensed with {key}, which needs no KMS host; volact leaves it unchanged.",
            key=OWN_KEYS[channel],
        )
        if channel in OWN_KEYS
        else say(
            "Windows is licensed with a key of a kind that volact does not know; volact leaves "
            "it unchanged."
        ),
        {"channel": channel, "partial_key": licensed[0].partial_key},
        remedy=say(
            "If this is meant, accept it: {option}. To switch to KMS yourself, on the server: "
            "{command}",
            option=raw("--ignore licensed-by-own-key"),
            command=_install_key(a),
        ),
    )


LICENSED_BY_OWN_KEY = reported(
    id="licensed-by-own-key",
    rule=_licensed_by_own_key,
    place=Place.OTHER_KEYS,
    severities=("info",),
    meaning=say("Windows is licensed by a MAK, retail, OEM or AVMA key, or one of another kind."),
    action=say("Leaves it unchanged."),
    blocks="nothing",
    detail=None,
)


def _key_wrong_channel(a: Assessment) -> Found | None:
    product = _unlicensed(a)
    if product is None or product.channel == "avma":
        return None
    channel = product.channel
    return error(
        say("Windows has {key}, which a KMS host cannot activate.", key=OWN_KEYS[channel]),
        {"channel": channel, "partial_key": product.partial_key, "licensed": False},
        repair=_repair(a),
        remedy=_remedy(a),
    )


KEY_WRONG_CHANNEL = FindingKind(
    id="key-wrong-channel",
    rule=_key_wrong_channel,
    place=Place.KEY,
    severities=("error",),
    meaning=say(
        "The key is a retail, MAK or OEM key that is not activated; a KMS host cannot activate it."
    ),
    action=say("Replaces it only with --replace-key."),
    blocks="activation",
    calls_for="work",
    consent=REPLACE_KEY,
    repair_steps=replace_key,
    detail=evidence_field("channel"),
)


def _key_avma(a: Assessment) -> Found | None:
    product = _unlicensed(a)
    if product is None or product.channel != "avma":
        return None
    on_hyper_v = _on_hyper_v(a)
    in_azure = a.ctx.knowledge.profile.is_azure  # whose Hyper-V hosts activate no guest
    if in_azure:
        where = say("{cloud} does not support it", cloud=raw(a.ctx.knowledge.profile.title))
    elif on_hyper_v:
        where = say("its Hyper-V host has not activated it")
    else:
        where = say("this server does not run on Hyper-V")
    return error(
        say(
            "Windows has a key for Automatic Virtual Machine Activation (AVMA), and {where}.",
            where=where,
        ),
        {"partial_key": product.partial_key, "hyper_v": on_hyper_v},
        repair=_repair(a),
        remedy=_hyper_v_remedy(a) if on_hyper_v and not in_azure else _remedy(a),
    )


KEY_AVMA = FindingKind(
    id="key-avma",
    rule=_key_avma,
    place=Place.KEY,
    severities=("error",),
    meaning=say("The key is for Automatic Virtual Machine Activation (AVMA) and is not activated."),
    action=say("Replaces it only with --replace-key."),
    blocks="activation",
    calls_for="work",
    consent=REPLACE_KEY,
    repair_steps=replace_key,
    detail=None,
)


def _others(a: Assessment) -> tuple[ProductState, ...]:
    """The products of other channels, where no KMS client and no KMS host is beside them."""
    products = a.licence.products
    if a.licence.clients or a.licence.is_kms_host or a.licence.undetermined:
        return ()
    if any(is_unreadable(product.facts.status) for product in products):
        return ()  # a key that may be in use is not judged
    # An evaluation has a finding of its own.
    return tuple(product for product in products if product.channel in _KINDS)


def _unlicensed(a: Assessment) -> ProductState | None:
    """The first of them, where none licenses Windows."""
    others = _others(a)
    if a.licence.in_use or not others or others[0].channel not in OWN_KEYS:
        return None  # an unknown kind is no fault
    return others[0] if others[0] is a.licence.products[0] else None


def _on_hyper_v(a: Assessment) -> bool:
    """Whether the firmware is that of a Hyper-V guest; Azure's is the same."""
    os = a.facts.os
    maker, model = value_of(os.maker) or "", value_of(os.model) or ""
    return maker.startswith("Microsoft") and model.startswith("Virtual Machine")


def _key(a: Assessment) -> str:
    edition = a.system.published_key
    return edition.gvlk if edition else ""


def _install_key(a: Assessment) -> Text:
    """The command; no command where the key is not known."""
    key = _key(a)
    return typed(a.console.install_key(key)) if key else raw(a.console.install_key("GVLK"))


def _repair(a: Assessment) -> Repair:
    """A key that is replaced cannot be brought back without knowing it."""
    if not _key(a):
        return "manual"
    policy = a.ctx.policy
    agreed = policy.replace_key or "key-wrong-channel" in policy.consent
    return "automatic" if agreed else "needs-consent"


def _hyper_v_remedy(a: Assessment) -> Text:
    if a.ctx.knowledge.profile.is_cloud:  # none of the others has Hyper-V hosts
        return say(
            "{replace} AVMA works only where the Hyper-V host is your own, as on a rented physical "
            "server: then activate that host, which must be a Datacenter edition, and enable data "
            "exchange with this server.",
            replace=_remedy(a),
        )
    return say(
        "Activate the Hyper-V host, which must be a Datacenter edition, and enable data "
        "exchange with this server. {otherwise}",
        otherwise=_remedy(a),
    )


def _remedy(a: Assessment) -> Text:
    return say(
        "If a volume licence covers this server, allow volact to replace the key with "
        "{option}, or on the server: {command}",
        option=raw("--replace-key"),
        command=_install_key(a),
    )
