"""Which provider's cloud a server runs in, by the words of its firmware.

Never by its KMS host alone: two clouds use the same address, and a server that
was moved still has the old one.  Where the firmware fits several clouds of one
company, the host that is set decides between them, if only one of them has it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from volact.core.assessment.hosts import owners
from volact.core.assessment.kms_setting import kms_layers
from volact.core.assessment.licence import licence_of
from volact.model.fact import value_of
from volact.model.facts import Facts
from volact.model.profile import Profile


class Detection(msgspec.Struct, frozen=True):
    """The provider, or those between which the firmware leaves open which."""

    name: str | None
    candidates: tuple[str, ...] = ()


def detect(facts: Facts, profiles: Iterable[Profile]) -> Detection:
    """What the server's own facts show of its cloud."""
    os = facts.os
    said = " ".join((value_of(fact) or "").lower() for fact in (os.bios, os.maker, os.model))
    tag = (value_of(os.asset) or "").strip().lower()
    found = [
        p for p in profiles if any(word and word in said for word in p.bios) or tag in p.asset_tags
    ]
    if len(found) > 1:
        found = _by_host(facts, found) or found
    names = tuple(sorted(profile.name for profile in found))
    return Detection(names[0]) if len(names) == 1 else Detection(None, names)


def _by_host(facts: Facts, candidates: list[Profile]) -> list[Profile]:
    """The one of them whose KMS host is set; [] when that does not decide."""
    layers = kms_layers(facts)
    product = licence_of(facts, layers).main
    setting = value_of(product.kms if product else layers.server)
    found = owners(setting.host, candidates) if setting else ()
    return list(found) if len(found) == 1 else []
