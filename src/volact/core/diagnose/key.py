"""Has Windows a key, of the right channel, for the right edition?"""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.case import Case, error, info, on_server, warning
from volact.core.licensing import (
    Channel,
    channel_of,
    has_key,
    is_kms_host,
    is_licensed,
    is_unlicensed,
    kms_clients,
    undetermined,
    windows_products,
)
from volact.core.release import (
    EVALUATION_SKUS,
    edition_by_partial,
    gvlk_for,
)
from volact.model.fact import is_unreadable, value_of
from volact.model.finding import Finding, Repair
from volact.model.text import Text, say

_CHANNEL_WORDS: dict[Channel, Text] = {
    "mak": say("a MAK"),
    "retail": say("a retail key"),
    "oem": say("a key of the computer's maker"),
    "avma": say("a key for automatic virtual machine activation"),
}
# From an evaluation edition to the one it can become.  From 2016 on, Standard
# Core can only become Datacenter Core.
_TARGETS = {
    79: ("ServerStandard", 7),
    80: ("ServerDatacenter", 8),
    159: ("ServerDatacenterCor", 12),
    160: ("ServerStandardCor", 13),
}
_TARGETS_2016 = _TARGETS | {160: ("ServerDatacenterCor", 12)}
_FIRST_BUILD_OF_2016 = 14393


def key_missing(case: Case) -> Finding | None:
    """Windows has no product key at all."""
    if has_key(case.facts) is not False or _is_evaluation(case):
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


def key_wrong_channel(case: Case) -> Finding | None:
    """The key is not one that a KMS host activates."""
    products = windows_products(case.facts)
    if not products or kms_clients(case.facts) or is_kms_host(case.facts):
        return None
    if undetermined(case.facts) or any(is_unreadable(p.status) for p in products):
        return None  # a key that may be in use is nobody's to judge
    channel = channel_of(products[0])
    if channel not in _CHANNEL_WORDS:
        return None  # an evaluation has a finding of its own; an unknown kind accuses nobody
    licensed = any(is_licensed(product) for product in products)
    edition = gvlk_for(case.facts.os, case.ctx.knowledge.editions)
    make = warning if licensed else error
    kind = _CHANNEL_WORDS[channel]
    return make(
        "key-wrong-channel",
        say("Windows is licensed with {key}, which no KMS host activates.", key=kind)
        if licensed
        else say("Windows has {key}, which no KMS host activates.", key=kind),
        {
            "channel": channel,
            "partial_key": value_of(products[0].partial_key),
            "licensed": licensed,
        },
        repair=_channel_repair(case, licensed=licensed, known=edition is not None),
        remedy=_channel_remedy(licensed=licensed, key=edition.gvlk if edition else "GVLK"),
    )


def key_wrong_edition(case: Case) -> Finding | None:
    """The client key is one of another edition or release."""
    clients = kms_clients(case.facts)
    edition = gvlk_for(case.facts.os, case.ctx.knowledge.editions)
    if edition is None or not clients or not all(is_unlicensed(p) for p in clients):
        return None
    partials = [value_of(product.partial_key) or "" for product in clients]
    if any(edition.gvlk.endswith(f"-{partial}") for partial in partials):
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
        repair="automatic",
        remedy=on_server(shell.install_key(edition.gvlk)),
    )


def edition_evaluation(case: Case) -> Finding | None:
    """An evaluation edition, which no KMS host activates."""
    if not _is_evaluation(case):
        return None
    sku = value_of(case.facts.os.sku)
    return error(
        "edition-evaluation",
        say("This is an evaluation edition; a KMS host activates it only after it was converted."),
        {"edition": value_of(case.facts.os.edition), "sku": sku},
        remedy=_conversion(case),
    )


def kms_host_role(case: Case) -> Finding | None:
    """This server is a KMS host: hands off."""
    if not is_kms_host(case.facts):
        return None
    return info(
        "kms-host-role",
        say("This server is itself a KMS host, so volact changes nothing on it."),
        {},
        remedy=say("Nothing to do."),
    )


def _is_evaluation(case: Case) -> bool:
    sku = value_of(case.facts.os.sku)
    if sku is not None and sku in EVALUATION_SKUS:
        return True
    if kms_clients(case.facts):
        return False  # converted: what is left of the trial decides nothing
    return any(channel_of(product) == "eval" for product in windows_products(case.facts))


def _channel_repair(case: Case, *, licensed: bool, known: bool) -> Repair:
    """A licensed key stays, whatever was consented to; the others need consent."""
    if licensed or not known:
        return "manual"
    policy = case.ctx.policy
    agreed = policy.replace_key or "key-wrong-channel" in policy.consent
    return "automatic" if agreed else "needs-consent"


def _channel_remedy(*, licensed: bool, key: str) -> Text:
    command = shell.install_key(key)
    if licensed:
        return say(
            "It is licensed, so volact leaves it alone. To move it to KMS yourself, "
            "on the server: {command}",
            command=command,
        )
    return say(
        "If a volume licence covers this server, let volact replace the key with "
        "{option}, or on the server: {command}",
        option="--replace-key",
        command=command,
    )


def _conversion(case: Case) -> Text:
    """The commands that turn the evaluation into a full edition."""
    build, sku = value_of(case.facts.os.build) or 0, value_of(case.facts.os.sku) or 0
    targets = _TARGETS_2016 if build >= _FIRST_BUILD_OF_2016 else _TARGETS
    name, full_sku = targets.get(sku, ("EDITION", 0))
    editions = case.ctx.knowledge.editions
    key = next((e.gvlk for e in editions if build in e.builds and full_sku in e.skus), "KEY")
    return say(
        "It restarts the server and cannot be undone, so do it yourself: "
        "{command}, then, if it lists the edition, {then} "
        "(Microsoft's page asks for a retail key here; the published client key is common "
        "practice). A domain controller cannot be converted.",
        command="DISM /Online /Get-TargetEditions",
        then=f"DISM /Online /Set-Edition:{name} /ProductKey:{key} /AcceptEula",
    )
