"""Has Windows a key, of the right channel, for the right edition?"""

from __future__ import annotations

from volact.core import shell
from volact.core.diagnose.case import Case, error, info, warning
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

_CHANNEL_WORDS: dict[Channel, str] = {
    "mak": "a MAK",
    "retail": "a retail key",
    "oem": "a key of the computer's maker",
    "avma": "a key for automatic virtual machine activation",
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
        remedy = "Install the client key of this edition; no published one is known for it."
    else:
        remedy = f"On the server: {shell.install_key(edition.gvlk)}"
    return error(
        "key-missing",
        "Windows has no product key, so there is nothing to activate.",
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
    how = "is licensed with" if licensed else "has"
    return make(
        "key-wrong-channel",
        f"Windows {how} {_CHANNEL_WORDS[channel]}, which no KMS host activates.",
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
    whose = f"of {other.release} {other.title}" if other else "that is not published"
    return error(
        "key-wrong-edition",
        f"The client key ending in {partials[0]} is one {whose}; "
        f"this server is {edition.release} {edition.title}.",
        {"partial_key": partials[0], "expected": edition.gvlk[-5:]},
        repair="automatic",
        remedy=f"On the server: {shell.install_key(edition.gvlk)}",
    )


def edition_evaluation(case: Case) -> Finding | None:
    """An evaluation edition, which no KMS host activates."""
    if not _is_evaluation(case):
        return None
    sku = value_of(case.facts.os.sku)
    return error(
        "edition-evaluation",
        "This is an evaluation edition; a KMS host activates it only after it was converted.",
        {"edition": value_of(case.facts.os.edition), "sku": sku},
        remedy=_conversion(case),
    )


def kms_host_role(case: Case) -> Finding | None:
    """This server is a KMS host: hands off."""
    if not is_kms_host(case.facts):
        return None
    return info(
        "kms-host-role",
        "This server is itself a KMS host, so volact changes nothing on it.",
        {},
        remedy="Nothing to do.",
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


def _channel_remedy(*, licensed: bool, key: str) -> str:
    command = shell.install_key(key)
    if licensed:
        return (
            "It is licensed, so volact leaves it alone. To move it to KMS yourself, "
            f"on the server: {command}"
        )
    return (
        "If a volume licence covers this server, let volact replace the key with "
        f"--replace-key, or on the server: {command}"
    )


def _conversion(case: Case) -> str:
    """The commands that turn the evaluation into a full edition."""
    build, sku = value_of(case.facts.os.build) or 0, value_of(case.facts.os.sku) or 0
    targets = _TARGETS_2016 if build >= _FIRST_BUILD_OF_2016 else _TARGETS
    name, full_sku = targets.get(sku, ("EDITION", 0))
    editions = case.ctx.knowledge.editions
    key = next((e.gvlk for e in editions if build in e.builds and full_sku in e.skus), "KEY")
    return (
        "It restarts the server and cannot be undone, so do it yourself: "
        "DISM /Online /Get-TargetEditions, then, if it lists the edition, "
        f"DISM /Online /Set-Edition:{name} /ProductKey:{key} /AcceptEula "
        "(Microsoft's page asks for a retail key here; the published client key is common "
        "practice). A domain controller cannot be converted."
    )
