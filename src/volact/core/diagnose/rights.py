"""Rights whose loss keeps licensing from working.

Only those whose loss is documented, and each is missed only where the DACL that
was read certainly does not give it.  The default rights of the licence store of
2012 and later are in no source, so that store is never judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from volact.core.assessment import Assessment
from volact.core.diagnose.case import error, warning
from volact.core.sddl import grants, network_service_token
from volact.model.fact import Known, value_of
from volact.model.finding import Finding
from volact.model.text import Text, raw, say

_PROFILES = ("S-1-5-18", "S-1-5-19", "S-1-5-20")
_PROFILE_LIST = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_ENUM_ROOT = r"HKLM\SYSTEM\CurrentControlSet\Enum\Root"
_SYSTEM = frozenset({"S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-11"})

# Rights of keys, of services (CCLCSWLOCRRC) and of files.
_KEY_READ = 0x20019
_KEY_ALL = 0xF003F
_ENUMERATE = 0x8
_QUERY_SERVICE = 0x2018D
_STORE_WRITE = 0x10003  # read data, write data, delete

PLUGPLAY_ENTRY = "(A;;CCLCSWLOCRRC;;;SU)"
# SELF and Everyone as they stand in a binary security descriptor.
_SELF, _EVERYONE = "01010000000000050a000000", "010100000000000100000000"

Lost = tuple[str, str, Text]  # which right, what was read, what to do about it


def rights_lost(a: Assessment) -> Finding | None:
    """A right that licensing needs is gone."""
    lost = list(_lost(a))
    if not lost:
        return None
    hurts = a.service.silent or a.licence.unlicensed
    make = error if hurts else warning
    evidence: dict[str, Any] = {"lost": [name for name, _, _ in lost]}
    evidence |= {name: read for name, read, _ in lost}
    return make(
        "rights-lost",
        say("Licensing lacks rights that it needs: {names}.", names=_names(lost)),
        evidence,
        remedy=_remedies(lost),
    )


def _lost(a: Assessment) -> Iterator[Lost]:
    yield from _profiles(a)
    yield from _keys(a)
    yield from _plugplay(a)
    yield from _dcom(a)
    yield from _store(a)


def _profiles(a: Assessment) -> Iterator[Lost]:
    there = value_of(a.facts.rights.profiles)
    missing = [sid for sid in _PROFILES if sid not in there] if there is not None else []
    if missing:
        keys = ", ".join(f"{_PROFILE_LIST}\\{sid}" for sid in missing)
        how = say(
            "take {keys} from a healthy server of the same release (reg export, reg import)",
            keys=raw(keys),
        )
        yield "profile-list", " ".join(missing), how


def _keys(a: Assessment) -> Iterator[Lost]:
    """Registry keys: what must be allowed to whom."""
    service = network_service_token(a.system.licensing_service)
    rules = (
        (
            "profile-key",
            a.facts.rights.profile_key,
            f"{_PROFILE_LIST}\\S-1-5-20",
            service,
            _KEY_READ,
        ),
        ("hive", a.facts.rights.hive, r"HKEY_USERS\S-1-5-20", service, _KEY_ALL),
        ("enum-root", a.facts.rights.enum_root, _ENUM_ROOT, _SYSTEM, _ENUMERATE),
    )
    for name, fact, key, token, wanted in rules:
        if isinstance(fact, Known) and grants(fact.value, token, wanted) is False:
            yield name, fact.value, _give_key(key, token is _SYSTEM)


def _give_key(key: str, to_system: bool) -> Text:
    if to_system:
        return say("in regedit give SYSTEM the right Enumerate Subkeys on {key}", key=raw(key))
    return say("in regedit give NETWORK SERVICE full control of {key}", key=raw(key))


def _plugplay(a: Assessment) -> Iterator[Lost]:
    fact, token = a.facts.rights.plugplay, network_service_token(a.system.licensing_service)
    if not isinstance(fact, Known) or grants(fact.value, token, _QUERY_SERVICE) is not False:
        return
    head, mark, tail = fact.value.partition("S:")
    whole = f"{head}{PLUGPLAY_ENTRY}{mark}{tail}"
    how = say(
        "on the server: {command} (a group policy that sets this service must have the entry too)",
        command=raw(f'sc sdset PlugPlay "{whole}"'),
    )
    yield "plugplay", fact.value, how


def _dcom(a: Assessment) -> Iterator[Lost]:
    """Without a value Windows takes its own default, which is right."""
    fact = a.facts.rights.dcom
    if not isinstance(fact, Known) or not fact.value.startswith("0100"):
        return
    if _SELF not in fact.value.lower() and _EVERYONE not in fact.value.lower():
        how = say(
            "in dcomcnfg, My Computer, COM Security, Access Permissions, Edit Default: "
            "allow SELF local and remote access"
        )
        yield "dcom", fact.value[:120], how


def _store(a: Assessment) -> Iterator[Lost]:
    """The licence store of 2008 and 2008 R2, whose rights are documented."""
    if not (a.system.before_2012):
        return
    path, fact = value_of(a.facts.store.path), a.facts.store.sddl
    token = network_service_token(a.system.licensing_service)
    if path and isinstance(fact, Known) and grants(fact.value, token, _STORE_WRITE) is False:
        account = (
            "NT Service\\slsvc:(OI)(CI)(R,W,D)"
            if a.system.family == "2008"
            else "*S-1-5-20:(OI)(CI)F"
        )
        command = f'icacls "{path}" /grant "{account}"'
        yield "store", fact.value, say("on the server: {command}", command=raw(command))


def _names(lost: list[Lost]) -> str:
    return ", ".join(name for name, _, _ in lost)


def _remedies(lost: list[Lost]) -> Text:
    """What to do about each, one sentence."""
    text = lost[0][2]
    for _, _, more in lost[1:]:
        text = say("{first}; {then}", first=text, then=more)
    return say("Note the present rights, then give back only what is missing: {how}.", how=text)
