"""Rights whose loss keeps licensing from working: which of them are certainly gone.

Only those whose loss is documented, and each is missed only where the DACL that
was read certainly does not give it.  The default rights of the licence store of
2012 and later are in no source, so that store is never judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from volact.core.assessment.system import SystemState
from volact.core.sddl import grants, network_service_token
from volact.model.fact import Known, value_of
from volact.model.facts import Facts

RightName = Literal["profile-list", "profile-key", "hive", "enum-root", "plugplay", "dcom", "store"]

_PROFILES = ("S-1-5-18", "S-1-5-19", "S-1-5-20")
_SYSTEM = frozenset({"S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-11"})

# Rights of keys, of services (CCLCSWLOCRRC) and of files.
_KEY_READ = 0x20019
_KEY_ALL = 0xF003F
_ENUMERATE = 0x8
_QUERY_SERVICE = 0x2018D
_STORE_WRITE = 0x10003  # read data, write data, delete

# SELF and Everyone as they stand in a binary security descriptor.
_SELF, _EVERYONE = "01010000000000050a000000", "010100000000000100000000"


class LostRight(msgspec.Struct, frozen=True):
    """A right that is gone, and what was read where it should be."""

    name: RightName
    read: str


def lost_rights(facts: Facts, system: SystemState) -> tuple[LostRight, ...]:
    """The rights that are certainly gone; what was not read is never among them."""
    return tuple(_lost(facts, system))


def _lost(facts: Facts, system: SystemState) -> Iterator[LostRight]:
    there = value_of(facts.rights.profiles)
    missing = [sid for sid in _PROFILES if sid not in there] if there is not None else []
    if missing:
        yield LostRight("profile-list", " ".join(missing))
    yield from _by_dacl(facts, system)
    dcom = facts.rights.dcom
    # Without a value Windows takes its own default, which is right.
    if isinstance(dcom, Known) and dcom.value.startswith("0100"):
        entries = dcom.value.lower()
        if _SELF not in entries and _EVERYONE not in entries:
            yield LostRight("dcom", dcom.value[:120])
    # Of the licence store only the rights on 2008 and 2008 R2 are documented.
    store = facts.store.sddl
    path = value_of(facts.store.path)
    if system.before_2012 and path and isinstance(store, Known):
        token = network_service_token(system.licensing_service)
        if grants(store.value, token, _STORE_WRITE) is False:
            yield LostRight("store", store.value)


def _by_dacl(facts: Facts, system: SystemState) -> Iterator[LostRight]:
    """Registry keys and a service: what must be allowed to whom."""
    rights = facts.rights
    service = network_service_token(system.licensing_service)
    rules: tuple[tuple[RightName, object, frozenset[str], int], ...] = (
        ("profile-key", rights.profile_key, service, _KEY_READ),
        ("hive", rights.hive, service, _KEY_ALL),
        ("enum-root", rights.enum_root, _SYSTEM, _ENUMERATE),
        ("plugplay", rights.plugplay, service, _QUERY_SERVICE),
    )
    for name, fact, token, wanted in rules:
        if isinstance(fact, Known) and grants(fact.value, token, wanted) is False:
            yield LostRight(name, fact.value)
