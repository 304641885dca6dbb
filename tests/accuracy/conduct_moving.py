"""Rules of conduct about licences from elsewhere: a company's own KMS host, a forger's."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import cache

from answer_facts import by_other_means, clients, licensed, value
from conduct_deed import Deed
from conduct_kms import accepted, host_in_force

from volact.knowledge.load import load_profile, profile_names
from volact.model.profile import Profile


def a_company_keeps_its_own_licence(deed: Deed) -> Iterator[str]:
    """Taken over only with a word, or where the provider's licence is known to cover it."""
    moved = deed.steps_of("set-kms-host", "clear-kms-host")
    if not moved or "move-kms" in deed.policy.consent or _covered(deed):
        return
    for product in clients(deed.raw):
        host = host_in_force(deed.raw, product)
        if not licensed(product) or (not host and by_other_means(product)):
            continue
        known = host and (accepted(host, deed.raw, deed.profile, any_port=True) or _known(host))
        if not known:
            yield f"a server that {host or 'an unknown host'} licenses is taken over without a word"


def licence_counts(profile: Profile) -> bool:
    """Whether the provider's licence has a say: not where all KMS hosts are the operator's own."""
    return not profile.own_hosts or any(_known(str(host)) for host in profile.all_kms_hosts())


def a_forged_licence_is_not_worked_around(deed: Deed) -> Iterator[str]:
    """Nothing is changed beside signs of an emulator, unless the operator wants the move."""
    if not deed.steps or "move-kms" in deed.policy.consent:
        return
    for product in clients(deed.raw):
        host = host_in_force(deed.raw, product)
        known = not host or accepted(host, deed.raw, deed.profile) or _known(host)
        if not known and _loops(host.rpartition(":")[0]):
            yield f"steps on a server whose KMS host is {host}"
        if licensed(product) and (product.get("GracePeriodRemaining") or 0) > _TWO_TERMS_MIN:
            yield "steps on a server whose licence lasts longer than any"


_TWO_TERMS_MIN = 360 * 24 * 60


def _loops(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return name == "localhost"
    return address.is_loopback or address.is_link_local


def _covered(deed: Deed) -> bool:
    rule, profile = deed.profile.entitlement, deed.profile
    if not licence_counts(profile):
        return False
    image_id = value(deed.raw, "metadata", profile.image_key) or "" if profile.image_key else ""
    image = deed.images.get(image_id) or profile.images.get(image_id)
    public = image is not None and image.type == "PUBLIC_IMAGE" and image.license != "BYOL"
    said = value(deed.raw, "metadata", rule.metadata) if rule.metadata else None
    covered = any(word in rule.entitled for word in (said or "").split())
    azure = rule.kind == "edition" and value(deed.raw, "os.sku") in (407, 408)
    return bool(deed.policy.override_entitlement) or public or covered or azure


def _known(host: str) -> bool:
    """Whether some cloud has this host, by its names or its documented addresses."""
    name = host.rpartition(":")[0]
    return any(profile.owns(name) or _inside(name, profile) for profile in _clouds())


def _inside(name: str, profile: Profile) -> bool:
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return any(address in ipaddress.ip_network(net) for net in profile.kms_ranges)


@cache
def _clouds() -> tuple[Profile, ...]:
    return tuple(map(load_profile, profile_names()))
