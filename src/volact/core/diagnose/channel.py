"""Keys of another channel than KMS: retail, MAK, the computer's maker, Hyper-V.

A key that licenses Windows is never touched; one that does not is replaced only
when the person says so.
"""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.case import Case, error, info
from volact.core.licensing import (
    Channel,
    channel_of,
    is_kms_host,
    is_licensed,
    kms_clients,
    undetermined,
    windows_products,
)
from volact.core.release import gvlk_for
from volact.model.fact import is_unreadable, value_of
from volact.model.facts import Product
from volact.model.finding import Finding, Repair
from volact.model.text import Text, raw, say

_WORDS: dict[Channel, Text] = {
    "mak": say("a MAK"),
    "retail": say("a retail key"),
    "oem": say("a key of the computer's maker"),
    "avma": say("a key for automatic virtual machine activation"),
}


def licensed_by_own_key(case: Case) -> Finding | None:
    """Windows is licensed by a key that needs no KMS host: left alone."""
    licensed = [product for product in _others(case) if is_licensed(product)]
    if not licensed:
        return None
    channel = channel_of(licensed[0])
    return info(
        "licensed-by-own-key",
        say(
            "Windows is licensed with {key}, which needs no KMS host; volact leaves it alone.",
            key=_WORDS[channel],
        ),
        {"channel": channel, "partial_key": value_of(licensed[0].partial_key)},
        remedy=say(
            "Nothing to do. To move it to KMS yourself, on the server: {command}",
            command=raw(shell.install_key(_key(case) or "GVLK")),
        ),
    )


def key_wrong_channel(case: Case) -> Finding | None:
    """The key is not one that a KMS host activates, and does not license Windows."""
    product = _unlicensed(case)
    if product is None or channel_of(product) == "avma":
        return None
    channel = channel_of(product)
    return error(
        "key-wrong-channel",
        say("Windows has {key}, which no KMS host activates.", key=_WORDS[channel]),
        {"channel": channel, "partial_key": value_of(product.partial_key), "licensed": False},
        repair=_repair(case),
        remedy=_remedy(case),
    )


def key_avma(case: Case) -> Finding | None:
    """A key that only an activated Hyper-V host of Datacenter edition can activate."""
    product = _unlicensed(case)
    if product is None or channel_of(product) != "avma":
        return None
    on_hyper_v = _on_hyper_v(case)
    where = (
        say("its Hyper-V host has not activated it")
        if on_hyper_v
        else say("this server does not run on Hyper-V")
    )
    return error(
        "key-avma",
        say(
            "Windows has a key for automatic virtual machine activation, and {where}.", where=where
        ),
        {"partial_key": value_of(product.partial_key), "hyper_v": on_hyper_v},
        repair=_repair(case),
        remedy=_hyper_v_remedy(case) if on_hyper_v else _remedy(case),
    )


def _others(case: Case) -> tuple[Product, ...]:
    """The products of other channels, where no KMS client and no KMS host is beside them."""
    products = windows_products(case.facts)
    if kms_clients(case.facts) or is_kms_host(case.facts) or undetermined(case.facts):
        return ()
    if any(is_unreadable(product.status) for product in products):
        return ()  # a key that may be in use is nobody's to judge
    # An evaluation has a finding of its own; an unknown kind accuses nobody.
    return tuple(product for product in products if channel_of(product) in _WORDS)


def _unlicensed(case: Case) -> Product | None:
    """The first of them, where none licenses Windows."""
    others = _others(case)
    if any(is_licensed(product) for product in windows_products(case.facts)):
        return None
    return others[0] if others and others[0] == windows_products(case.facts)[0] else None


def _on_hyper_v(case: Case) -> bool:
    """Whether the firmware is that of a Hyper-V guest; Azure's is the same."""
    os = case.facts.os
    maker, model = value_of(os.maker) or "", value_of(os.model) or ""
    return maker.startswith("Microsoft") and model.startswith("Virtual Machine")


def _key(case: Case) -> str:
    edition = gvlk_for(case.facts.os, case.ctx.knowledge.editions)
    return edition.gvlk if edition else ""


def _repair(case: Case) -> Repair:
    """A key that is replaced cannot be brought back without knowing it."""
    if not _key(case):
        return "manual"
    policy = case.ctx.policy
    agreed = policy.replace_key or "key-wrong-channel" in policy.consent
    return "automatic" if agreed else "needs-consent"


def _hyper_v_remedy(case: Case) -> Text:
    return say(
        "Activate the Hyper-V host, which must be a Datacenter edition, and let it exchange data "
        "with this server. {otherwise}",
        otherwise=_remedy(case),
    )


def _remedy(case: Case) -> Text:
    return say(
        "If a volume licence covers this server, let volact replace the key with "
        "{option}, or on the server: {command}",
        option=raw("--replace-key"),
        command=raw(shell.install_key(_key(case) or "GVLK")),
    )
