"""Rights whose loss keeps licensing from working, and how each is given back."""

from __future__ import annotations

from typing import Any

from volact.core.assessment import Assessment
from volact.core.assessment.rights import LostRight
from volact.core.findings.kind import Found, Place, error, evidence_field, reported, warning
from volact.model.fact import value_of
from volact.model.text import Text, clauses, joined, raw, say, typed

_PROFILE_LIST = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
_ENUM_ROOT = r"HKLM\SYSTEM\CurrentControlSet\Enum\Root"
_SERVICE_KEYS = {"profile-key": f"{_PROFILE_LIST}\\S-1-5-20", "hive": r"HKEY_USERS\S-1-5-20"}
_NAMES = {
    "profile-list": say("the list of profiles"),
    "profile-key": say("the profile of NETWORK SERVICE"),
    "hive": say("the registry hive of NETWORK SERVICE"),
    "enum-root": say("the registry key Enum\\Root"),
    "plugplay": say("the Plug and Play service"),
    "dcom": say("DCOM"),
    "store": say("the licence store"),
}
_PLUGPLAY_ENTRY = "(A;;CCLCSWLOCRRC;;;SU)"


def _rights_lost(a: Assessment) -> Found | None:
    lost = a.lost_rights
    if not lost:
        return None
    hurts = a.licence.unread or a.licence.unlicensed
    make = error if hurts else warning
    evidence: dict[str, Any] = {"lost": [right.name for right in lost]}
    evidence |= {right.name: right.read for right in lost}
    return make(
        say(
            "Licensing lacks permissions that it needs on {names}.",
            names=joined(_NAMES[right.name] for right in lost),
        ),
        evidence,
        remedy=_remedies(a),
    )


RIGHTS_LOST = reported(
    id="rights-lost",
    rule=_rights_lost,
    place=Place.RIGHTS,
    severities=("error", "warning"),
    meaning=say(
        "A permission that licensing needs is missing: on a registry key, a service, DCOM or "
        "the licence store."
    ),
    action=say("Names each missing permission, with what was read; restores none of them."),
    blocks="activation",
    detail=evidence_field("lost"),
)


def _remedies(a: Assessment) -> Text:
    """What to do about each, one sentence."""
    how = clauses(_remedy(a, right) for right in a.lost_rights)
    return say("Note the present permissions, then restore only what is missing: {how}.", how=how)


def _remedy(a: Assessment, right: LostRight) -> Text:
    if right.name == "profile-list":
        keys = ", ".join(f"{_PROFILE_LIST}\\{sid}" for sid in right.read.split())
        return say(
            "copy {keys} from a healthy server of the same release (reg export, reg import)",
            keys=raw(keys),
        )
    if right.name == "enum-root":
        return say(
            "in regedit give SYSTEM the right Enumerate Subkeys on {key}", key=raw(_ENUM_ROOT)
        )
    if right.name == "plugplay":
        return _plugplay_remedy(right.read)
    if right.name == "dcom":
        return say(
            "in dcomcnfg, My Computer, COM Security, Access Permissions, Edit Default: "
            "allow SELF local and remote access"
        )
    if right.name == "store":
        return _store_remedy(a)
    key = _SERVICE_KEYS[right.name]
    return say("in regedit give NETWORK SERVICE full control of {key}", key=raw(key))


def _plugplay_remedy(sddl: str) -> Text:
    head, mark, tail = sddl.partition("S:")
    return say(
        "on the server: {command} (a group policy that configures this service needs the entry "
        "too)",
        command=typed(f'sc sdset PlugPlay "{head}{_PLUGPLAY_ENTRY}{mark}{tail}"'),
    )


def _store_remedy(a: Assessment) -> Text:
    on_2008 = a.system.family == "2008"
    account = "NT Service\\slsvc:(OI)(CI)(R,W,D)" if on_2008 else "*S-1-5-20:(OI)(CI)F"
    path = value_of(a.facts.store.path)
    command = f'icacls "{path}" /grant "{account}"'
    return say("on the server: {command}", command=typed(command))
