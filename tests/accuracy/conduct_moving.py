"""The rule of conduct about a licence that some company's own KMS host has given."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from functools import cache

from answer_facts import clients, licensed, value
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
        host = host_in_force(deed.raw, product) if licensed(product) else ""
        if host and not accepted(host, deed.raw, deed.profile, any_port=True) and not _known(host):
            yield f"a server that {host} licenses is taken over without a word"


def _covered(deed: Deed) -> bool:
    rule, profile = deed.profile.entitlement, deed.profile
    image_id = value(deed.raw, "metadata", profile.image_key) or "" if profile.image_key else ""
    image = deed.images.get(image_id) or profile.images.get(image_id)
    public = image is not None and image.type == "PUBLIC_IMAGE" and image.license != "BYOL"
    said = value(deed.raw, "metadata", rule.metadata) if rule.metadata else None
    azure = rule.kind == "edition" and value(deed.raw, "os.sku") in (407, 408)
    return bool(deed.policy.override_entitlement) or public or said in rule.entitled or azure


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
